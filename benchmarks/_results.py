"""Results of models on tasks: kept in a file, and printed as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _machine import machine_lines

OURS = "ConvNet"


@dataclass(frozen=True)
class Result:
    """How one model did on one task with one seed, as means over the folds."""

    task: str
    model: str
    seed: int
    unit: float
    n_train: int
    shape: list[int]
    # None for regression.
    n_classes: int | None
    score: float
    seconds: float
    n_iter: float
    # Each kind of warning or error, and the first words of the first of its kind.
    warnings: dict[str, str]
    data_seed: int = 0
    cpu_seconds: float = np.nan


def read(path: Path | None) -> list[Result]:
    """Return the results of an earlier run."""
    if path is None or not path.exists():
        return []
    return [Result(**result) for result in json.loads(path.read_text())["results"]]


def write(
    path: Path | None, results: list[Result], params: Mapping[str, object]
) -> None:
    """Write the results, and what they were measured with."""
    if path is None:
        return
    content = {
        "machine": machine_lines(),
        "params": {name: repr(value) for name, value in params.items()},
        "results": [asdict(result) for result in results],
    }
    path.write_text(json.dumps(content, indent=1) + "\n")


def print_header(peers: Iterable[str]) -> None:
    """Print the first lines of the table."""
    titles = ["task", "n", "shape", "classes", "unit", "score", "spread", "seconds"]
    titles += ["CPU seconds", "epochs", *peers, "warnings"]
    print("\n| " + " | ".join(titles) + " |")
    print("|" + " --- |" * len(titles), flush=True)


def print_row(ours: list[Result], peers: Mapping[str, list[Result]]) -> None:
    """Print the results of one task in one unit."""
    first = ours[0]
    scores = [result.score for result in ours]
    cells = [
        first.task,
        f"{first.n_train:,}",
        "x".join(map(str, first.shape)),
        str(first.n_classes or "R^2"),
        f"{first.unit:g}",
        f"{np.mean(scores):.3f}",
        f"{np.ptp(scores):.3f}",
        f"{np.mean([result.seconds for result in ours]):.1f}",
        f"{np.mean([result.cpu_seconds for result in ours]):.1f}",
        f"{np.mean([result.n_iter for result in ours]):.0f}",
        *(f"{mean_score(results):.3f}" for results in peers.values()),
        ", ".join(sorted({kind for result in ours for kind in result.warnings})),
    ]
    print("| " + " | ".join(cells) + " |", flush=True)


def print_summary(
    results: list[Result], tasks: Iterable[str], peers: Iterable[str]
) -> None:
    """Print the means over all tasks, and where a peer is better by two points."""
    print()
    for unit in dict.fromkeys(r.unit for r in results if r.model == OURS):
        ours = {
            task: mean_score(found)
            for task in tasks
            if (found := select(results, task, OURS, unit))
        }
        # A score after an error is NaN, and counts as 0.
        mean = np.nan_to_num(list(ours.values())).mean()
        print(f"mean score of {len(ours)} tasks in unit {unit:g}: {mean:.4f}")
        behind = []
        for task, score in ours.items():
            scores = {p: mean_score(select(results, task, p, 1)) for p in peers}
            if scores and not score >= max(scores.values()) - 0.02:
                best = max(scores, key=scores.__getitem__)
                behind.append(f"{task} ({score:.3f}; {best} {scores[best]:.3f})")
        if peers:
            print(f"behind a peer by more than 0.02: {', '.join(behind) or 'none'}")


def mean_score(results: list[Result]) -> float:
    """Return the mean over the seeds."""
    return float(np.mean([result.score for result in results]))


def select(results: list[Result], task: str, model: str, unit: float) -> list[Result]:
    """Return the results of one model on one task in one unit."""
    key = (task, model, unit)
    return [r for r in results if (r.task, r.model, r.unit) == key]
