"""Measure the default hyperparameters of ConvNets on twenty small tasks.

    python benchmarks/defaults.py [--tasks digits waves ...] [--seeds 0 1]
                                  [--unit 1 16 0.016] [--params '{"solver": "sgd"}']
                                  [--peers] [--json FILE] [--data FOLDER]

The tasks are described in tasks.py and come as users have them: nothing is scaled. The
score is the accuracy, or R^2 for regression, on samples that were not used for
training. It is the mean over the seeds of the network, the spread is the difference
between the best and the worst, and the seconds are those of one fit; those of the CPU
are of all threads together, and depend less on other processes. With --unit, X is
multiplied by each number in turn, which should make no difference. With --peers, the
table also has scikit-learn's perceptron and support vector machine, each behind a
StandardScaler, and its random forest, with their defaults. All results are written to
the file given with --json after each task, and peers that are already there are not run
again.

Tasks on MNIST and CIFAR-10 need mnist.npz and cifar10-small.npz from the folder given
with --data, and are left out without it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from _machine import print_machine
from _results import (
    OURS,
    Result,
    print_header,
    print_row,
    print_summary,
    read,
    select,
    write,
)
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from tasks import FOLDER, TASKS, Split, Task

from skconvnet import ConvNetClassifier, ConvNetRegressor

PEERS = ("MLP", "SVM", "forest")


def make_ours(task: Task, params: Mapping[str, Any], seed: int) -> BaseEstimator:
    """Return a ConvNet with its defaults, except for `params`."""
    ours = ConvNetRegressor if task.regression else ConvNetClassifier
    return ours(**{**task.params, "random_state": seed, **params})


def make_peer(name: str, task: Task, seed: int) -> BaseEstimator:
    """Return an estimator of scikit-learn with its defaults."""
    if name == "SVM":
        return make_pipeline(StandardScaler(), SVR() if task.regression else SVC())
    if name == "MLP":
        perceptron = MLPRegressor if task.regression else MLPClassifier
        return make_pipeline(StandardScaler(), perceptron(random_state=seed))
    forest = RandomForestRegressor if task.regression else RandomForestClassifier
    return forest(random_state=seed)


def run(
    params: Mapping[str, Any],
    tasks: Iterable[str] = tuple(TASKS),
    seeds: Iterable[int] = (0, 1),
    units: Iterable[float] = (1,),
    *,
    folder: Path = FOLDER,
    data_seed: int = 0,
) -> list[Result]:
    """Return the results of ConvNets with `params` in place of some defaults.

    Parameters
    ----------
    params : mapping of str to object
        Hyperparameters of ConvNetClassifier and ConvNetRegressor.
    tasks : iterable of str
        Names of `TASKS`; those whose file is not in `folder` are left out.
    seeds : iterable of int
        Values of random_state.
    units : iterable of float
        X is multiplied by each of them in turn.
    folder : Path
        Where the files of the tasks are.
    data_seed : int
        Chooses and draws the samples.
    """
    chosen = [TASKS[name] for name in tasks]
    return [
        result
        for task in chosen
        if task.is_available(folder)
        for unit in units
        for result in measure(
            task, OURS, params, list(seeds), unit, folder=folder, data_seed=data_seed
        )
    ]


def measure(
    task: Task,
    model: str,
    params: Mapping[str, Any],
    seeds: Iterable[int],
    unit: float,
    *,
    folder: Path,
    data_seed: int,
) -> list[Result]:
    """Return the result of one model for each seed."""
    splits = [
        (in_unit(X, unit), y, in_unit(X_test, unit), y_test)
        for X, y, X_test, y_test in task.splits(data_seed, folder)
    ]
    X, y = splits[0][:2]
    results = []
    for seed in seeds:
        found: dict[str, str] = {}
        fits = []
        for X_train, y_train, X_test, y_test in splits:
            if model == OURS:
                estimator = make_ours(task, params, seed)
            else:
                estimator = make_peer(model, task, seed)
                X_train, X_test = as_rows(X_train), as_rows(X_test)
            split = (X_train, y_train, X_test, y_test)
            fits.append(fit_and_score(estimator, split, found))
        score, seconds, cpu_seconds, n_iter = np.mean(fits, axis=0).tolist()
        results.append(
            Result(
                task=task.name,
                model=model,
                seed=seed,
                unit=unit,
                n_train=len(X),
                shape=list(X.shape[1:]),
                n_classes=None if task.regression else len(np.unique(y)),
                score=score,
                seconds=seconds,
                cpu_seconds=cpu_seconds,
                n_iter=n_iter,
                warnings=found,
                data_seed=data_seed,
            )
        )
    return results


def fit_and_score(
    estimator: BaseEstimator, split: Split, found: dict[str, str]
) -> tuple[float, float, float, float]:
    """Return score, seconds and CPU seconds of the fit, n_iter_; add warnings to found.

    The score is NaN after an error, which counts as a warning.
    """
    X, y, X_test, y_test = split
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clocks = (time.perf_counter, time.process_time)
        starts = [clock() for clock in clocks]
        try:
            estimator.fit(X, y)
            ends = [clock() for clock in clocks]
            score = estimator.score(X_test, y_test)
        except (ValueError, FloatingPointError, MemoryError) as error:
            ends, score = [clock() for clock in clocks], np.nan
            found.setdefault(type(error).__name__, str(error))
    for warning in caught:
        found.setdefault(warning.category.__name__, str(warning.message))
    seconds, cpu_seconds = np.subtract(ends, starts)
    return score, seconds, cpu_seconds, getattr(estimator, "n_iter_", np.nan)


def in_unit(X: np.ndarray, unit: float) -> np.ndarray:
    """Return X in another unit: ints as ints if the unit is one, others as float64."""
    if unit == 1:
        return X
    keeps_ints = np.issubdtype(X.dtype, np.integer) and float(unit).is_integer()
    return X.astype(np.int64) * int(unit) if keeps_ints else X.astype(float) * unit


def as_rows(X: np.ndarray) -> np.ndarray:
    """Return X as scikit-learn's estimators take it."""
    return X.reshape(len(X), -1)


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--unit", nargs="+", type=float, default=[1.0])
    parser.add_argument("--params", type=json.loads, default={}, help="JSON")
    parser.add_argument("--peers", action="store_true", help="run scikit-learn too")
    parser.add_argument("--json", type=Path, help="file of the results")
    parser.add_argument("--data", type=Path, default=FOLDER, help="a folder")
    parser.add_argument("--data-seed", type=int, default=0, help="draws the samples")
    parser.add_argument("--jobs", type=int, default=None, help="threads")
    args = parser.parse_args(argv)
    params = {"n_jobs": args.jobs, **args.params}
    peers = PEERS if args.peers else ()
    data = {"folder": args.data, "data_seed": args.data_seed}

    print_machine()
    print(f"ConvNet with {args.params or 'its defaults'}, seeds {args.seeds}")
    peers_before = [result for result in read(args.json) if result.model != OURS]
    earlier = [r for r in peers_before if r.data_seed == args.data_seed]
    others = [r for r in peers_before if r.data_seed != args.data_seed]
    results = list(earlier)
    print_header(peers)
    for name in args.tasks:
        task = TASKS[name]
        if not task.is_available(args.data):
            print(f"| {name} | left out: no {task.file} in {args.data} |", flush=True)
            continue
        for model in peers:
            known = {r.seed for r in select(earlier, name, model, 1)}
            missing = [seed for seed in args.seeds if seed not in known]
            results += measure(task, model, {}, missing, 1, **data)
            write(args.json, others + results, params)
        of_peers = {model: select(results, name, model, 1) for model in peers}
        for unit in args.unit:
            ours = measure(task, OURS, params, args.seeds, unit, **data)
            results += ours
            write(args.json, others + results, params)
            print_row(ours, of_peers)
    print_summary(results, args.tasks, peers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
