"""Compare all optimizers on a curved valley and on a network for the digits.

    python examples/optimizers.py [--plot optimizers.png]

The valley is Rosenbrock's function of two weights, (1 - x)^2 + 20 (y - x^2)^2. Its
floor follows a parabola and descends slowly to the minimum of 0 at (1, 1), while its
walls are steep: a rate that suits the walls is too small for the floor. An optimizer
changes any flat vector of weights in place, so it can be used here without an
estimator.

Then a perceptron learns the digits with each optimizer. An optimizer is only as good as
its learning rate: all choose from the same list of rates, and are shown with the rate
that reached the lowest value. `AdamW` also pulls all weights toward zero, and does not
end at the minimum. L-BFGS, which has no rate, evaluates the whole function before each
step. `Muon` is left out: it treats hidden kernels as matrices, and there are none here.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skconvnet import MLPClassifier
from skconvnet.optimizers import (
    LBFGS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Nadam,
    Optimizer,
    RMSprop,
    ScheduleFreeAdamW,
)

OPTIMIZERS: dict[str, Optimizer] = {
    "SGD": SGD(momentum=0.0),
    "SGD, momentum": SGD(momentum=0.9),
    "SGD, Nesterov": SGD(momentum=0.9, nesterov=True),
    "RMSprop": RMSprop(),
    "Adagrad": Adagrad(),
    "Adadelta": Adadelta(),
    "Adam": Adam(),
    "AdamW": AdamW(),
    "Nadam": Nadam(),
    "Adamax": Adamax(),
    "schedule-free AdamW": ScheduleFreeAdamW(),
}
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
START, MINIMUM = (-1.2, 1.0), (1.0, 1.0)
STEPS = 300
EPOCHS = 10


def valley(weights: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the value at `weights`, and the gradient."""
    x, y = weights
    across = y - x * x
    value = (1 - x) ** 2 + 20 * across**2
    return value, np.array([-2 * (1 - x) - 80 * x * across, 40 * across])


def descend(optimizer: Optimizer, rate: float, n_steps: int) -> np.ndarray:
    """Return the positions at the start and after each step, (n_steps + 1, 2).

    After a step that overflows, the remaining positions are nan.
    """
    optimizer = clone(optimizer)
    weights = np.array(START)
    path = np.full((n_steps + 1, 2), np.nan)
    path[0] = weights
    for k in range(n_steps):
        optimizer.step(weights, valley(weights)[1], rate)
        if np.abs(weights).max() > 1e6:
            break
        # Some optimizers predict with weights other than those in training.
        if not optimizer.average(weights, out=path[k + 1]):
            path[k + 1] = weights
    return path


def best_descent(optimizer: Optimizer) -> tuple[float, np.ndarray]:
    """Return the rate that reaches the lowest value, and its path."""
    paths = {rate: descend(optimizer, rate, STEPS) for rate in RATES}
    ends = {rate: valley(path[-1])[0] for rate, path in paths.items()}
    rate = min(RATES, key=lambda rate: (np.isnan(ends[rate]), ends[rate]))
    return rate, paths[rate]


def search() -> np.ndarray:
    """Return the start and the points that L-BFGS evaluated."""
    path = []

    def watched(weights: np.ndarray) -> tuple[float, np.ndarray]:
        path.append(weights.copy())
        return valley(weights)

    LBFGS().minimize(watched, np.array(START), max_iter=STEPS, tol=1e-6)
    return np.array(path)


def load() -> list[np.ndarray]:
    """Return the digits, from 0 to 1, split into training and test set."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0, stratify=y)


def fit(
    optimizer: Optimizer, rate: float, X: np.ndarray, y: np.ndarray
) -> MLPClassifier | None:
    """Train for a few epochs; return None if training diverged."""
    model = MLPClassifier(
        32,
        solver=optimizer,
        learning_rate_init=rate,
        alpha=0.0,
        batch_size=32,
        max_iter=EPOCHS,
        n_iter_no_change=np.inf,
        random_state=0,
    )
    with warnings.catch_warnings():
        # All have the same number of epochs, whether or not it is enough.
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            return model.fit(X, y)
        except ValueError:
            return None


def best_fit(optimizer: Optimizer, X: np.ndarray, y: np.ndarray) -> MLPClassifier:
    """Return the model with the rate that gives the lowest training loss."""
    models = [fit(optimizer, rate, X, y) for rate in RATES]
    return min((m for m in models if m is not None), key=lambda m: m.loss_)


def plot(
    paths: dict[str, np.ndarray], models: dict[str, MLPClassifier], file: Path
) -> None:
    """Draw the paths in the valley, and the losses on the digits."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(16, 8), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(5, 3))
    x, y = np.meshgrid(np.linspace(-1.7, 1.7, 120), np.linspace(-0.6, 1.9, 120))
    heights = np.log10(valley((x, y))[0] + 1e-4)
    panels = left.subplots(3, -(-len(paths) // 3), sharex=True, sharey=True).flat
    for axes, (name, points) in zip(panels, paths.items(), strict=False):
        axes.contourf(x, y, heights, levels=20, cmap="Greys")
        axes.plot(*points.T, ".-", color="tab:red", markersize=3, linewidth=0.8)
        axes.plot(*MINIMUM, "*", color="tab:blue", markersize=9)
        axes.set(xlim=(-1.7, 1.7), ylim=(-0.6, 1.9))
        axes.set_title(name, fontsize=9)
    axes = right.subplots()
    for k, (name, model) in enumerate(models.items()):
        style = ("-", "--")[k // 10]
        label = f"{name}, {model.learning_rate_init:g}"
        axes.semilogy(range(1, EPOCHS + 1), model.loss_curve_, style, label=label)
    axes.set(title="digits, each at its rate", xlabel="epoch", ylabel="training loss")
    axes.legend(fontsize=8)
    figure.savefig(file, dpi=100)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print how far each optimizer gets, and draw its path if requested."""
    file = picture_file(__doc__, argv)

    third = STEPS // 3
    height = valley(np.array(START))[0]
    print(f"The valley: from {height:.2f} at {START}, {STEPS} steps")
    after = "".join(f"{f'after {n}':>12}" for n in (third, 2 * third, STEPS))
    print(f"{'':<21}{'rate':>7}{after}   distance left")
    paths = {}
    for name, optimizer in OPTIMIZERS.items():
        rate, way = best_descent(optimizer)
        values = "".join(f"{valley(way[k * third])[0]:12.2e}" for k in (1, 2, 3))
        distance = np.linalg.norm(way[-1] - MINIMUM)
        print(f"{name:<21}{rate:7g}{values}{distance:16.2g}")
        paths[name] = way
    paths["L-BFGS"] = way = search()
    print(f"{'L-BFGS':<21}{valley(way[-1])[0]:43.2e} in {len(way)} evaluations")

    X_train, X_test, y_train, y_test = load()
    print(f"\n{len(X_train)} digits, a hidden layer of 32: training loss")
    print(f"{'':<21}{'rate':>7}{'epoch 1':>12}{f'epoch {EPOCHS}':>12}   test accuracy")
    models = {}
    for name, optimizer in OPTIMIZERS.items():
        models[name] = model = best_fit(optimizer, X_train, y_train)
        curve = model.loss_curve_
        print(
            f"{name:<21}{model.learning_rate_init:7g}{curve[0]:12.4f}{curve[-1]:12.4f}"
            f"{model.score(X_test, y_test):16.3f}",
            flush=True,
        )
    if file:
        plot(paths, models, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
