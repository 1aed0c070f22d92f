"""Show the decision boundaries of one small network with different activations.

    python examples/decision_boundaries.py [--plot boundaries.png]

The data are two half moons of noisy points; the network has two hidden layers of ten
units. With the identity the boundary is a straight line, with piecewise linear
activations it is made of straight pieces, and with smooth ones it is curved.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.datasets import make_moons
from sklearn.model_selection import train_test_split

from skconvnet import MLPClassifier

ACTIVATIONS = ["identity", "logistic", "tanh", "relu", "elu", "gelu"]
ROWS, COLUMNS = 16, 44


def load() -> list[np.ndarray]:
    """Return X_train, X_test, y_train and y_test."""
    X, y = make_moons(600, noise=0.2, random_state=0)
    return train_test_split(X, y, random_state=0)


def fit(activation: str, X: np.ndarray, y: np.ndarray) -> MLPClassifier:
    """Train two hidden layers of ten units with this activation."""
    return MLPClassifier(
        (10, 10),
        activation=activation,
        solver="lbfgs",
        alpha=0.1,
        max_iter=2000,
        random_state=0,
    ).fit(X, y)


def grid_over(X: np.ndarray, rows: int, columns: int) -> tuple[np.ndarray, ...]:
    """Return the x and y coordinates of a grid that covers X, with a margin."""
    low, high = X.min(axis=0) - 0.3, X.max(axis=0) + 0.3
    return np.linspace(low[0], high[0], columns), np.linspace(low[1], high[1], rows)


def classes_on(model: MLPClassifier, across: np.ndarray, up: np.ndarray) -> np.ndarray:
    """Return the predicted class of each point of a grid, shaped (up, across)."""
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    return model.predict(points).reshape(len(up), len(across))


def picture(model: MLPClassifier, X: np.ndarray) -> list[str]:
    """Return lines of characters, "#" where the model predicts class 1."""
    classes = classes_on(model, *grid_over(X, ROWS, COLUMNS))
    return ["".join(".#"[c] for c in row) for row in classes[::-1]]


def print_pictures(models: dict[str, MLPClassifier], X: np.ndarray) -> None:
    """Print the boundaries of the models, two side by side."""
    for pair in zip(list(models)[::2], list(models)[1::2], strict=True):
        print("\n" + "   ".join(f"{name:<{COLUMNS}}" for name in pair).rstrip())
        for lines in zip(*(picture(models[name], X) for name in pair), strict=True):
            print("   ".join(lines))


def plot(
    models: dict[str, MLPClassifier],
    accuracies: dict[str, float],
    X: np.ndarray,
    y: np.ndarray,
    file: Path,
) -> None:
    """Draw the boundary of each model and the test points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    across, up = grid_over(X, 300, 300)
    points = np.stack(np.meshgrid(across, up), axis=-1).reshape(-1, 2)
    for axes, (name, model) in zip(
        figure.subplots(2, len(models) // 2).ravel(), models.items(), strict=True
    ):
        shares = model.predict_proba(points)[:, 1].reshape(300, 300)
        axes.contourf(across, up, shares, 20, cmap="RdBu", alpha=0.6)
        axes.contour(across, up, shares, [0.5], colors="k")
        axes.scatter(*X.T, c=y, cmap="RdBu", edgecolor="k", s=12)
        axes.set_title(f"{name}: {accuracies[name]:.3f}")
        axes.set_axis_off()
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print accuracies and boundaries, and draw them if requested."""
    file = picture_file(__doc__, argv)
    X_train, X_test, y_train, y_test = load()
    print(f"Two half moons, {len(X_train)} points to train on, {len(X_test)} to test")
    print("  activation  training accuracy  test accuracy  iterations")
    models, accuracies = {}, {}
    for name in ACTIVATIONS:
        model = models[name] = fit(name, X_train, y_train)
        accuracies[name] = model.score(X_test, y_test)
        print(
            f"  {name:<10}  {model.score(X_train, y_train):17.3f}"
            f"  {accuracies[name]:13.3f}  {model.n_iter_:10}"
        )
    print_pictures(models, X_train)
    if file:
        plot(models, accuracies, X_test, y_test, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
