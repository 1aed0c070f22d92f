"""Train small networks from other initial weights and layers, at equal epochs.

    python benchmarks/recipes_initial_weights.py --data cifar10.npz
        [--networks plain residual] [--epochs 5] [--seeds 3]
        [--rates 0.003 0.01] [--n-jobs 1]

The file is an .npz of X_train, y_train, X_test and y_test; X are images in the range 0
to 255. A fifth of the training set is the validation set. Each recipe changes one thing
of a network, and the last one all of them. The initial learning rate is the one with
which the network as it is has the best mean validation accuracy. Printed are the means
over the seeds, in percent, with the standard deviation of the test accuracy, which
decides nothing.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from _machine import print_machine
from mnist import load as load_arrays
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skconvnet import SequentialClassifier
from skconvnet.initializers import Dirac, HeUniform, Initializer
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    MaxPool2D,
    Residual,
    Standardize,
    StochasticDepth,
    WhiteningConv2D,
)
from skconvnet.params.base import LayerSpec

BATCH = 64
WIDTHS = (16, 32)
BLOCKS_PER_STAGE = 2
# Of the last block; it grows from block to block.
DROP_RATE = 0.2

Layers: TypeAlias = list[LayerSpec]


class Data(NamedTuple):
    """A data set in three parts."""

    X: np.ndarray
    y: np.ndarray
    X_val: np.ndarray
    y_val: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray


def load(path: Path) -> Data:
    """Read a data set, and hold out a fifth of the training set for validation."""
    X, y, X_test, y_test = load_arrays(path)
    X, X_val, y, y_val = train_test_split(
        X, y, test_size=0.2, stratify=y, random_state=0
    )
    return Data(X, y, X_val, y_val, X_test, y_test)


def _first(*, whitening: bool) -> Layers:
    """Return 24 filters of 2x2, as in the published networks, and what follows them."""
    first: Layers = [Conv2D(24, 2), BatchNorm(), Activation("relu")]
    if whitening:
        first = [WhiteningConv2D(2, activation="relu")]
    return [Standardize(), *first, MaxPool2D(2)]


def plain(*, whitening: bool = False, dirac: bool = False) -> Layers:
    """Return a network of two stages of convolutions without shortcuts."""
    initializer: str | Initializer = Dirac(HeUniform()) if dirac else "he_uniform"
    layers = _first(whitening=whitening)
    for width in WIDTHS:
        for i in range(1 + BLOCKS_PER_STAGE):
            layers += [
                _conv(width, initializer),
                *([MaxPool2D(2)] if i == 0 else []),
                BatchNorm(),
                Activation("relu"),
            ]
    return [*layers, GlobalAvgPool()]


def residual(
    *, whitening: bool = False, zero_gamma: bool = False, depth: bool = False
) -> Layers:
    """Return a network of two stages of residual blocks."""
    layers = _first(whitening=whitening)
    n_blocks = len(WIDTHS) * BLOCKS_PER_STAGE
    number = 0
    for width in WIDTHS:
        layers += [_conv(width), MaxPool2D(2), BatchNorm(), Activation("relu")]
        for _ in range(BLOCKS_PER_STAGE):
            number += 1
            last = BatchNorm(gamma_initializer="zeros" if zero_gamma else "ones")
            drop = [StochasticDepth(DROP_RATE * number / n_blocks)] if depth else []
            inner = [_conv(width), BatchNorm(), Activation("relu"), _conv(width), last]
            layers += [Residual([*inner, *drop]), Activation("relu")]
    return [*layers, GlobalAvgPool()]


def _conv(width: int, initializer: str | Initializer = "he_uniform") -> Conv2D:
    """Return a convolution, which a normalization and a ReLU follow."""
    return Conv2D(width, 3, padding="same", kernel_initializer=initializer)


# The function of each network, and its arguments for each recipe.
NETWORKS: dict[str, tuple[Callable[..., Layers], dict[str, dict[str, bool]]]] = {
    "plain": (
        plain,
        {
            "whitening": {"whitening": True},
            "Dirac": {"dirac": True},
            "all": {"whitening": True, "dirac": True},
        },
    ),
    "residual": (
        residual,
        {
            "whitening": {"whitening": True},
            "zero gamma": {"zero_gamma": True},
            "stochastic depth": {"depth": True},
            "all": {"whitening": True, "zero_gamma": True, "depth": True},
        },
    ),
}


class Outcome(NamedTuple):
    """Accuracies of one training, and the CPU time of an epoch in seconds."""

    train: float
    validation: float
    test: float
    seconds: float


def outcome(
    layers: Layers, data: Data, rate: float, seed: int, args: argparse.Namespace
) -> Outcome:
    """Train a network once."""
    model = SequentialClassifier(
        layers,
        learning_rate="one_cycle",
        learning_rate_init=rate,
        batch_size=BATCH,
        max_iter=args.epochs,
        n_iter_no_change=args.epochs,
        random_state=seed,
        dtype="float32",
        n_jobs=args.n_jobs,
    )
    start = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(data.X, data.y)
    seconds = (time.process_time() - start) / args.epochs
    scores = (
        model.score(X, y)
        for X, y in (
            (data.X, data.y),
            (data.X_val, data.y_val),
            (data.X_test, data.y_test),
        )
    )
    return Outcome(*scores, seconds)


def outcomes(
    layers: Layers, data: Data, rate: float, args: argparse.Namespace
) -> np.ndarray:
    """Return the outcome of each seed, as rows."""
    return np.array(
        [outcome(layers, data, rate, seed, args) for seed in range(args.seeds)]
    )


def print_network(name: str, data: Data, args: argparse.Namespace) -> None:
    """Print a row for each recipe of a network."""
    make, recipes = NETWORKS[name]
    by_rate = {rate: outcomes(make(), data, rate, args) for rate in args.rates}
    rate = max(by_rate, key=lambda rate: float(by_rate[rate][:, 1].mean()))
    _print_row(name, "as it is", rate, by_rate[rate])
    for recipe, options in recipes.items():
        _print_row(name, recipe, rate, outcomes(make(**options), data, rate, args))


def _print_row(network: str, recipe: str, rate: float, results: np.ndarray) -> None:
    *accuracies, seconds = results.mean(axis=0)
    train, validation, test = (f"{100 * accuracy:.1f}" for accuracy in accuracies)
    deviation = 100 * results[:, 2].std()
    print(
        f"| {network} | {recipe} | {rate:g} | {train} | {validation} | {test} "
        f"± {deviation:.1f} | {seconds:.2f} |",
        flush=True,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.003, 0.01])
    parser.add_argument("--n-jobs", type=int, default=1)
    args = parser.parse_args(argv)
    print_machine()
    data = load(args.data)
    n_samples = [len(y) for y in (data.y, data.y_val, data.y_test)]
    print(f"\n{n_samples} samples for training, validation and test")
    print(f"{args.epochs} epochs, {args.seeds} seeds, rates {args.rates}\n")
    print(
        "| network | recipe | rate | training | validation | test | CPU s per epoch |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for network in args.networks:
        print_network(network, data, args)


if __name__ == "__main__":
    sys.exit(main())
