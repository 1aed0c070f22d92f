"""Twenty small tasks on which default hyperparameters are measured.

X comes as users have it: pixels from 0 to 255 as uint8, digits from 0 to 16, spectra on
a large offset, signals of a thousandth. `TASKS` has the tasks by name, roughly in the
order of their cost. `task.splits(seed, folder)` returns a list of X_train, y_train,
X_test and y_test: several in cross-validation, one otherwise. The seed chooses the
samples, and draws those that are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import _drawn_images as images
import _drawn_series as series
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_sample_images
from sklearn.model_selection import StratifiedKFold

Split: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
Draw: TypeAlias = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]

# The folder of mnist.npz and cifar10-small.npz, each with arrays X_train, y_train,
# X_test and y_test: beside the checkout, as for the tests.
FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True)
class Task:
    """A task: its data, and what has to be said about them to a ConvNet."""

    name: str
    # "image", "rows" or "series": what X consists of.
    kind: str
    # Given the seed and the folder.
    load: Callable[[int, Path], list[Split]]
    regression: bool = False
    # Of the folder, if the task needs one.
    file: str | None = None
    # Hyperparameters of the data, not of learning: for instance, `input_shape`.
    params: dict[str, Any] = field(default_factory=dict)

    def splits(self, seed: int = 0, folder: Path = FOLDER) -> list[Split]:
        """Return one or more of X_train, y_train, X_test and y_test."""
        return self.load(seed, folder)

    def is_available(self, folder: Path = FOLDER) -> bool:
        """Return whether the file that the task needs is there."""
        return self.file is None or (folder / self.file).is_file()


def drawn(name: str, kind: str, draw: Draw, n_train: int, **task: object) -> Task:
    """Return a task of drawn samples, with 1,000 for the test."""

    def load(seed: int, _: Path) -> list[Split]:
        X, y = draw(np.random.default_rng(seed), n_train + 1000)
        return [(X[:n_train], y[:n_train], X[n_train:], y[n_train:])]

    return Task(name, kind, load, **task)


def from_file(name: str, file: str, n_train: int, n_test: int) -> Task:
    """Return a task of images from an .npz file."""

    def load(seed: int, folder: Path) -> list[Split]:
        with np.load(folder / file) as data:
            some = np.random.default_rng(seed).permutation(len(data["y_train"]))
            X, y = data["X_train"][some[:n_train]], data["y_train"][some[:n_train]]
            return [(X, y, data["X_test"][:n_test], data["y_test"][:n_test])]

    return Task(name, "image", load, file=file)


def digits(_: int, __: Path) -> list[Split]:
    """Return the digits of scikit-learn in five folds, in their order."""
    bunch = load_digits()
    folds = StratifiedKFold(5).split(bunch.images, bunch.target)
    return list(_folds(bunch.images, bunch.target, folds))


def few_digits(seed: int, _: Path) -> list[Split]:
    """Return 200 rows of 64 pixels for training, the others for the test."""
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    train, test = order[:200], order[200:]
    return [(X[train], y[train], X[test], y[test])]


def pairs_of_digits(seed: int, _: Path) -> list[Split]:
    """Return two digits side by side, as numbers from 0 to 99.

    Digits of the training set are not in the test set.
    """
    bunch = load_digits()
    rng = np.random.default_rng(seed)
    halves = np.split(rng.permutation(len(bunch.target)), [1200])
    split: list[np.ndarray] = []
    for half, n in zip(halves, (4000, 2000), strict=True):
        left, right = rng.choice(half, (2, n))
        split.append(np.concatenate([bunch.images[left], bunch.images[right]], axis=2))
        split.append(10 * bunch.target[left] + bunch.target[right])
    X_train, y_train, X_test, y_test = split
    return [(X_train, y_train, X_test, y_test)]


def breast_cancer(seed: int, _: Path) -> list[Split]:
    """Return the table of 30 measured features in five folds."""
    X, y = load_breast_cancer(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed).split(X, y)
    return list(_folds(X, y, folds))


def patches(seed: int, _: Path) -> list[Split]:
    """Return patches of two photographs: of their left halves, and of their right."""
    rng = np.random.default_rng(seed)
    photographs = load_sample_images().images
    split: list[np.ndarray] = []
    for side, n in ((0, 400), (1, 1000)):
        labels = rng.integers(2, size=n)
        cut = [_patch(photographs[label], side, rng) for label in labels]
        split += [np.stack(cut), labels]
    X_train, y_train, X_test, y_test = split
    return [(X_train, y_train, X_test, y_test)]


def two_kinds_of_photographs(seed: int, folder: Path) -> list[Split]:
    """Return 200 photographs of the classes 2 and 8 (birds and ships), and others."""
    with np.load(folder / "cifar10-small.npz") as data:
        X = np.concatenate([data["X_train"], data["X_test"]])
        y = np.concatenate([data["y_train"], data["y_test"]])
    order = np.random.default_rng(seed).permutation(np.flatnonzero(np.isin(y, (2, 8))))
    train, test = order[:200], order[200:]
    return [(X[train], y[train], X[test], y[test])]


def _folds(
    X: np.ndarray, y: np.ndarray, folds: Iterator[tuple[np.ndarray, np.ndarray]]
) -> Iterator[Split]:
    for train, test in folds:
        yield X[train], y[train], X[test], y[test]


def _patch(
    photograph: np.ndarray, side: int, rng: np.random.Generator, size: int = 32
) -> np.ndarray:
    height, width = photograph.shape[0], photograph.shape[1] // 2
    top, left = rng.integers(height - size), rng.integers(width - size) + side * width
    return photograph[top : top + size, left : left + size]


MNIST, CIFAR = "mnist.npz", "cifar10-small.npz"
_TASKS = [
    Task("breast-cancer", "rows", breast_cancer),
    Task("digits-200", "rows", few_digits),
    drawn("spectra", "series", series.spectra, 500),
    drawn("waves", "series", series.waves, 500),
    drawn("gestures", "series", series.gestures, 300, params={"input_shape": (100, 3)}),
    drawn("periods", "series", series.periods, 600, regression=True),
    Task("digits", "image", digits),
    from_file("mnist-200", MNIST, 200, 2000),
    Task("cifar-200", "image", two_kinds_of_photographs, file=CIFAR),
    Task("patches", "image", patches),
    drawn("noises", "image", images.noises, 400),
    drawn("textures", "image", images.textures, 600),
    drawn("bars", "image", images.bars, 600, regression=True),
    drawn("discs", "image", images.discs, 800),
    Task("digit-pairs", "image", pairs_of_digits),
    drawn("shapes", "image", images.shapes, 1000),
    from_file("mnist-2000", MNIST, 2000, 5000),
    from_file("cifar-2000", CIFAR, 2000, 1000),
    from_file("cifar-5000", CIFAR, 5000, 1000),
    from_file("mnist-20000", MNIST, 20_000, 10_000),
]
TASKS = {task.name: task for task in _TASKS}
