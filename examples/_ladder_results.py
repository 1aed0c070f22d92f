"""The results of the MNIST ladder, in a CSV file, as a table and as a picture."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from _mnist_rungs import Rung


@dataclass(frozen=True)
class Result:
    """What a network reached, and what it took.

    Attributes
    ----------
    rung : str
    seed, epochs : int
    measured_on : str
        "test" or "validation".
    accuracy : float
        In percent.
    seconds : float
        The epochs times the median time of an epoch.
    weights : int
    """

    rung: str
    seed: int
    epochs: int
    measured_on: str
    accuracy: float
    seconds: float
    weights: int

    def is_of(self, rung: str, seed: int, epochs: int, measured_on: str) -> bool:
        """Whether it is the result of this training."""
        own = (self.rung, self.seed, self.epochs, self.measured_on)
        return own == (rung, seed, epochs, measured_on)


_TYPES = {"int": int, "float": float, "str": str}


def read_results(path: Path) -> list[Result]:
    """Return the results of earlier runs."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [
            Result(**{f.name: _TYPES[str(f.type)](row[f.name]) for f in fields(Result)})
            for row in csv.DictReader(file)
        ]


def append_result(path: Path, result: Result) -> None:
    """Add a line to the file, which is created if there is none."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        names = [f.name for f in fields(Result)]
        writer = csv.DictWriter(file, names, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerow(asdict(result))


def by_rung(results: Iterable[Result]) -> dict[str, list[Result]]:
    """Return the results of all seeds of each rung."""
    groups = defaultdict(list)
    for result in results:
        groups[result.rung].append(result)
    return dict(groups)


def print_table(results: Iterable[Result], rungs: Mapping[str, Rung]) -> None:
    """Print the mean over the seeds beside the printed accuracy."""
    print(
        f"{'rung':<5}{'change':<27}{'book':>6}{'ours':>7}{'std':>6}"
        f"{'seeds':>6}{'epochs':>7}{'minutes':>8}{'weights':>10}"
    )
    for name, own in by_rung(results).items():
        accuracies = [result.accuracy for result in own]
        std = f"{np.std(accuracies, ddof=1):.2f}" if len(own) > 1 else ""
        minutes = np.mean([result.seconds for result in own]) / 60
        print(
            f"{name:<5}{rungs[name].change:<27}{rungs[name].printed:6.2f}"
            f"{np.mean(accuracies):7.2f}{std:>6}{len(own):6}{own[0].epochs:7}"
            f"{minutes:8.1f}{own[0].weights:10,}"
        )


def draw(results: Iterable[Result], rungs: Mapping[str, Rung], file: Path) -> None:
    """Draw accuracy against training time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for name, own in by_rung(results).items():
        minutes = np.mean([result.seconds for result in own]) / 60
        accuracy = np.mean([result.accuracy for result in own])
        axes.plot(minutes, accuracy, "o", color="C0")
        axes.plot(minutes, rungs[name].printed, "_", color="C1", markersize=14)
        axes.annotate(
            f"{name}: {rungs[name].change}",
            (minutes, accuracy),
            xytext=(6, 4),
            textcoords="offset points",
            fontsize="small",
        )
    axes.plot([], [], "o", color="C0", label="skconvnet")
    axes.plot([], [], "_", color="C1", markersize=14, label="the book")
    axes.set(xscale="log", xlabel="minutes of training", ylabel="accuracy in percent")
    axes.legend(loc="lower right")
    figure.savefig(file)
