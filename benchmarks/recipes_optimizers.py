"""Compare Adam, AdamW, SGD and Muon, each with and without Lookahead, on few images.

    python benchmarks/recipes_optimizers.py --data mnist.npz [--train 2000]
        [--epochs 3] [--seeds 3] [--optimizers Adam "Muon, Lookahead" ...]

A file has arrays X_train, y_train, X_test and y_test, images as uint8. For each
optimizer, the learning rate with the most right on a quarter of the training images is
chosen after training on the others, with seed 0. The network is then trained on all of
them with this rate, once per seed. The table has the rate, the mean and the standard
deviation of the test accuracy over the seeds, and the CPU seconds of an epoch on one
thread. A rate at the end of the grid is marked with ``*``.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import mnist
import numpy as np
from _machine import print_machine
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.optimizers import SGD, Adam, AdamW, Lookahead, Muon, Optimizer

HELD_OUT = 0.25
FILTERS, HIDDEN = (16, 32), 64
# The decay of AdamW replaces the penalty on kernels.
ALPHA, WEIGHT_DECAY = 1.0, 0.05
ADAPTIVE_RATES = (0.001, 0.003, 0.01, 0.03)
SGD_RATES = (0.003, 0.01, 0.03, 0.1)


class Recipe(NamedTuple):
    """An optimizer, the strength of the penalty, and the rates to choose from."""

    optimizer: Optimizer
    alpha: float
    rates: Sequence[float]


class Split(NamedTuple):
    """Images to learn from, and others to judge by."""

    X: np.ndarray
    y: np.ndarray
    X_judged: np.ndarray
    y_judged: np.ndarray


PLAIN = {
    "Adam": Recipe(Adam(), ALPHA, ADAPTIVE_RATES),
    "AdamW": Recipe(AdamW(weight_decay=WEIGHT_DECAY), 0.0, ADAPTIVE_RATES),
    "SGD, Nesterov": Recipe(SGD(nesterov=True), ALPHA, SGD_RATES),
    "Muon": Recipe(Muon(), ALPHA, ADAPTIVE_RATES),
}
RECIPES = {
    name + suffix: recipe._replace(optimizer=optimizer)
    for name, recipe in PLAIN.items()
    for suffix, optimizer in (
        ("", recipe.optimizer),
        (", Lookahead", Lookahead(recipe.optimizer)),
    )
}


def load(path: Path, n_train: int) -> Split:
    """Return the first training images, and all test images."""
    X, y, X_test, y_test = mnist.load(path)
    return Split(X[:n_train], y[:n_train], X_test, y_test)


def held_out(data: Split) -> Split:
    """Return most of the training images, and the others to judge by."""
    X, X_judged, y, y_judged = train_test_split(
        data.X, data.y, test_size=HELD_OUT, stratify=data.y, random_state=0
    )
    return Split(X, y, X_judged, y_judged)


def train(
    recipe: Recipe, rate: float, data: Split, epochs: int, seed: int
) -> tuple[float, float]:
    """Return the accuracy and the CPU seconds of an epoch; 0 if training diverged."""
    model = ConvNetClassifier(
        FILTERS,
        hidden_layer_sizes=HIDDEN,
        solver=clone(recipe.optimizer),
        alpha=recipe.alpha,
        learning_rate_init=rate,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=seed,
        n_jobs=1,
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        try:
            model.fit(data.X, data.y)
            seconds = (time.process_time() - start) / epochs
            return model.score(data.X_judged, data.y_judged), seconds
        except ValueError:
            return 0.0, np.nan


def choose_rate(recipe: Recipe, data: Split, epochs: int) -> float:
    """Return the rate with the most right among images that were held out."""
    scores = [train(recipe, rate, data, epochs, seed=0)[0] for rate in recipe.rates]
    return recipe.rates[int(np.argmax(scores))]


def row(name: str, data: Split, epochs: int, seeds: int) -> str:
    """Return the line of the table for one optimizer."""
    recipe = RECIPES[name]
    rate = choose_rate(recipe, held_out(data), epochs)
    mark = "*" if rate in (recipe.rates[0], recipe.rates[-1]) else ""
    runs = [train(recipe, rate, data, epochs, seed) for seed in range(seeds)]
    accuracies, seconds = np.transpose(runs)
    percent = 100 * accuracies
    accuracy = f"{percent.mean():.2f} +- {percent.std():.2f}"
    return f"| {name} | {rate:g}{mark} | {accuracy} | {np.median(seconds):.2f} |"


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="an .npz file")
    parser.add_argument("--train", type=int, default=2000, help="training images")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--optimizers", nargs="+", choices=list(RECIPES))
    args = parser.parse_args(argv)
    data = load(args.data, args.train)
    print_machine()
    print(f"{len(data.y)} images of {data.X.shape[1:]}, {args.epochs} epochs")
    print("| optimizer | rate | accuracy, % | seconds per epoch |")
    print("| --- | --- | --- | --- |")
    for name in args.optimizers or RECIPES:
        print(row(name, data, args.epochs, args.seeds), flush=True)
    print(f"{time.process_time():.0f} CPU seconds in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
