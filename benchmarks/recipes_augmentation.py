"""Measure flips, fills and means of predictions as fast recipes have them.

    python benchmarks/recipes_augmentation.py --data cifar10-small.npz [--train 4000]
                                              [--epochs 8] [--seeds 0 1 2]

A small network is trained on photographs: without flips, with random flips and with
alternating ones; then, with the best of these, shifted by up to two pixels with zeros
or mirrored pixels from outside. The network of the best augmentation predicts alone and
as a mean over versions. All choices are made by the accuracy on training images that
are held out, of which the first --train are trained on. The last table has the accuracy
on the test set of what was chosen. Accuracies are in percent, with the standard error
of the mean over the seeds; seconds are CPU times of all threads together.

A file given with --data has arrays X_train, y_train, X_test and y_test, images of any
size and number of channels.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _machine import print_machine
from mnist import load
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier
from skconvnet.augmentation import Augmentation, Flip, Shift
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    MaxPool2D,
    Standardize,
)
from skconvnet.params.base import LayerSpec

FILTERS = (16, 32, 64)
RATE = 5e-3
BATCH = 50
FLIPS: dict[str, list[Augmentation]] = {
    "no flip": [],
    "random flip": [Flip()],
    "alternating flip": [Flip(alternate=True)],
}
FILLS: dict[str, list[Augmentation]] = {
    "shift, constant": [Shift(2)],
    "shift, reflect": [Shift(2, fill="reflect")],
}
VERSIONS = (None, "mirror", "shifts", "mirror+shifts")


class Images(NamedTuple):
    """Images and their labels."""

    X: np.ndarray
    y: np.ndarray


def make_model(
    augmentation: list[Augmentation], epochs: int, seed: int, jobs: int | None
) -> SequentialClassifier:
    """Return a network of a few convolutions, whose rate falls in one cycle."""
    layers: list[LayerSpec] = [Standardize()]
    for filters in FILTERS:
        kernel = Conv2D(filters, 3, padding="same", kernel_initializer="he_uniform")
        layers += [kernel, BatchNorm(), Activation("relu"), MaxPool2D(2)]
    return SequentialClassifier(
        [*layers[:-1], GlobalAvgPool()],
        batch_size=BATCH,
        learning_rate="one_cycle",
        learning_rate_init=RATE,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        augmentation=augmentation,
        dtype="float32",
        random_state=seed,
        n_jobs=jobs,
    )


class Measured(NamedTuple):
    """Networks of all seeds, and their accuracies on the images that are held out."""

    models: list[SequentialClassifier]
    accuracies: list[float]
    seconds: float


def measure(
    augmentation: list[Augmentation],
    training: Images,
    held_out: Images,
    args: argparse.Namespace,
    **params: object,
) -> Measured:
    """Train a network for each seed, with `params` in place of its own."""
    models, accuracies, start = [], [], time.process_time()
    for seed in args.seeds:
        model = make_model(augmentation, args.epochs, seed, args.jobs)
        model.set_params(**params)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            models.append(model.fit(*training))
    seconds = (time.process_time() - start) / len(models)
    accuracies = [model.score(*held_out) for model in models]
    return Measured(models, accuracies, seconds)


def in_percent(accuracies: Iterable[float]) -> str:
    """Return the mean, and its standard error if there are several.

    >>> in_percent([0.5, 0.52])
    '51.00 +- 1.00'
    """
    values = 100 * np.array(list(accuracies))
    if len(values) < 2:
        return f"{values.mean():.2f}"
    return f"{values.mean():.2f} +- {values.std(ddof=1) / np.sqrt(len(values)):.2f}"


def best_of(measured: Mapping[str, Measured]) -> str:
    """Return what has the best mean accuracy."""
    return max(measured, key=lambda name: np.mean(measured[name].accuracies))


def compare(
    cases: Mapping[str, list[Augmentation]],
    training: Images,
    held_out: Images,
    args: argparse.Namespace,
) -> dict[str, Measured]:
    """Train with each augmentation, and print its row."""
    measured = {}
    for name, augmentation in cases.items():
        own = measure(augmentation, training, held_out, args)
        measured[name] = own
        text = in_percent(own.accuracies)
        print(f"| {name} | {text} | {own.seconds:.0f} |", flush=True)
    return measured


def print_head(*columns: str) -> None:
    """Print the head of a table."""
    print()
    print("| " + " | ".join(columns) + " |")
    print("| " + " | ".join("---" for _ in columns) + " |")


def with_versions(
    models: list[SequentialClassifier], versions: str | None
) -> list[SequentialClassifier]:
    """Return the networks, which predict by these versions from now on."""
    return [model.set_params(predict_augmentation=versions) for model in models]


def parse(
    argv: list[str] | None, description: str, *, n_epochs: int
) -> argparse.Namespace:
    """Return the options of benchmarks that train this network on photographs."""
    parser = argparse.ArgumentParser(description=description.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--train", type=int, default=4000)
    parser.add_argument("--epochs", type=int, default=n_epochs)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--jobs", type=int, default=None)
    return parser.parse_args(argv)


def split(args: argparse.Namespace) -> tuple[Images, Images, Images]:
    """Return the images for training, those that are held out, and those for tests."""
    X, y, X_test, y_test = load(args.data)
    n = args.train
    return Images(X[:n], y[:n]), Images(X[n:], y[n:]), Images(X_test, y_test)


def main(argv: list[str] | None = None) -> int:
    """Print the tables."""
    args = parse(argv, __doc__, n_epochs=8)
    training, held_out, test = split(args)
    print_machine()
    print(
        f"training {training.X.shape}, held out {held_out.X.shape}, test "
        f"{test.X.shape}, {args.epochs} epochs, seeds {args.seeds}"
    )
    print_head("flip", "held out", "CPU seconds of a fit")
    flips = compare(FLIPS, training, held_out, args)
    flip = best_of(flips)
    cases = {name: [*FLIPS[flip], *own] for name, own in FILLS.items()}
    print_head(f"{flip}, and", "held out", "CPU seconds of a fit")
    fills = {"no shift": flips[flip], **compare(cases, training, held_out, args)}
    fill = best_of(fills)
    models = fills[fill].models

    print_head(f"{flip}, {fill}; mean over", "held out", "CPU seconds of a prediction")
    scores = {}
    for versions in VERSIONS:
        start = time.process_time()
        scores[versions] = [m.score(*held_out) for m in with_versions(models, versions)]
        seconds = (time.process_time() - start) / len(models)
        print(f"| {versions} | {in_percent(scores[versions])} | {seconds:.2f} |")
    chosen = max(scores, key=lambda versions: np.mean(scores[versions]))

    print_head("chosen on held-out images", "test")
    plain = [model.score(*test) for model in flips["no flip"].models]
    print(f"| no flip | {in_percent(plain)} |")
    for versions in dict.fromkeys((None, chosen)):
        own = [model.score(*test) for model in with_versions(models, versions)]
        print(f"| {flip}, {fill}; mean over {versions} | {in_percent(own)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
