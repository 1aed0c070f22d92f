"""Time predictions beside PyTorch and skorch, and the import of the package.

    python benchmarks/inference.py [--rounds 7] [--networks digits mnist cifar]

predict_proba on 10,000 images (2,000 for cifar) beside PyTorch's inference mode, and
`predict` of one image beside skorch's, in turn in one run, each after a pause. The
import of an estimator is timed in new processes, after sklearn.neural_network.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np
from networks import (
    NETWORKS,
    NeuralNetClassifier,
    channels_first,
    data,
    machine,
    our_network,
    skorch_network,
    torch,
    torch_network,
)

IMPORT = """
import time, sklearn.neural_network
start = time.perf_counter()
from skconvnet import ConvNetClassifier
print(time.perf_counter() - start)
"""


def take_turns(calls: dict[str, Callable[[], object]], rounds: int, repeats: int):
    """Return median microseconds a call, and of the ratios to the first."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            time.sleep(0.1)
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            if turn:  # the first only warms up
                times[name].append((time.perf_counter() - start) / repeats * 1e6)
    first = next(iter(times.values()))
    medians = {name: float(np.median(values)) for name, values in times.items()}
    ratios = {
        name: float(np.median(np.divide(values, first)))
        for name, values in times.items()
    }
    return medians, ratios


def report(what: str, result: tuple[dict, dict]) -> None:
    medians, ratios = result
    cells = [f"{name} {value:.0f} us" for name, value in medians.items()]
    cells += [f"{name}/ours {value:.2f}" for name, value in list(ratios.items())[1:]]
    print(f"{what:<34}{', '.join(cells)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS)[:3])
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{machine()}, float32")
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
        report(f"{name}, predict_proba of {n}", take_turns(many, args.rounds, 1))
        report(f"{name}, predict of one", take_turns(one, args.rounds, 100))
    seconds = [
        float(subprocess.check_output([sys.executable, "-c", IMPORT]))
        for _ in range(args.rounds)
    ]
    print(f"import, after sklearn.neural_network: {np.median(seconds) * 1e3:.0f} ms")


def torch_calls(name: str, X: np.ndarray) -> dict[str, Callable[[], object]]:
    calls = {}
    for layout in ("contiguous", "channels_last"):
        model, inputs = torch_network(name).eval(), torch.from_numpy(X)
        if layout == "channels_last":
            model = model.to(memory_format=torch.channels_last)
            inputs = inputs.to(memory_format=torch.channels_last)

        def predict(model=model, inputs=inputs):
            with torch.inference_mode():
                return [model(part).softmax(dim=1) for part in inputs.split(256)]

        calls[layout] = predict
    return calls


if __name__ == "__main__":
    main()
