"""Training that goes on in `partial_fit` with hyperparameters that have changed."""

from __future__ import annotations

from skconvnet.engine.network import Network
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._factories import make_training_state
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.estimators._param_equality import have_same_params
from skconvnet.schedules import Schedule
from skconvnet.training.state import TrainingState

# At this share of `learning_rate_init`, a network hardly changes.
_HARDLY_ANY = 0.01


def follow_changes(
    state: TrainingState, params: TrainingParams, network: Network
) -> None:
    """Replace the parts of a state whose hyperparameters have changed.

    A part that is replaced starts anew: an optimizer without moments, a schedule at its
    first epoch, and an average at the next update. A new `max_iter` only moves the
    planned end.

    Parameters
    ----------
    state : TrainingState
        Of the calls before, changed in place.
    params : TrainingParams
        Of this call.
    network : Network
        Has the average of the weights, if there is one. Gets the weights in training if
        the average is replaced.
    """
    new = make_training_state(params, state.history, network.vector.size)
    has_same_solver = have_same_params(state.optimizer, new.optimizer)
    if not has_same_solver:
        state.optimizer = new.optimizer
    if state.average is not None and not (
        has_same_solver and state.average.has_settings_of(new.average)
    ):
        state.average.begin(network.trained_state)
        state.average = None
    if state.average is None:
        state.average = new.average
    if _have_same_start(state.schedule, new.schedule):
        state.schedule.n_epochs = new.schedule.n_epochs
    else:
        state.schedule = new.schedule


def _have_same_start(own: Schedule, other: Schedule) -> bool:
    return own.initial == other.initial and have_same_params(own, other)


def warn_of_completed_schedule(params: TrainingParams, schedule: Schedule) -> None:
    """Warn if a planned schedule has ended, and left hardly any learning rate."""
    if not schedule.is_complete or schedule.rate > _HARDLY_ANY * schedule.initial:
        return
    warn_caller(
        f"learning_rate={params.learning_rate!r} has reached its planned end, so that "
        f"partial_fit trains at a learning rate of {schedule.rate:.3g}. Set "
        'learning_rate="constant" or a larger max_iter to train further.'
    )
