"""Hyperparameters that all estimators share, with their defaults and constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options

from skconvnet._checks import as_python
from skconvnet._foreign_words import ESTIMATOR_PARAMETERS, Words
from skconvnet.engine.minibatches import BATCH_MODES
from skconvnet.optimizers import LBFGS, OPTIMIZERS, Optimizer
from skconvnet.params.constraints import (
    BELOW_1,
    BETWEEN_0_AND_1,
    BOOLEAN,
    COUNT,
    FROM_0_TO_1,
    NOT_NEGATIVE,
    POSITIVE,
    ObjectOf,
    check_magnitudes,
    check_values,
    one_of,
)
from skconvnet.params.nested import NestedParams
from skconvnet.schedules import SCHEDULES, Schedule
from skconvnet.training.averaging import SWA


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingParams(NestedParams):
    """Hyperparameters of training, with scikit-learn's names and defaults."""

    solver: str | Optimizer | LBFGS = "adam"
    alpha: float = 0.0001
    l1_ratio: float = 0.0
    batch_size: int | str = "auto"
    batch_mode: str = "mbgd"
    learning_rate: str | Schedule = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: int | np.random.RandomState | None = None
    tol: float = 1e-4
    verbose: bool | int = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    scoring: str | Callable[..., float] | None = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: int | float = 10
    max_fun: int = 15000
    max_grad_norm: float | None = None
    max_grad_value: float | None = None
    averaging: float | str | None = None
    layer_learning_rates: Mapping[str, float] | None = None
    layer_alphas: Mapping[str, float] | None = None
    n_jobs: int | None = None
    dtype: DTypeLike = "auto"

    _words: ClassVar[Words] = ESTIMATOR_PARAMETERS
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "solver": [
            *one_of("lbfgs", *OPTIMIZERS),
            ObjectOf("skconvnet.optimizers", Optimizer, LBFGS),
        ],
        "alpha": NOT_NEGATIVE,
        "l1_ratio": FROM_0_TO_1,
        "batch_size": [*one_of("auto"), *COUNT],
        "batch_mode": one_of(*BATCH_MODES),
        "learning_rate": [
            *one_of(*SCHEDULES),
            ObjectOf("skconvnet.schedules", Schedule),
        ],
        "learning_rate_init": POSITIVE,
        "power_t": NOT_NEGATIVE,
        "max_iter": COUNT,
        "shuffle": BOOLEAN,
        "random_state": ["random_state"],
        "tol": NOT_NEGATIVE,
        "verbose": ["verbose"],
        "warm_start": BOOLEAN,
        "momentum": FROM_0_TO_1,
        "nesterovs_momentum": BOOLEAN,
        "early_stopping": BOOLEAN,
        "validation_fraction": BELOW_1,
        "scoring": [*one_of("loss", *get_scorer_names()), callable, None],
        "beta_1": BELOW_1,
        "beta_2": BELOW_1,
        "epsilon": POSITIVE,
        "n_iter_no_change": [*COUNT, Options(Real, {np.inf})],
        "max_fun": COUNT,
        "max_grad_norm": [None, *POSITIVE],
        "max_grad_value": [None, *POSITIVE],
        "averaging": [None, *one_of(SWA), *BETWEEN_0_AND_1],
        "layer_learning_rates": [dict, None],
        "layer_alphas": [dict, None],
        "n_jobs": [
            None,
            *COUNT,
            Interval(Integral, None, -1, closed="right"),
        ],
        "dtype": [
            *one_of("auto", "float32", "float64"),
            Options(type, {np.float32, np.float64}),
            Options(np.dtype, {np.dtype(np.float32), np.dtype(np.float64)}),
        ],
    }

    def _validate_params(self) -> None:
        """Check the hyperparameters; scikit-learn calls this before fitting."""
        check_magnitudes(self.get_params(deep=False), type(self).__name__)
        check_values(self, self._parameter_constraints)


def plain_params(estimator: TrainingParams) -> TrainingParams:
    """Return only the hyperparameters of training, with NumPy scalars converted."""
    names = [field.name for field in fields(TrainingParams)]
    return TrainingParams(
        **{name: as_python(getattr(estimator, name)) for name in names}
    )
