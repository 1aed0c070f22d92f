"""Objects made from hyperparameters: optimizer, schedule, loss, executor and so on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.engine.minibatches import Samples, resolve_batch_size
from skconvnet.engine.network import Network
from skconvnet.estimators._augmentation import loss_with, make_augmenter
from skconvnet.estimators._layer_factors import alpha_factors, rate_factors
from skconvnet.losses import CLASSIFICATION_LOSSES, Loss, SquaredError
from skconvnet.optimizers import LBFGS, OPTIMIZERS, Optimizer
from skconvnet.schedules import SCHEDULES, Constant, InverseScaling, Schedule
from skconvnet.training.averaging import (
    Average,
    EpochAverage,
    ExponentialAverage,
    OptimizersAverage,
)
from skconvnet.training.state import History, Settings, TrainingState

if TYPE_CHECKING:
    from skconvnet.estimators._hyperparameters import TrainingParams

# As in scikit-learn, an optimizer that is chosen by name takes some hyperparameters
# from the estimator: {its parameter: the estimator's parameter}.
_PARAMS_OF = {
    "sgd": {"momentum": "momentum", "nesterov": "nesterovs_momentum"},
    **{
        name: {param: param for param in ("beta_1", "beta_2", "epsilon")}
        for name in ("adam", "adamw", "nadam", "adamax", "schedule_free_adamw")
    },
}

# As in scikit-learn, these schedules have an effect only with "sgd".
_FOR_SGD_ONLY = ("invscaling", "adaptive")


def is_stochastic(solver: str | Optimizer | LBFGS) -> bool:
    """Whether the solver updates the weights after each minibatch."""
    return isinstance(solver, Optimizer) or solver in OPTIMIZERS


def make_training_state(
    params: TrainingParams, history: History, n_weights: int
) -> TrainingState:
    """Return the initial state of training with a stochastic solver."""
    optimizer = make_optimizer(params)
    average = make_average(params, optimizer, n_weights)
    schedule = make_schedule(params)
    return TrainingState(optimizer, schedule, average, history=history)


def make_optimizer(params: TrainingParams) -> Optimizer:
    """Return the optimizer named by `solver`, or a copy if it is an optimizer."""
    solver = params.solver
    if isinstance(solver, Optimizer):
        return solver.checked_copy()
    given = _PARAMS_OF.get(solver, {})
    own = {name: getattr(params, theirs) for name, theirs in given.items()}
    if solver == "adam":
        own["epsilon_hat"] = True
    optimizer = OPTIMIZERS[solver](**own)
    optimizer.check_params()
    return optimizer


def n_copies_of_weights(params: TrainingParams) -> float:
    """Return how many vectors of the size of the weights training needs at least.

    These are the weights, their gradient, and what the solver keeps.
    """
    if is_stochastic(params.solver):
        return 2 + make_optimizer(params).n_moments
    return 2  # what L-BFGS keeps grows with its iterations


def make_lbfgs(params: TrainingParams) -> LBFGS:
    """Return the L-BFGS solver for `solver`: a new one for its name, else a copy."""
    if not isinstance(params.solver, LBFGS):
        return LBFGS(max_fun=params.max_fun)
    return params.solver.checked_copy()


def make_schedule(params: TrainingParams) -> Schedule:
    """Return the schedule named by `learning_rate`, or a copy of it, started."""
    rule = params.learning_rate
    schedule: Schedule
    if isinstance(rule, Schedule):
        schedule = rule.checked_copy()
    elif rule in _FOR_SGD_ONLY and params.solver != "sgd":
        schedule = Constant()
    elif rule == "invscaling":
        schedule = InverseScaling(power=params.power_t)
    else:
        schedule = SCHEDULES[rule]()
    return schedule.start(params.learning_rate_init, params.max_iter)


def make_average(
    params: TrainingParams, optimizer: Optimizer, n_weights: int
) -> Average | None:
    """Return the average of the weights that `averaging` requests, if any."""
    averaging = params.averaging
    if optimizer.predicts_by_average:
        if averaging is not None:
            raise ValueError(
                f"averaging={averaging!r} must be None with "
                f"{type(optimizer).__name__}, which already averages the weights."
            )
        return OptimizersAverage(optimizer, n_weights)
    if averaging is None:
        return None
    if isinstance(averaging, str):
        return EpochAverage(params.max_iter)
    return ExponentialAverage(averaging)


def update_size(params: TrainingParams, n_samples: int) -> int:
    """Return the number of samples in an update."""
    if not is_stochastic(params.solver):
        return n_samples
    return resolve_batch_size(params.batch_mode, params.batch_size, n_samples)


def make_training_executor(
    network: Network,
    loss: Loss,
    samples: Samples,
    params: TrainingParams,
    augmentation: object,
) -> Executor:
    """Return the executor that trains the network, with the augmentation if any."""
    size = update_size(params, len(samples))
    augmenter = make_augmenter(augmentation, samples, network, size)
    loss = loss_with(loss, augmenter, network)
    make = samples.inputs.make_executor or Executor
    return make(network, loss, resolve_n_threads(params.n_jobs), augmenter)


def make_settings(
    params: TrainingParams,
    network: Network,
    n_samples: int,
    *,
    incremental: bool,
    prints_like_sklearn: bool = True,
) -> Settings:
    """Return the settings of the training loop, for one epoch if `incremental`."""
    return Settings(
        max_iter=1 if incremental else params.max_iter,
        batch_size=update_size(params, n_samples),
        shuffle=params.shuffle,
        alpha=params.alpha,
        tol=params.tol,
        n_iter_no_change=params.n_iter_no_change,
        max_grad_norm=params.max_grad_norm,
        early_stopping=params.early_stopping,
        verbose=prints_like_sklearn and bool(params.verbose),
        incremental=incremental,
        l1_ratio=params.l1_ratio,
        max_grad_value=params.max_grad_value,
        rate_factors=rate_factors(params, network),
        alpha_factors=alpha_factors(params, network),
        # It is told by fit, which may have to raise it again instead.
        warns_of_interrupt=False,
    )


def make_classification_loss(loss: str | Loss, *, exclusive: bool) -> Loss:
    """Return the loss for targets that are classes, see `Loss.for_classes`."""
    if isinstance(loss, str):
        own = CLASSIFICATION_LOSSES[loss]()
    else:
        own = loss.checked_copy()
    return own.for_classes(exclusive=exclusive)


def make_regression_loss(loss: str | Loss, losses: Mapping[str, type[Loss]]) -> Loss:
    """Return the loss for real targets; `losses` has the losses by name."""
    if isinstance(loss, str):
        return losses[loss]()
    if type(loss) is SquaredError:
        return losses["squared_error"]()
    return loss.checked_copy()
