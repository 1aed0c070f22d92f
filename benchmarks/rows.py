"""Compare the recipe for tables with scikit-learn's perceptron and boosted trees.

    python benchmarks/rows.py [--sets iris wine ...] [--models MLP tabular ...]
                              [--repeats 2] [--folds 5]

The data are all sets of rows that come with scikit-learn, and five that it generates.
Every model is fitted to the same folds of a repeated cross-validation. The score is the
accuracy, or R^2 for regression, of which the mean and the standard deviation over the
folds are printed, and for classes the mean log loss as well. The seconds are those of
the CPU, as the median of a fit on one thread.

"MLP" is scikit-learn's perceptron with its defaults, on the rows as they are; "scaled
MLP" has a StandardScaler before it; "boosted trees" are HistGradientBoosting with its
defaults; "linear" is LogisticRegression or RidgeCV behind a StandardScaler. "tabular"
is the recipe, `make_tabular_classifier` or `make_tabular_regressor`, and "with
embeddings" the same with `embedding_dims=4`.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from _machine import print_machine
from sklearn import datasets
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skconvnet.architectures import tabular
from skconvnet.tabular import make_tabular_classifier, make_tabular_regressor


@dataclass(frozen=True)
class Table:
    """A set of rows, and what is predicted from them."""

    load: Callable[[], tuple[np.ndarray, np.ndarray]]
    regression: bool = False
    generated: bool = False


def _loaded(name: str, *, regression: bool = False) -> Table:
    load = getattr(datasets, f"load_{name}")
    return Table(lambda: load(return_X_y=True), regression)


def _generated(
    name: str, n_samples: int, *, regression: bool, **params: float
) -> Table:
    make = getattr(datasets, f"make_{name}")
    return Table(
        lambda: make(n_samples=n_samples, random_state=0, **params), regression, True
    )


TABLES = {
    "iris": _loaded("iris"),
    "wine": _loaded("wine"),
    "breast_cancer": _loaded("breast_cancer"),
    "digits": _loaded("digits"),
    "diabetes": _loaded("diabetes", regression=True),
    "linnerud": _loaded("linnerud", regression=True),
    "moons": _generated("moons", 500, regression=False, noise=0.3),
    "hastie_10_2": _generated("hastie_10_2", 2000, regression=False),
    "friedman1": _generated("friedman1", 500, regression=True, noise=1.0),
    "friedman2": _generated("friedman2", 500, regression=True, noise=100.0),
    "friedman3": _generated("friedman3", 500, regression=True, noise=0.1),
}


def _perceptron(n_outputs: int | None, seed: int) -> BaseEstimator:
    return (MLPClassifier if n_outputs is None else MLPRegressor)(random_state=seed)


def _scaled_perceptron(n_outputs: int | None, seed: int) -> BaseEstimator:
    return make_pipeline(StandardScaler(), _perceptron(n_outputs, seed))


def _trees(n_outputs: int | None, seed: int) -> BaseEstimator:
    if n_outputs is None:
        return HistGradientBoostingClassifier(random_state=seed)
    trees = HistGradientBoostingRegressor(random_state=seed)  # of one output only
    return trees if n_outputs == 1 else MultiOutputRegressor(trees)


def _linear(n_outputs: int | None, seed: int) -> BaseEstimator:  # noqa: ARG001  as all models
    return make_pipeline(
        StandardScaler(), LogisticRegression() if n_outputs is None else RidgeCV()
    )


def _recipe(n_outputs: int | None, seed: int, **params: object) -> BaseEstimator:
    make = make_tabular_classifier if n_outputs is None else make_tabular_regressor
    return make(random_state=seed, n_jobs=1, **params)


def _recipe_with_embeddings(n_outputs: int | None, seed: int) -> BaseEstimator:
    return _recipe(n_outputs, seed, layers=tabular(embedding_dims=4))


# Each gets the number of outputs, None for classes, and a seed.
MODELS = {
    "MLP": _perceptron,
    "scaled MLP": _scaled_perceptron,
    "boosted trees": _trees,
    "linear": _linear,
    "tabular": _recipe,
    "with embeddings": _recipe_with_embeddings,
}


class Fit(NamedTuple):
    """How a model did on one fold; the log loss is NaN for regression."""

    score: float
    loss: float
    seconds: float


def fit_and_score(
    model: BaseEstimator,
    train: tuple[np.ndarray, np.ndarray],
    test: tuple[np.ndarray, np.ndarray],
) -> Fit:
    """Fit a model to one part of a table, and score it on another."""
    with warnings.catch_warnings(), threadpool_limits(1):
        # scikit-learn's perceptrons stop after max_iter=200 by default.
        warnings.simplefilter("ignore", ConvergenceWarning)
        # The batches of the recipe are larger than a fold of linnerud.
        warnings.filterwarnings("ignore", "Got `batch_size` less than 1 or larger")
        start = time.process_time()
        model.fit(*train)
        seconds = time.process_time() - start
    X, y = test
    loss = float("nan")
    if hasattr(model, "predict_proba"):
        loss = log_loss(y, model.predict_proba(X), labels=model.classes_)
    return Fit(model.score(X, y), loss, seconds)


def n_outputs_of(table: Table, y: np.ndarray) -> int | None:
    """Return how many numbers are predicted, None if they are classes."""
    if not table.regression:
        return None
    return 1 if y.ndim == 1 else int(y.shape[1])


def measure(
    table: Table, models: Sequence[str], folds: int, repeats: int
) -> dict[str, list[Fit]]:
    """Return the fits of each model, to the same folds of a table."""
    X, y = table.load()
    n_outputs = n_outputs_of(table, y)
    if table.regression:
        splitter = RepeatedKFold(n_splits=folds, n_repeats=repeats, random_state=0)
    else:
        splitter = RepeatedStratifiedKFold(
            n_splits=folds, n_repeats=repeats, random_state=0
        )
    fits: dict[str, list[Fit]] = {name: [] for name in models}
    for seed, (train, test) in enumerate(splitter.split(X, y)):
        for name in models:
            model = MODELS[name](n_outputs, seed)
            fits[name].append(
                fit_and_score(model, (X[train], y[train]), (X[test], y[test]))
            )
    return fits


def print_table(title: str, models: Sequence[str], rows: dict[str, list[str]]) -> None:
    """Print one row per set, and one column per model."""
    print(f"\n{title}:\n")
    print("| " + " | ".join(["set", *models]) + " |")
    print("| --- |" + " --- |" * len(models))
    for name, cells in rows.items():
        print("| " + " | ".join([name, *cells]) + " |", flush=True)


def print_results(results: dict[str, dict[str, list[Fit]]]) -> None:
    """Print scores, log losses and times of all sets."""
    models = list(next(iter(results.values())))
    scores, losses, seconds = {}, {}, {}
    for name, fits in results.items():
        row = f"{name} (generated)" if TABLES[name].generated else name
        of_models = [np.array(fits[model]) for model in models]
        scores[row] = [
            f"{values[:, 0].mean():.3f} ± {values[:, 0].std():.3f}"
            for values in of_models
        ]
        if not TABLES[name].regression:
            losses[row] = [f"{values[:, 1].mean():.3f}" for values in of_models]
        seconds[row] = [f"{np.median(values[:, 2]):.2f}" for values in of_models]
    print_table("Accuracy or R^2, mean ± standard deviation", models, scores)
    if losses:
        print_table("Log loss", models, losses)
    print_table("Seconds of the CPU per fit", models, seconds)


def main(argv: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2)
    args = parser.parse_args(argv)
    print_machine()
    print(f"{args.repeats} x {args.folds} folds", flush=True)
    print_results(
        {
            name: measure(TABLES[name], args.models, args.folds, args.repeats)
            for name in args.sets
        }
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
