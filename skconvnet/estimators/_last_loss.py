"""A warning if training ends with a loss above that of guessing."""

from __future__ import annotations

from sklearn.exceptions import ConvergenceWarning

from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._guessing import Guessing
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.training.state import TrainingState

# Training has failed if the loss has not fallen, and is above this multiple of that of
# guessing.
_HIGH = 1.5
# With a large learning rate, it has failed as well if the loss has fallen from above
# the second multiple to that of guessing at best. Otherwise it may still be on its way.
_STILL_HIGH, _VERY_HIGH = 0.95, 2.0
_LARGE_RATE = 0.01


def warn_of_last_loss(
    estimator: TrainingParams, guessing: Guessing, state: TrainingState
) -> None:
    """Warn if the loss never fell, or remained above that of guessing.

    Parameters
    ----------
    estimator : estimator
    guessing : Guessing
    state : TrainingState
        The state at the end of training.
    """
    curve = state.history.loss_curve
    if len(curve) < 2 or not len(guessing.targets):
        return
    first, last = curve[0], min(curve) if estimator.early_stopping else curve[-1]
    guessed = guessing.mean_loss()
    rate = float(estimator.learning_rate_init)
    never_fell = last >= first and last > _HIGH * guessed
    was_high = first > _VERY_HIGH * guessed and last > _STILL_HIGH * guessed
    if never_fell or (was_high and rate > _LARGE_RATE):
        trend = "never fell" if last >= first else "remained high"
        warn_caller(
            f"The loss {trend}: it was {first:.3g} in the first epoch and is "
            f"{last:.3g} after {state.n_epochs}, while guessing without looking at X "
            f"has a loss of {guessed:.3g}. Lower learning_rate_init={rate!r}, for "
            f"example to {min(0.001, rate / 10):g}, or scale X if its values are large "
            "(for example with StandardScaler).",
            ConvergenceWarning,
        )
