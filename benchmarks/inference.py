"""Compare predictions with PyTorch and skorch, and time the import of the package.

    python benchmarks/inference.py [--rounds 7] [--networks digits mnist cifar]

predict_proba on 10,000 images (2,000 for cifar) compared with PyTorch's inference mode,
and `predict` of one image compared with skorch's, in turn, each after a pause. The
import of an estimator is timed in new processes, after sklearn.neural_network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
from _machine import print_machine
from _timing import take_turns
from _torch_networks import (
    NeuralNetClassifier,
    channels_first,
    layouts_of,
    skorch_network,
    torch,
    torch_network,
)
from networks import NETWORKS, data, our_network

IMPORT = """
import time, sklearn.neural_network
start = time.perf_counter()
from skconvnet import ConvNetClassifier
print(time.perf_counter() - start)
"""


def report(what: str, times: dict[str, np.ndarray]) -> None:
    """Print median microseconds per call, and of the ratios to ours."""
    cells = [f"{name} {1e6 * np.median(t):.0f} us" for name, t in times.items()]
    cells += [
        f"{name}/ours {np.median(t / times['ours']):.2f}"
        for name, t in times.items()
        if name != "ours"
    ]
    print(f"{what:<34}{', '.join(cells)}", flush=True)


def main(argv: list[str] | None = None) -> int:
    """Print medians of predictions, and of the time that an import takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS)[:3])
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    print_machine()
    print("float32")
    for name in args.networks:
        n = 10_000 if name in ("digits", "mnist") else 2_000
        X, y = data(name, n)
        ours = our_network(name).initialize(X, y)
        many = {"ours": lambda m=ours, X=X: m.predict_proba(X)}
        one = {"ours": lambda m=ours, X=X: m.predict(X[:1])}
        if torch is not None:
            many |= torch_calls(name, channels_first(X))
        if NeuralNetClassifier is not None:
            inputs = channels_first(X[:64])
            theirs = skorch_network(name, 1, 32).fit(inputs, y[:64])
            one["skorch"] = lambda m=theirs, X=inputs: m.predict(X[:1])
        report(f"{name}, predict_proba of {n}", take_turns(many, args.rounds))
        report(f"{name}, predict of one", take_turns(one, args.rounds, repeats=100))
    seconds = [
        float(subprocess.check_output([sys.executable, "-c", IMPORT]))
        for _ in range(args.rounds)
    ]
    print(f"import, after sklearn.neural_network: {np.median(seconds) * 1e3:.0f} ms")
    return 0


def torch_calls(name: str, X: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return what predicts all of X in PyTorch, for each layout of memory."""
    calls = {}
    for layout in layouts_of(X):
        model, inputs = torch_network(name).eval(), torch.from_numpy(X)
        if layout == "channels_last":
            model = model.to(memory_format=torch.channels_last)
            inputs = inputs.to(memory_format=torch.channels_last)
        calls[layout] = partial(torch_predict, model, inputs)
    return calls


def torch_predict(model: torch.nn.Module, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return probabilities, 256 samples at a time."""
    with torch.inference_mode():
        return [model(part).softmax(dim=1) for part in inputs.split(256)]


if __name__ == "__main__":
    sys.exit(main())
