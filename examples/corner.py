"""Find a shape anywhere in a picture, having seen it at a single position.

    python examples/corner.py [--plot corner.png]

The pictures have 4x4 pixels. At one of the nine positions of a square of 2x2, some
pixels are set, in any of the 16 possible ways. The question is whether they form a
corner:

    ##
    .#

A dense network that saw shapes only in the middle has learned nothing about the other
pixels, which were never set: their weights are still the initial ones. In a
convolutional network, every position has the same weights, and the largest response is
the same wherever the shape is: what it has learned about the middle applies to all
positions.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.metrics import balanced_accuracy_score

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, GlobalMaxPool

SIZE = 4
CORNER = np.array([[1, 1], [0, 1]])
SHAPES = np.array(list(product([0, 1], repeat=4))).reshape(-1, 2, 2)
PLACES = list(product(range(SIZE - 1), repeat=2))
MIDDLE = [(1, 1)]
TRAINED_ON = {
    "the middle": MIDDLE,
    "the middle and four sides": [*MIDDLE, (0, 1), (1, 0), (1, 2), (2, 1)],
}
NETWORKS = {
    "dense": [("flatten", Flatten()), ("hidden", Dense(32, "relu"))],
    # "full" padding: every window that touches a shape is there, wherever it is.
    "convolutional": [
        ("conv", Conv2D(16, 2, padding="full", activation="relu")),
        ("anywhere", GlobalMaxPool()),
    ],
}
N_STARTS = 10


def pictures(places: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Return every shape at each of `places`, and whether it is the corner."""
    X = np.zeros((len(places), len(SHAPES), SIZE, SIZE))
    for images, (row, column) in zip(X, places, strict=True):
        images[:, row : row + 2, column : column + 2] = SHAPES
    is_corner = (SHAPES == CORNER).all(axis=(1, 2))
    return X.reshape(-1, SIZE, SIZE), np.tile(is_corner, len(places))


def fit(
    network: str, places: list[tuple[int, int]], start: int = 0
) -> SequentialClassifier:
    """Train on `places`, from the weights numbered `start`."""
    model = SequentialClassifier(
        NETWORKS[network],
        solver="lbfgs",
        # One shape in 16 is the corner.
        class_weight="balanced",
        # Without a penalty, only the pictures change a weight.
        alpha=0.0,
        random_state=start,
    )
    return model.fit(*pictures(places))


def accuracies(network: str, places: list[tuple[int, int]]) -> np.ndarray:
    """Return the mean accuracy at positions seen in training, and at all others.

    The corner has the same weight as all other shapes together: guessing gives 0.5.
    """
    others = [place for place in PLACES if place not in places]
    values = []
    for start in range(N_STARTS):
        model = fit(network, places, start)
        for tested in (places, others):
            X, y = pictures(tested)
            values.append(balanced_accuracy_score(y, model.predict(X)))
    return np.reshape(values, (N_STARTS, 2)).mean(axis=0)


def unchanged_cells(model: SequentialClassifier) -> np.ndarray:
    """Return the pixels whose weights have not changed since training started."""
    start = SequentialClassifier(**model.get_params(deep=False))
    start.initialize(*pictures(MIDDLE))
    before = start.get_weights()["hidden/kernel"]
    after = model.get_weights()["hidden/kernel"]
    return (before == after).all(axis=1).reshape(SIZE, SIZE)


def corner_everywhere(model: SequentialClassifier) -> np.ndarray:
    """Return the predicted probability of a corner at each position."""
    X, y = pictures(PLACES)
    return model.predict_proba(X[y])[:, 1].reshape(SIZE - 1, SIZE - 1)


def plot(models: dict[str, SequentialClassifier], file: Path) -> None:
    """Draw the corner at every position, with the probability that each model gives."""
    from matplotlib.figure import Figure

    X, y = pictures(PLACES)
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for rows, (name, model) in zip(
        figure.subplots(len(models), len(PLACES)), models.items(), strict=True
    ):
        probabilities = corner_everywhere(model).ravel()
        for axis, picture, place, p in zip(
            rows, X[y], PLACES, probabilities, strict=True
        ):
            axis.imshow(picture, cmap="gray_r")
            axis.set(xticks=[], yticks=[], title=f"{p:.2f}")
            axis.spines[:].set_color("tab:green" if p > 0.5 else "tab:red")
            axis.spines[:].set_linewidth(3)
            if place in MIDDLE:
                axis.set_xlabel("trained on")
        rows[0].set_ylabel(name)
    figure.suptitle("Probability of a corner, trained on the middle alone")
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print where each network finds the corner, and draw it if requested."""
    file = picture_file(__doc__, argv)
    print(f"Accuracy, mean of {N_STARTS} trainings; to guess is 0.5")
    print(f"  {'trained on':<27}{'network':<15}{'there':>7}{'elsewhere':>11}")
    elsewhere = {}
    for (trained, places), name in product(TRAINED_ON.items(), NETWORKS):
        seen, elsewhere[trained, name] = accuracies(name, places)
        print(f"  {trained:<27}{name:<15}{seen:7.3f}{elsewhere[trained, name]:11.3f}")
    models = {name: fit(name, MIDDLE) for name in NETWORKS}
    print("\nTrained on the middle: probability of a corner, by where it is")
    for name, model in models.items():
        print(f"  {name}")
        for line in corner_everywhere(model):
            print("    " + " ".join(f"{p:.3f}" for p in line))
    print("\nCells whose weights in the dense network are as they were: .")
    for line in unchanged_cells(models["dense"]):
        print("    " + " ".join(".#"[not same] for same in line))
    if file:
        plot(models, file)
    dense, convolutional = (elsewhere["the middle", name] for name in NETWORKS)
    return 0 if dense < 0.75 and convolutional > 0.99 else 1


if __name__ == "__main__":
    sys.exit(main())
