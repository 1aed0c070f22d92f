"""Overfit a small training set, and measure how much each remedy helps.

    python examples/overfitting.py [--plot overfitting.png]

A convolutional network learns from 200 digits. A fifth of them have a random label, and
so has a fifth of the test set: no model can have an accuracy above 82 %. The network
has dozens of weights per digit, and soon memorizes all labels, including the wrong
ones. The loss on new digits decreases to a minimum and then increases, since the
network becomes more and more certain, even if it is wrong. The gap between the losses
on the test set and the training set measures the overfitting.

Each row of the table changes one thing, the last row two. All numbers are means over
three random training sets. The strengths of the remedies were chosen on other training
sets.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _command_line import picture_file
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from skconvnet import ConvNetClassifier
from skconvnet.augmentation import Affine

N_FEW, N_MORE = 200, 800
WRONG = 0.2
EPOCHS = 60
SEEDS = (10, 11, 12)
MORE = "four times the data"

WARP = Affine(rotation=10, scaling=0.1, shift=1)
REMEDIES: dict[str, dict] = {
    "none": {},
    "L2": {"alpha": 0.3},
    "L1": {"alpha": 0.03, "l1_ratio": 1.0},
    "dropout": {"dropout": 0.5},
    "augmentation": {"augmentation": WARP},
    # This takes a fifth of the training set.
    "early stopping": {
        "early_stopping": True,
        "validation_fraction": 0.2,
        "scoring": "neg_log_loss",
        "n_iter_no_change": 10,
    },
    "averaging": {"averaging": 0.995},
    # As many updates as with the smaller training set.
    MORE: {"max_iter": EPOCHS * N_FEW // N_MORE},
    "dropout, augmentation": {"dropout": 0.2, "augmentation": WARP},
}


class Result(NamedTuple):
    """Losses and accuracies on the training and the test set, and epochs trained."""

    train_loss: float
    test_loss: float
    train_accuracy: float
    test_accuracy: float
    epochs: float

    @property
    def gap(self) -> float:
        """How much larger the loss is on new digits."""
        return self.test_loss - self.train_loss


def load(seed: int) -> list[np.ndarray]:
    """Return training images, test images, and their labels."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(len(y)) < WRONG, rng.integers(0, 10, len(y)), y)
    return train_test_split(X, y, train_size=N_MORE, random_state=seed, stratify=y)


def fit(remedy: str, seed: int) -> tuple[ConvNetClassifier, Result]:
    """Train with a remedy and evaluate each epoch; return the model and the results."""
    X, X_test, y, y_test = load(seed)
    n = N_MORE if remedy == MORE else N_FEW
    X, y = X[:n], y[:n]
    params = {"n_iter_no_change": np.inf, **REMEDIES[remedy]}
    model = ConvNetClassifier(
        filters=16,
        hidden_layer_sizes=64,
        # Nothing that regularizes already.
        alpha=0.0,
        batch_norm=False,
        learning_rate="constant",
        batch_size=20,
        learning_rate_init=0.003,
        max_iter=EPOCHS,
        random_state=seed,
    ).set_params(**params)
    # Scoring a validation set does not influence training, except with early stopping,
    # for which the test set must not be used.
    watched = {} if model.early_stopping else {"X_val": X_test, "y_val": y_test}
    with warnings.catch_warnings():
        # The number of epochs is deliberate.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y, **watched)
    sets = (X, y), (X_test, y_test)
    losses = [
        log_loss(labels, model.predict_proba(images), labels=model.classes_)
        for images, labels in sets
    ]
    accuracies = [model.score(*part) for part in sets]
    return model, Result(*losses, *accuracies, model.n_iter_)


def plot(
    results: dict[str, Result], curves: dict[str, list[float]], file: Path
) -> None:
    """Draw both losses with each remedy, and the test loss by epoch."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = list(results)
    at = np.arange(len(names))
    left.barh(at - 0.2, [r.train_loss for r in results.values()], 0.4, label="training")
    left.barh(at + 0.2, [r.test_loss for r in results.values()], 0.4, label="test")
    left.set_yticks(at, names)
    left.invert_yaxis()
    left.set(title="loss after training", xlabel="log loss")
    left.legend()
    for name, curve in curves.items():
        right.plot(range(1, len(curve) + 1), curve, label=name)
    right.set(title="one drawing", xlabel="epoch", ylabel="test loss")
    right.legend()
    figure.savefig(file, dpi=100)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print the effect of each remedy, and draw it if requested."""
    file = picture_file(__doc__, argv)
    print(f"{N_FEW} digits, {WRONG:.0%} of the labels drawn at random")
    heads = ("train loss", "test loss", "gap", "train acc.", "test acc.", "epochs")
    print(f"{'remedy':<22}" + "".join(f"{head:>12}" for head in heads))
    results, curves = {}, {}
    for remedy in REMEDIES:
        runs = [fit(remedy, seed) for seed in SEEDS]
        mean = Result(*np.mean([result for _, result in runs], axis=0))
        results[remedy] = mean
        if not runs[0][0].early_stopping:
            curves[remedy] = runs[0][0].validation_loss_curve_
        losses = f"{mean.train_loss:12.3f}{mean.test_loss:12.3f}{mean.gap:12.3f}"
        accuracies = f"{mean.train_accuracy:12.3f}{mean.test_accuracy:12.3f}"
        print(f"{remedy:<22}{losses}{accuracies}{mean.epochs:12.0f}", flush=True)
    if file:
        plot(results, curves, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
