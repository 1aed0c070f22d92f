"""Compare MLPClassifier with scikit-learn's and a plain PyTorch loop.

    python benchmarks/mlp.py --data mnist.npz [--rounds 5] [--dtypes float32 float64]

They take turns in one run, with the same hyperparameters and epochs, after a pause in
which BLAS's threads go to sleep. The tables have medians: of `fit` in microseconds per
sample and epoch, of `predict` in microseconds per call, and of the ratios in a round,
the peer's time divided by ours. Without --data only the digits are used; without
PyTorch its column is left out.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from functools import partial
from itertools import pairwise

import numpy as np
from _machine import print_machine
from _timing import take_turns
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier as TheirClassifier

from skconvnet import MLPClassifier
from skconvnet.engine.blas_threads import resolve_n_threads

try:
    import torch
except ImportError:
    torch = None

# Data, hidden layers, batch size, epochs.
FITS = [
    ("mnist", (100,), 200, 3),
    ("mnist", (100,), 32, 2),
    ("mnist", (512, 512), 128, 2),
    ("digits", (100,), 200, 30),
    ("digits", (100,), 32, 15),
]
ROWS = (1, 100, 10_000)
RATE = 1e-3
# Seconds before each turn, in which BLAS's threads go to sleep.
PAUSE = 0.2

# X and y by the name of the set.
Sets = dict[str, tuple[np.ndarray, np.ndarray]]


def torch_fit(
    X: np.ndarray, y: np.ndarray, hidden: tuple[int, ...], batch_size: int, epochs: int
) -> None:
    """Train by the loop that a user of PyTorch would write."""
    data, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))
    sizes = [X.shape[1], *hidden, 10]
    layers = []
    for n_in, n_out in pairwise(sizes):
        layers += [torch.nn.Linear(n_in, n_out, dtype=data.dtype), torch.nn.ReLU()]
    network = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, weight_decay=1e-6)
    loss_of = torch.nn.CrossEntropyLoss()
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch_size):
            index = order[start : start + batch_size]
            optimizer.zero_grad()
            loss = loss_of(network(data[index]), labels[index])
            loss.backward()
            optimizer.step()
            loss.item()


def fit(cls: type, params: dict[str, object], X: np.ndarray, y: np.ndarray) -> None:
    """Train a new estimator."""
    cls(**params).fit(X, y)


def report(label: str, times: dict[str, np.ndarray], scale: float) -> None:
    """Print a row of medians, multiplied by `scale`, and of ratios."""
    ours = times["skconvnet"]
    row = f"{label:<44}"
    for name in ("skconvnet", "scikit-learn", "PyTorch"):
        if name in times:
            row += f"{np.median(times[name]) * scale:>14.2f}"
    for name in ("scikit-learn", "PyTorch"):
        if name in times:
            row += f"{np.median(times[name] / ours):>14.2f}"
    print(row, flush=True)


def header(what: str) -> None:
    """Print the head of a table."""
    names = ["skconvnet", "scikit-learn"] + ["PyTorch"] * (torch is not None)
    row = "".join(f"{name:>14}" for name in names)
    row += "".join(f"{'ratio to':>14}" for _ in names[1:])
    print(f"\n{what:<44}{row}")


def main(argv: list[str] | None = None) -> int:
    """Print the table of fits and that of predictions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="npz with X_train and y_train")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--predict-only", action="store_true")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "float64"])
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore")

    digits, labels = load_digits(return_X_y=True)
    sets = {"digits": (digits / 16, labels)}
    if args.data:
        data = np.load(args.data)
        rows = data["X_train"][:20_000].reshape(20_000, -1) / 255
        sets["mnist"] = (rows, data["y_train"][:20_000])
    if torch is not None:
        torch.set_num_threads(resolve_n_threads(None))
    print_machine()
    print(f"{resolve_n_threads(None)} threads")
    classes = {"skconvnet": MLPClassifier, "scikit-learn": TheirClassifier}
    if not args.predict_only:
        time_fits(sets, classes, args)
    time_predictions(sets, classes, args)
    return 0


def time_fits(sets: Sets, classes: dict[str, type], args: argparse.Namespace) -> None:
    """Print a row for each network and dtype."""
    header("fit, us per sample and epoch")
    for dtype in args.dtypes:
        for name, hidden, batch_size, epochs in FITS:
            if name not in sets:
                continue
            X, y = sets[name]
            X = X.astype(dtype)
            params = {
                "hidden_layer_sizes": hidden,
                "batch_size": batch_size,
                "max_iter": epochs,
                "n_iter_no_change": epochs,
                "random_state": 0,
            }
            calls = {
                peer: partial(fit, cls, params, X, y) for peer, cls in classes.items()
            }
            if torch is not None:
                calls["PyTorch"] = partial(torch_fit, X, y, hidden, batch_size, epochs)
            times = take_turns(calls, args.rounds, pause=PAUSE)
            label = f"{dtype}, {name} {hidden}, batch {batch_size}"
            report(label, times, 1e6 / (epochs * len(X)))


def time_predictions(
    sets: Sets, classes: dict[str, type], args: argparse.Namespace
) -> None:
    """Print a row for each number of rows that are predicted at once."""
    header("predict, us per call")
    for dtype in args.dtypes:
        for name, (X, y) in sets.items():
            X = np.resize(X, (max(ROWS), X.shape[1])).astype(dtype)
            y = np.resize(y, len(X))
            fitted = {
                peer: cls((100,), max_iter=1, random_state=0).fit(X, y)
                for peer, cls in classes.items()
            }
            for n in ROWS:
                repeats = 200 if n < 1000 else 5
                calls = {
                    peer: partial(model.predict, X[:n])
                    for peer, model in fitted.items()
                }
                times = take_turns(calls, args.rounds, pause=PAUSE, repeats=repeats)
                report(f"{dtype}, {name} (100,), {n} rows", times, 1e6)


if __name__ == "__main__":
    sys.exit(main())
