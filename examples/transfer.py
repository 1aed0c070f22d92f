"""Learn three digits from 50 images, with what was learned from the seven others.

    python examples/transfer.py [--plot transfer.png]

A convolutional network is trained on all digits but 1, 8 and 9. Then 50 images are all
there is to learn these three from. Networks of the same layers start

- from drawn weights ("from scratch"),
- from the weights of the first network, all of which are trained ("fine-tuned"),
- from the same weights, with the convolutions frozen ("frozen").

The output layer is a new one each time, since the classes are others. Finally, a
support vector machine gets the features that the first network computes. All are tested
on the other images of the three digits. The 1,797 images of 8x8 pixels come with
scikit-learn.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skconvnet import FeatureExtractor, SequentialClassifier
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Rescaling,
)

NEW = (1, 8, 9)
N_IMAGES = 50
N_DRAWS = 5
LAYERS = [
    ("scale", Rescaling(1 / 16)),
    ("conv1", Conv2D(16, 3, padding="same")),
    ("norm1", BatchNorm()),
    ("relu1", Activation("relu")),
    ("conv2", Conv2D(32, 3, padding="same")),
    ("norm2", BatchNorm()),
    ("relu2", Activation("relu")),
    ("pool", MaxPool2D(2)),
    ("flatten", Flatten()),
    ("drop", Dropout(0.3)),
    ("dense", Dense(64, activation="relu")),
]
FROZEN = {f"{name}__trainable": False for name in ("conv1", "norm1", "conv2", "norm2")}


def make_network(draw: int = 0) -> SequentialClassifier:
    """Return a network that is not trained, with drawn weights numbered `draw`."""
    network = SequentialClassifier(
        LAYERS,
        max_iter=40,
        batch_size=32,
        learning_rate="cosine",
        learning_rate_init=0.003,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=draw,
    )
    # Networks that share the objects in a list would freeze them for each other.
    return clone(network)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Return the digits, as images of shape (8, 8)."""
    digits = load_digits()
    return digits.images, digits.target


def pretrain(X: np.ndarray, y: np.ndarray) -> SequentialClassifier:
    """Return a network that was trained on all digits but the new ones."""
    is_old = ~np.isin(y, NEW)
    return make_network().fit(X[is_old], y[is_old])


def fine_tuned(
    body: SequentialClassifier,
    X: np.ndarray,
    y: np.ndarray,
    draw: int = 0,
    **frozen: bool,
) -> SequentialClassifier:
    """Return a network that starts from the weights of `body` and learns X and y."""
    network = make_network(draw).set_params(**frozen).initialize(X, y)
    # The output layer has another shape, and is left out.
    network.set_weights(body.get_weights(), strict=False)
    return network.fit(X, y)


def features_and_svc(body: SequentialClassifier) -> Pipeline:
    """Return a support vector machine on what the convolutions of `body` compute."""
    features = FeatureExtractor(body, "pool", prefit=True)
    return make_pipeline(features, StandardScaler(), SVC())


def compare(
    body: SequentialClassifier, X: np.ndarray, y: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the accuracies of each way on the new digits, one per draw of images."""
    is_new = np.isin(y, NEW)
    accuracies: dict[str, list[float]] = {}
    for draw in range(N_DRAWS):
        X_train, X_test, y_train, y_test = train_test_split(
            X[is_new],
            y[is_new],
            train_size=N_IMAGES,
            stratify=y[is_new],
            random_state=draw,
        )
        ways = {
            "from scratch": make_network(draw).fit(X_train, y_train),
            "fine-tuned": fine_tuned(body, X_train, y_train, draw),
            "frozen": fine_tuned(body, X_train, y_train, draw, **FROZEN),
            "features and SVC": features_and_svc(body).fit(X_train, y_train),
        }
        for name, model in ways.items():
            accuracies.setdefault(name, []).append(model.score(X_test, y_test))
    return {name: np.array(values) for name, values in accuracies.items()}


def plot(accuracies: dict[str, np.ndarray], file: Path) -> None:
    """Draw the accuracy of each way for each draw of the images."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    for position, values in enumerate(accuracies.values()):
        axes.plot(values, np.full(len(values), position), "o", alpha=0.4)
        axes.plot(values.mean(), position, "k|", markersize=20)
    axes.set_yticks(range(len(accuracies)), list(accuracies))
    axes.invert_yaxis()
    axes.set(
        xlabel=f"accuracy on {', '.join(map(str, NEW))}",
        title=f"{N_IMAGES} images of new digits, {N_DRAWS} draws and their mean",
    )
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print the accuracies, and draw them if requested."""
    file = picture_file(__doc__, argv)
    X, y = load()
    body = pretrain(X, y)
    accuracies = compare(body, X, y)
    n_old = np.sum(~np.isin(y, NEW))
    print(f"\nTrained on {n_old} images of other digits, then on {N_IMAGES} of {NEW}")
    print(f"  {'':<18}{'accuracy':>9}{'worst draw':>12}")
    for name, values in accuracies.items():
        print(f"  {name:<18}{values.mean():9.3f}{values.min():12.3f}")
    if file:
        plot(accuracies, file)
    scratch, *others = (values.mean() for values in accuracies.values())
    return 0 if min(others) > scratch else 1


if __name__ == "__main__":
    sys.exit(main())
