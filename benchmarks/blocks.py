"""Compare blocks with branches or shortcuts with a plain stack of as many weights.

    python benchmarks/blocks.py [--data cifar10-small.npz] [--train 5000] [--epochs 8]
                                [--seeds 0 1 2] [--networks plain inception ...]

Networks of nearly the same number of weights are trained alike: the same images, the
same updates of Adam at a rate that falls along a cosine, images shifted by up to two
pixels. "plain" has 6 layers with weights; "inception" has `Parallel` blocks in place of
its convolutions; those called "deep" have 16 narrower layers, as they are or
in `Residual` blocks of two. With "+ bn" there is a `BatchNorm` before each activation.
Test accuracy after the last epoch is printed for each seed, and the mean CPU time of a
fit, all threads together.

A file given with --data has arrays X_train, y_train, X_test and y_test, images of any
size and number of channels. Without it MNIST is fetched from OpenML, by pandas.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from _machine import print_machine
from mnist import load
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier
from skconvnet.augmentation import Shift
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    MaxPool2D,
    Parallel,
    Rescaling,
    Residual,
)
from skconvnet.params.base import LayerSpec

RATE = 2e-3
BATCH = 32
STEM = 16
# Filters of the first half and the second, so chosen that the networks have the same
# number of weights to within 3 %.
PLAIN, DEEP = (33, 67), (16, 32)
BLOCKS = 3
# Filters of an Inception block: 1x1; before 3x3, 3x3; before 5x5, 5x5; after the pool.
INCEPTION = ((14, 14, 28, 7, 10, 10), (28, 28, 56, 14, 20, 20))


def convolution(filters: int, kernel: int = 3, *, norm: bool) -> list[LayerSpec]:
    """Return a convolution that keeps the size of the map, and its activation."""
    layer = Conv2D(filters, kernel, padding="same", kernel_initializer="he_uniform")
    if norm:
        return [layer, BatchNorm(), Activation("relu")]
    return [layer.set_params(activation="relu")]


def inception(filters: tuple[int, ...], *, norm: bool) -> Parallel:
    """Return 1x1, 3x3 and 5x5 convolutions and a max pool side by side."""
    one, before_3, three, before_5, five, pooled = filters
    thin_3 = convolution(before_3, 1, norm=norm)
    thin_5 = convolution(before_5, 1, norm=norm)
    pool = MaxPool2D(3, strides=1, padding="same")
    return Parallel(
        [
            ("b1", convolution(one, 1, norm=norm)),
            ("b3", [*thin_3, *convolution(three, 3, norm=norm)]),
            ("b5", [*thin_5, *convolution(five, 5, norm=norm)]),
            ("pool", [pool, *convolution(pooled, 1, norm=norm)]),
        ]
    )


def plain_half(half: int, *, norm: bool) -> list[LayerSpec]:
    """Return two convolutions."""
    filters = PLAIN[half]
    return [*convolution(filters, norm=norm), *convolution(filters, norm=norm)]


def inception_half(half: int, *, norm: bool) -> list[LayerSpec]:
    """Return two Inception blocks."""
    filters = INCEPTION[half]
    return [inception(filters, norm=norm), inception(filters, norm=norm)]


def deep_half(half: int, *, norm: bool) -> list[LayerSpec]:
    """Return many narrow convolutions, one after the other."""
    filters = DEEP[half]
    layers = convolution(filters, norm=norm)
    for _ in range(2 * BLOCKS):
        layers += convolution(filters, norm=norm)
    return layers


def residual_half(half: int, *, norm: bool) -> list[LayerSpec]:
    """Return the layers of `deep_half`, with a shortcut around every two of them."""
    filters = DEEP[half]
    layers = convolution(filters, norm=norm)
    for _ in range(BLOCKS):
        inside = convolution(filters, norm=norm) + convolution(filters, norm=norm)
        # The last activation comes after the sum.
        if norm:
            inside.pop()
        else:
            inside[-1].set_params(activation=None)
        layers += [Residual(inside), Activation("relu")]
    return layers


HALVES = {
    "plain": plain_half,
    "inception": inception_half,
    "deep plain": deep_half,
    "deep residual": residual_half,
}
NETWORKS = [name + norm for norm in ("", " + bn") for name in HALVES]


def make_model(
    name: str, epochs: int, seed: int, n_jobs: int | None
) -> SequentialClassifier:
    """Return the network called `name`, for images of 0 to 255."""
    kind, *normalized = name.split(" + ")
    norm = bool(normalized)
    layers: list[LayerSpec] = [Rescaling(1 / 255)]
    layers += [*convolution(STEM, norm=norm), MaxPool2D(2)]
    layers += [*HALVES[kind](0, norm=norm), MaxPool2D(2)]
    layers += [*HALVES[kind](1, norm=norm), GlobalAvgPool()]
    return SequentialClassifier(
        layers,
        solver="adam",
        learning_rate="cosine",
        learning_rate_init=RATE,
        alpha=0.0,
        batch_size=BATCH,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        augmentation=Shift(2),
        dtype="float32",
        n_jobs=n_jobs,
        random_state=seed,
    )


def n_weights(model: SequentialClassifier) -> int:
    """Return the number of learned weights, without moving statistics."""
    return model.network_.vector.size


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="an .npz file")
    parser.add_argument("--train", type=int, default=5000, help="images of the set")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=NETWORKS)
    parser.add_argument("--jobs", type=int, default=None, help="threads")
    args = parser.parse_args(argv)
    warnings.simplefilter("ignore", ConvergenceWarning)

    X_train, y_train, X_test, y_test = load(args.data)
    X_train, y_train = X_train[: args.train], y_train[: args.train]
    print_machine()
    print(f"training {X_train.shape}, test {X_test.shape}, {args.epochs} epochs\n")
    seeds = " | ".join(f"seed {seed}" for seed in args.seeds)
    print(f"| network | weights | mean | {seeds} | CPU seconds |")
    print("| --- |" + " --- |" * (len(args.seeds) + 3), flush=True)
    for name in args.networks:
        accuracies, seconds = [], []
        for seed in args.seeds:
            model = make_model(name, args.epochs, seed, args.jobs)
            start = time.process_time()
            model.fit(X_train, y_train)
            seconds.append(time.process_time() - start)
            accuracies.append(100 * model.score(X_test, y_test))
        each = " | ".join(f"{accuracy:.2f}" for accuracy in accuracies)
        cells = f"{n_weights(model):,} | {np.mean(accuracies):.2f} | {each}"
        print(f"| {name} | {cells} | {np.mean(seconds):.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
