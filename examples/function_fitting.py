"""Fit a curve with MLPRegressor, with robust losses and a band of quantiles.

    python examples/function_fitting.py [--plot curve.png]

A network with one input and one output is a function of one number. Here it learns
sin(x) + x / 3 from noisy points: with the squared error; with the absolute error and
the Huber loss, which are robust to outliers; and with two quantiles, which enclose a
given fraction of the points.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _command_line import picture_file

from skconvnet import MLPRegressor
from skconvnet.losses import Loss, Quantile

NOISE = 0.2
OUTLIERS = 20
LOW, HIGH = 0.05, 0.95


def curve(x: np.ndarray) -> np.ndarray:
    """Return the function to fit."""
    return np.sin(x) + x / 3


def load(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return points of the curve with normal noise."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-5, 5, n)
    return x[:, None], curve(x) + NOISE * rng.normal(size=n)


def with_outliers(y: np.ndarray, seed: int = 1) -> np.ndarray:
    """Return a copy of y with some points far above the curve."""
    y = y.copy()
    y[np.random.default_rng(seed).choice(len(y), OUTLIERS, replace=False)] += 15
    return y


def make_model(loss: str | Loss) -> MLPRegressor:
    """Return a network with two hidden layers of 40 units and this loss."""
    return MLPRegressor(
        loss=loss,
        hidden_layer_sizes=(40, 40),
        activation="tanh",
        alpha=1e-3,
        batch_size=50,
        learning_rate_init=0.005,
        max_iter=600,
        tol=1e-4,
        n_iter_no_change=40,
        random_state=0,
    )


def error(model: MLPRegressor, x: np.ndarray) -> float:
    """Return the root mean square distance from the curve without noise."""
    return float(np.sqrt(np.mean((model.predict(x[:, None]) - curve(x)) ** 2)))


def print_values(models: dict[str, MLPRegressor], x: np.ndarray) -> None:
    """Print the curve and what each model predicts at these points."""
    print("       x    curve" + "".join(f"{name:>16}" for name in models))
    for value in x:
        row = "".join(f"{m.predict([[value]])[0]:16.3f}" for m in models.values())
        print(f"  {value:6.2f}  {curve(value):7.3f}{row}")


def covered(
    low: MLPRegressor, high: MLPRegressor, x: np.ndarray, y: np.ndarray
) -> float:
    """Return the fraction of points between two fitted quantiles."""
    return float(np.mean((low.predict(x) <= y) & (y <= high.predict(x))))


def plot(
    panels: list[tuple[str, np.ndarray, dict[str, Callable]]],
    x: np.ndarray,
    file: Path,
) -> None:
    """Draw the points and the fits of each panel."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.8), layout="constrained")
    line = np.linspace(-5, 5, 400)
    for axes, (title, y, functions) in zip(
        figure.subplots(1, len(panels)), panels, strict=True
    ):
        axes.plot(x, y, ".", color="0.7")
        axes.plot(line, curve(line), "k--", label="curve")
        for name, function in functions.items():
            axes.plot(line, function(line[:, None]), label=name)
        axes.set_title(title)
        axes.legend()
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print how close the fits are to the curve, and draw them if requested."""
    file = picture_file(__doc__, argv)
    X, y = load()
    x = np.linspace(-4.8, 4.8, 200)

    print(f"{len(X)} points of sin(x) + x / 3, with noise of {NOISE}")
    plain = make_model("squared_error").fit(X, y)
    print(f"  R^2 {plain.score(X, y):.4f}, {plain.n_iter_} epochs")
    print(f"  distance from the curve itself (rms): {error(plain, x):.3f}")
    print_values({"fitted": plain}, np.linspace(-4.5, 4.5, 7))

    print(f"\n{OUTLIERS} of the points moved up by 15")
    y_outliers = with_outliers(y)
    robust = {
        name: make_model(name).fit(X, y_outliers)
        for name in ("squared_error", "huber", "absolute_error")
    }
    for name, model in robust.items():
        print(f"  {name:<15} distance from the curve (rms): {error(model, x):.3f}")

    print(f"\nQuantiles {LOW} and {HIGH}")
    band = {q: make_model(Quantile(q)).fit(X, y) for q in (LOW, HIGH)}
    share = covered(*band.values(), X, y)
    print(f"  of the points between them: {share:.3f}, wanted {HIGH - LOW:.3f}")
    X_new, y_new = load(2000, seed=2)
    print(f"  of 2000 new points: {covered(*band.values(), X_new, y_new):.3f}")

    if file:
        panels = [
            ("squared error", y, {"fitted": plain.predict}),
            ("outliers", y_outliers, {n: m.predict for n, m in robust.items()}),
            ("quantiles", y, {f"{q}": m.predict for q, m in band.items()}),
        ]
        plot(panels, X[:, 0], file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
