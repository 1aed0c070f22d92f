"""Solve two tasks on sequences that are twice as long as those of training.

    python examples/longer_sequences.py [--plot lengths.png]

Parity: is the number of ones in a sequence of bits odd? Adding: of a sequence of
numbers, two are marked; what is their sum? Both need a memory that is updated at each
step. A recurrent layer has one, with the same weights at every step, so that what it
has learned holds for sequences of any length. A network of convolutions sees a few
steps at a time, and keeps their mean.

Training sequences differ in length, and are passed as a list.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from _command_line import picture_file

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import GRU, Conv1D, GlobalAvgPool

Data: TypeAlias = tuple[list[np.ndarray], np.ndarray]

N_TRAIN, N_TEST = 3000, 500
LAYERS = {
    "GRU": [GRU(24)],
    "convolutions": [
        Conv1D(32, 5, padding="same", activation="relu"),
        Conv1D(32, 5, padding="same", activation="relu"),
        GlobalAvgPool(),
    ],
}


def bits_and_parity(rng: np.random.Generator, lengths: np.ndarray) -> Data:
    """Return sequences of bits, and whether each has an odd number of ones."""
    X = [rng.integers(0, 2, (n, 1)).astype(np.float32) for n in lengths]
    return X, np.array([x.sum() % 2 == 1 for x in X])


def numbers_and_sum(rng: np.random.Generator, lengths: np.ndarray) -> Data:
    """Return sequences of numbers and marks, and the sum of the two marked numbers."""
    X = []
    for n in lengths:
        marks = np.zeros(n)
        marks[rng.permutation(n)[:2]] = 1
        X.append(np.stack([rng.uniform(size=n), marks], axis=1).astype(np.float32))
    return X, np.array([x[:, 0] @ x[:, 1] for x in X])


@dataclass(frozen=True)
class Task:
    """What is to be learned, and on which lengths.

    Attributes
    ----------
    draw : callable
    estimator : type
    shortest, longest : int
        Lengths of the training sequences.
    unit : str
        What `score` of the estimator returns.
    """

    draw: Callable[[np.random.Generator, np.ndarray], Data]
    estimator: type[SequentialClassifier | SequentialRegressor]
    shortest: int
    longest: int
    unit: str

    def training_set(self) -> Data:
        """Return sequences of all lengths of training."""
        rng = np.random.default_rng(0)
        lengths = rng.integers(self.shortest, self.longest + 1, N_TRAIN)
        return self.draw(rng, lengths)

    def test_set(self, length: int) -> Data:
        """Return sequences of one length."""
        return self.draw(np.random.default_rng(length), np.full(N_TEST, length))

    @property
    def lengths(self) -> list[int]:
        """The lengths to test: up to that of training, and up to twice that."""
        longest = self.longest
        return [longest // 2, longest, longest * 3 // 2, longest * 2]


TASKS = {
    "parity": Task(bits_and_parity, SequentialClassifier, 1, 10, "accuracy"),
    "adding": Task(numbers_and_sum, SequentialRegressor, 5, 30, "R^2"),
}


def scores_by_length(task: Task, layers: str) -> dict[int, float]:
    """Train a network, and return its score for each length."""
    model = task.estimator(
        LAYERS[layers],
        batch_size=64,
        max_iter=30,
        learning_rate="cosine",
        learning_rate_init=0.02 if task.estimator is SequentialClassifier else 0.01,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=0,
    )
    model.fit(*task.training_set())
    return {n: float(model.score(*task.test_set(n))) for n in task.lengths}


def plot(results: dict[str, dict[str, dict[int, float]]], file: Path) -> None:
    """Draw the scores by length, with the lengths of training shaded."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.5), layout="constrained")
    axes = figure.subplots(1, len(results), squeeze=False)[0]
    for own, (name, by_layers) in zip(axes, results.items(), strict=True):
        task = TASKS[name]
        own.axvspan(task.shortest, task.longest, alpha=0.15, label="training")
        for layers, scores in by_layers.items():
            own.plot(list(scores), list(scores.values()), "o-", label=layers)
        own.set(title=name, xlabel="length", ylabel=task.unit, ylim=(-0.05, 1.05))
        own.legend()
    figure.savefig(file)
    print(f"\nDrawn to {file}")


def main(argv: list[str] | None = None) -> int:
    """Print the scores by length, and draw them if requested."""
    file = picture_file(__doc__, argv)
    results = {}
    for name, task in TASKS.items():
        results[name] = {own: scores_by_length(task, own) for own in LAYERS}
        print(f"\n{name}, trained on {task.shortest} to {task.longest} steps")
        columns = "".join(f"{n:>10}" for n in task.lengths)
        print(f"  {task.unit + ' at':<14}{columns}")
        for own, scores in results[name].items():
            print(f"  {own:<14}" + "".join(f"{s:10.3f}" for s in scores.values()))
    if file:
        plot(results, file)
    solved = [results[name]["GRU"][TASKS[name].longest * 2] for name in TASKS]
    others = [results[name]["convolutions"][TASKS[name].longest * 2] for name in TASKS]
    return 0 if min(solved) > 0.9 > max(others) else 1


if __name__ == "__main__":
    sys.exit(main())
