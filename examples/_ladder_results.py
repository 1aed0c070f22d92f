"""The results of the MNIST ladder, in a CSV file, as a table and as a picture."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from _mnist_rungs import Rung


class Run(NamedTuple):
    """What tells the trainings of the ladder apart.

    Attributes
    ----------
    rung : str
    seed, epochs : int
    measured_on : str
        "test" or "validation".
    """

    rung: str
    seed: int
    epochs: int
    measured_on: str


class Result(NamedTuple):
    """What a network reached, and what it took.

    Attributes
    ----------
    run : Run
    accuracy : float
        In percent.
    seconds : float
        The epochs times the median time of an epoch. For a vote, those of its networks
        together. The training of a teacher is not included.
    threads : int
        How many threads trained.
    weights : int
    """

    run: Run
    accuracy: float
    seconds: float
    threads: int
    weights: int


_COLUMNS = (*Run._fields, *Result._fields[1:])


def read_results(path: Path) -> dict[Run, Result]:
    """Return the results of earlier runs."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        results = [_parsed(row) for row in csv.DictReader(file)]
    return {result.run: result for result in results}


def _parsed(row: Mapping[str, str]) -> Result:
    run = Run(row["rung"], int(row["seed"]), int(row["epochs"]), row["measured_on"])
    accuracy, seconds = float(row["accuracy"]), float(row["seconds"])
    return Result(run, accuracy, seconds, int(row["threads"]), int(row["weights"]))


def append_result(path: Path, result: Result) -> None:
    """Add a line to the file, which is created if there is none."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(_COLUMNS)
        writer.writerow((*result.run, *result[1:]))


class Summary(NamedTuple):
    """The results of a rung over all seeds.

    Attributes
    ----------
    accuracy, std : float
        In percent. The standard deviation is NaN for a single seed.
    n_seeds, epochs : int
    core_minutes : float
        The mean of the minutes times the threads.
    weights : int
    """

    accuracy: float
    std: float
    n_seeds: int
    epochs: int
    core_minutes: float
    weights: int


def summarize(results: Iterable[Result]) -> dict[str, Summary]:
    """Return a summary of each rung, in the order of the results."""
    by_rung = defaultdict(list)
    for result in results:
        by_rung[result.run.rung].append(result)
    return {rung: _summary(own) for rung, own in by_rung.items()}


def _summary(results: list[Result]) -> Summary:
    accuracies = [result.accuracy for result in results]
    return Summary(
        float(np.mean(accuracies)),
        float(np.std(accuracies, ddof=1)) if len(results) > 1 else np.nan,
        len(results),
        results[0].run.epochs,
        float(np.mean([result.seconds * result.threads for result in results])) / 60,
        results[0].weights,
    )


def print_table(summaries: Mapping[str, Summary], rungs: Mapping[str, Rung]) -> None:
    """Print the mean over the seeds beside the accuracy in the book."""
    print(
        f"{'rung':<9}{'change':<27}{'book':>6}{'ours':>7}{'std':>6}"
        f"{'seeds':>6}{'epochs':>7}{'core min':>9}{'weights':>10}"
    )
    for name, own in summaries.items():
        std = "" if np.isnan(own.std) else f"{own.std:.2f}"
        printed = rungs[name].printed
        book = "" if printed is None else f"{printed:.2f}"
        print(
            f"{name:<9}{rungs[name].change:<27}{book:>6}"
            f"{own.accuracy:7.2f}{std:>6}{own.n_seeds:6}{own.epochs:7}"
            f"{own.core_minutes:9.1f}{own.weights:10,}"
        )


def draw(
    summaries: Mapping[str, Summary], rungs: Mapping[str, Rung], file: Path
) -> None:
    """Draw accuracy against training time, with the standard deviation of the seeds."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    figure = Figure(figsize=(12, 5), layout="constrained")
    axes, names = figure.subplots(1, 2, width_ratios=(4, 1))
    for name, own in summaries.items():
        printed = rungs[name].printed
        spread = np.nan_to_num(own.std)
        axes.errorbar(own.core_minutes, own.accuracy, spread, fmt="o", color="C0")
        if printed is not None:
            axes.plot(own.core_minutes, printed, "_", color="C1", markersize=14)
        is_above = _name_goes_above(name, summaries)
        axes.annotate(
            name,
            (own.core_minutes, own.accuracy + (spread if is_above else -spread)),
            xytext=(0, 6 if is_above else -6),
            textcoords="offset points",
            fontsize="small",
            horizontalalignment="center",
            verticalalignment="bottom" if is_above else "top",
        )
    axes.plot([], [], "o", color="C0", label="skconvnet")
    axes.plot([], [], "_", color="C1", markersize=14, label="the book")
    axes.set(xscale="log", xlabel="minutes of one core", ylabel="accuracy in percent")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(0.08, 0.15)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    names.axis("off")
    legend = "\n".join(f"{name}: {rungs[name].change}" for name in summaries)
    names.text(0, 1, legend, verticalalignment="top", linespacing=1.6)
    figure.savefig(file)


def _name_goes_above(name: str, summaries: Mapping[str, Summary]) -> bool:
    """Return whether a point is better than that nearest in time."""
    own = summaries[name]
    others = [summary for other, summary in summaries.items() if other != name]
    if not others:
        return True
    neighbor = min(
        others, key=lambda other: abs(np.log(other.core_minutes / own.core_minutes))
    )
    theirs = neighbor.accuracy, neighbor.core_minutes
    return (own.accuracy, own.core_minutes) > theirs
