"""Hyperparameters that all estimators share, and what they are turned into."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.metrics import get_scorer_names
from sklearn.utils._param_validation import Interval, Options, StrOptions

from skconvnet.engine.inputs import BATCH_MODES, resolve_batch_size
from skconvnet.optimizers import LBFGS, OPTIMIZERS, Optimizer, ScheduleFreeAdamW
from skconvnet.schedules import SCHEDULES, Constant, InverseScaling, Schedule
from skconvnet.training.averaging import (
    SWA,
    Average,
    EpochAverage,
    ExponentialAverage,
    OptimizersAverage,
)
from skconvnet.training.state import Settings

# Optimizers that take hyperparameters of the estimator, as scikit-learn has them,
# when they are chosen by name: their own names, and the estimator's.
_TAKEN = {
    "sgd": {"momentum": "momentum", "nesterov": "nesterovs_momentum"},
    **{
        name: {param: param for param in ("beta_1", "beta_2", "epsilon")}
        for name in ("adam", "adamw", "nadam", "adamax", "schedule_free_adamw")
    },
}


# As in scikit-learn, these names hold for "sgd" alone.
_OF_SGD = ("invscaling", "adaptive")


@dataclass(kw_only=True, eq=False, repr=False)
class TrainingParams(BaseEstimator):
    """Hyperparameters of training, with scikit-learn's names and defaults."""

    solver: Any = "adam"
    alpha: float = 0.0001
    l1_ratio: float = 0.0
    batch_size: int | str = "auto"
    batch_mode: str = "mbgd"
    learning_rate: Any = "constant"
    learning_rate_init: float = 0.001
    power_t: float = 0.5
    max_iter: int = 200
    shuffle: bool = True
    random_state: Any = None
    tol: float = 1e-4
    verbose: bool = False
    warm_start: bool = False
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    scoring: Any = None
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    n_iter_no_change: float = 10
    max_fun: int = 15000
    max_grad_norm: float | None = None
    max_grad_value: float | None = None
    averaging: float | str | None = None
    n_jobs: int | None = None
    dtype: Any = "auto"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "solver": [StrOptions({"lbfgs", *OPTIMIZERS}), Optimizer, LBFGS],
        "alpha": [Interval(Real, 0, None, closed="left")],
        "l1_ratio": [Interval(Real, 0, 1, closed="both")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "batch_mode": [StrOptions(set(BATCH_MODES))],
        "learning_rate": [StrOptions(set(SCHEDULES)), Schedule],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "warm_start": ["boolean"],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="left")],
        "scoring": [StrOptions({"loss", *get_scorer_names()}), callable, None],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "max_fun": [Interval(Integral, 1, None, closed="left")],
        "max_grad_norm": [None, Interval(Real, 0, None, closed="neither")],
        "max_grad_value": [None, Interval(Real, 0, None, closed="neither")],
        "averaging": [
            None,
            StrOptions({SWA}),
            Interval(Real, 0, 1, closed="neither"),
        ],
        "n_jobs": [
            None,
            Interval(Integral, 1, None, closed="left"),
            Interval(Integral, None, -1, closed="right"),
        ],
        "dtype": [
            StrOptions({"auto", "float32", "float64"}),
            Options(object, {np.float32, np.float64}),
            Options(np.dtype, {np.dtype(np.float32), np.dtype(np.float64)}),
        ],
    }

    @property
    def _is_stochastic(self) -> bool:
        """Whether the solver updates the weights after each minibatch."""
        return isinstance(self.solver, Optimizer) or self.solver in OPTIMIZERS

    def _make_optimizer(self) -> Optimizer:
        if isinstance(self.solver, Optimizer):
            optimizer = clone(self.solver)
            optimizer.check_params()
            return optimizer
        taken = _TAKEN.get(self.solver, {})
        params = {name: getattr(self, own) for name, own in taken.items()}
        if self.solver == "adam":
            params["epsilon_hat"] = True
        optimizer = OPTIMIZERS[self.solver](**params)
        optimizer.check_params()
        return optimizer

    def _make_lbfgs(self) -> LBFGS:
        if not isinstance(self.solver, LBFGS):
            return LBFGS(max_fun=self.max_fun)
        self.solver.check_params()
        return self.solver

    def _make_schedule(self) -> Schedule:
        rule = self.learning_rate
        schedule: Schedule
        if isinstance(rule, Schedule):
            schedule = clone(rule)
        elif rule in _OF_SGD and self.solver != "sgd":
            schedule = Constant()
        elif rule == "invscaling":
            schedule = InverseScaling(power=self.power_t)
        else:
            schedule = SCHEDULES[rule]()
        return schedule.start(self.learning_rate_init, self.max_iter)

    def _make_average(self, optimizer: Optimizer, n_weights: int) -> Average | None:
        if isinstance(optimizer, ScheduleFreeAdamW):
            if self.averaging is not None:
                raise ValueError(
                    f"averaging={self.averaging!r} must be None with "
                    "ScheduleFreeAdamW, which averages the weights by itself."
                )
            return OptimizersAverage(optimizer, n_weights)
        if self.averaging is None:
            return None
        if isinstance(self.averaging, str):
            return EpochAverage(self.max_iter)
        return ExponentialAverage(self.averaging)

    def _make_settings(self, n_samples: int, incremental: bool) -> Settings:
        return Settings(
            max_iter=1 if incremental else self.max_iter,
            batch_size=resolve_batch_size(self.batch_mode, self.batch_size, n_samples),
            shuffle=self.shuffle,
            alpha=self.alpha,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
            max_grad_norm=self.max_grad_norm,
            early_stopping=self.early_stopping,
            verbose=bool(self.verbose),
            incremental=incremental,
            l1_ratio=self.l1_ratio,
            max_grad_value=self.max_grad_value,
        )
