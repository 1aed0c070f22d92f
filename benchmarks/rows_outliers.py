"""The recipe for tables with and without clipping, on tables with outliers.

    python benchmarks/rows_outliers.py [--sets iris wine ...] [--deviations 30]
                                       [--share 0.05] [--folds 3]

In a share of the rows, one number, drawn at random, is put as many standard deviations
above or below the mean of its column as `--deviations` says. The sets are those of
rows.py. The table has the mean accuracy, or R^2 for regression, over the folds: on the
sets as they are, with outliers in the test rows alone, and with outliers everywhere.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from _machine import print_machine
from rows import MODELS, TABLES, Table, fit_and_score, n_outputs_of, print_table
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold, StratifiedKFold

RECIPES = {"recipe": {}, "no clipping": {"clip": "passthrough"}}
PLACES = ("none", "test rows", "all rows")


def with_outliers(
    X: np.ndarray, share: float, deviations: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a copy of X with an outlier in a share of the rows."""
    X = np.array(X, dtype=np.float64)
    rows = np.flatnonzero(rng.random(len(X)) < share)
    columns = rng.integers(0, X.shape[1], len(rows))
    signs = rng.choice([-1, 1], len(rows))
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    X[rows, columns] = mean[columns] + signs * deviations * deviation[columns]
    return X


def make_recipe(table: Table, y: np.ndarray, seed: int, name: str) -> BaseEstimator:
    """Return the recipe as it is, or without its first layer."""
    return MODELS["tabular"](n_outputs_of(table, y), seed, **RECIPES[name])


def measure(
    table: Table, share: float, deviations: float, folds: int
) -> dict[tuple[str, str], float]:
    """Return the mean score by the place of the outliers and the recipe."""
    X, y = table.load()
    splitter = (KFold if table.regression else StratifiedKFold)(
        folds, shuffle=True, random_state=0
    )
    scores: dict[tuple[str, str], list[float]] = {}
    for seed, (train, test) in enumerate(splitter.split(X, y)):
        spoiled = with_outliers(X, share, deviations, np.random.default_rng(seed))
        for name in RECIPES:
            clean = make_recipe(table, y, seed, name)
            fit = fit_and_score(clean, (X[train], y[train]), (X[test], y[test]))
            model = make_recipe(table, y, seed, name)
            own = fit_and_score(
                model, (spoiled[train], y[train]), (spoiled[test], y[test])
            )
            found = (fit.score, clean.score(spoiled[test], y[test]), own.score)
            for place, score in zip(PLACES, found, strict=True):
                scores.setdefault((place, name), []).append(score)
    return {key: float(np.mean(values)) for key, values in scores.items()}


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--deviations", type=float, default=30.0)
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--folds", type=int, default=3)
    args = parser.parse_args(argv)
    print_machine()
    keys = [(place, name) for place in PLACES for name in RECIPES]
    rows = {}
    for name in args.sets:
        found = measure(TABLES[name], args.share, args.deviations, args.folds)
        rows[name] = [f"{found[key]:.3f}" for key in keys]
    print_table(
        "Accuracy or R^2, by where the outliers are",
        [f"{place}, {name}" for place, name in keys],
        rows,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
