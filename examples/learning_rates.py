"""Compare schedules of the learning rate, and their effect on the loss.

    python examples/learning_rates.py [--plot learning_rates.png]

A perceptron learns the digits by stochastic gradient descent with momentum, with each
schedule and from several initial rates. If the rate stays large, the loss decreases
quickly and then fluctuates, since the minibatches have different gradients. If it stays
small, training does not converge within the given number of epochs. A rate that starts
large and decreases combines the advantages of both. The table has the training loss of
the last epoch, and the test accuracy for the largest rate, as means over a few random
states.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from _command_line import picture_file
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split

from skconvnet import MLPClassifier
from skconvnet.schedules import (
    Adaptive,
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    OneCycle,
    Polynomial,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
)

EPOCHS = 30
RATES = (0.03, 0.1, 0.3)
SEEDS = (0, 1, 2)

SCHEDULES: dict[str, Schedule] = {
    "constant": Constant(),
    "inverse scaling": InverseScaling(power=0.25),
    "divided by 10 twice": StepDecay(every=(15, 24), factor=0.1),
    "exponential": Exponential(factor=0.85),
    "straight line": Polynomial(),
    "cosine": Cosine(),
    "cosine, warm-up": Cosine(warmup_epochs=3),
    "cosine, restarts": Cosine(period=10),
    "one cycle": OneCycle(),
    "on a plateau": ReduceOnPlateau(factor=0.3, patience=2, tol=0.005),
    "adaptive": Adaptive(factor=0.3),
}


def load() -> list[np.ndarray]:
    """Return the digits, from 0 to 1, split into training and test set."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, random_state=0, stratify=y)


def fit(
    schedule: Schedule, rate: float, seed: int, X: np.ndarray, y: np.ndarray
) -> MLPClassifier:
    """Train a hidden layer of 32 units with this schedule."""
    model = MLPClassifier(
        32,
        solver="sgd",
        learning_rate=schedule,
        learning_rate_init=rate,
        alpha=0.0,
        batch_size=32,
        max_iter=EPOCHS,
        # `Adaptive` lowers the rate where training would end otherwise.
        tol=0.005 if isinstance(schedule, Adaptive) else 0.0,
        n_iter_no_change=2 if isinstance(schedule, Adaptive) else np.inf,
        random_state=seed,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


def plot(models: dict[str, MLPClassifier], file: Path) -> None:
    """Draw the rate of each epoch, and the loss below it."""
    from matplotlib.figure import Figure

    columns = -(-len(models) // 2)
    figure = Figure(figsize=(2.6 * columns, 8), layout="constrained")
    panels = figure.subplots(4, columns, sharex=True, sharey="row")
    for axes in panels.flat:
        axes.set_visible(False)
    for k, (name, model) in enumerate(models.items()):
        row, column = divmod(k, columns)
        curves = (model.learning_rate_curve_, model.loss_curve_)
        labels = ("learning rate", "training loss")
        colors = ("tab:blue", "tab:red")
        for half, curve in enumerate(curves):
            axes = panels[2 * row + half, column]
            axes.set_visible(True)
            axes.plot(range(1, len(curve) + 1), curve, color=colors[half])
            if half:
                axes.set_yscale("log")
                axes.set_xlabel("epoch")
            else:
                axes.set_title(name, fontsize=10)
            if not column:
                axes.set_ylabel(labels[half])
    figure.savefig(file, dpi=100)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print the losses with each schedule, and draw them if requested."""
    file = picture_file(__doc__, argv)
    X_train, X_test, y_train, y_test = load()

    print(f"{EPOCHS} epochs on {len(X_train)} digits: training loss in the last")
    heads = "".join(f"{f'from {rate:g}':>11}" for rate in RATES)
    rates = f"rates of epochs 1, {EPOCHS // 2}, {EPOCHS}"
    print(f"{'':<21}{heads}   test accuracy   {rates}")
    drawn = {}
    for name, schedule in SCHEDULES.items():
        losses = []
        for rate in RATES:
            models = [fit(schedule, rate, seed, X_train, y_train) for seed in SEEDS]
            losses.append(np.mean([model.loss_ for model in models]))
        accuracy = np.mean([model.score(X_test, y_test) for model in models])
        drawn[name] = models[0]
        curve = models[0].learning_rate_curve_
        shown = ", ".join(f"{curve[k]:.2g}" for k in (0, EPOCHS // 2 - 1, -1))
        row = "".join(f"{loss:11.4f}" for loss in losses)
        print(f"{name:<21}{row}{accuracy:16.3f}   {shown}", flush=True)
    if file:
        plot(drawn, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
