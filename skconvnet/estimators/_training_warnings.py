"""Warnings about training, worded as in scikit-learn where it has the same ones."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.losses import Loss
from skconvnet.training.state import TrainingState

# Frames up to the caller of fit: this function, _fit, fit and its two decorators.
_STACKLEVEL = 6

# The loss of an untrained network is estimated from about this many samples.
_MANY_SAMPLES = 10_000
# Training has failed if the loss has not fallen, and is above this multiple of that of
# an untrained network.
_HIGH = 1.5
# With a large learning rate, it has failed as well if the loss has fallen from above
# the second multiple to above the first one. Otherwise it may still be on its way.
_STILL_HIGH, _VERY_HIGH = 1.05, 2.0
_LARGE_RATE = 0.01


def warn_of_clipped_batch_size(params: TrainingParams, n_samples: int) -> None:
    """Warn if there are fewer samples than `batch_size`."""
    size = 0 if isinstance(params.batch_size, str) else params.batch_size
    if size > n_samples and params.batch_mode == "mbgd":
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going "
            "to be clipped",
            stacklevel=_STACKLEVEL,
        )


def warn_of_end(params: TrainingParams, state: TrainingState) -> None:
    """Warn if training ended too early for its average, or without converging."""
    average = state.average
    if state.stopped and average is not None and not average.has_begun:
        warnings.warn(
            f"averaging={params.averaging!r} had no effect: training ended after "
            f"{state.n_epochs} epochs, before the last quarter of max_iter="
            f"{params.max_iter}. Lower max_iter, or set n_iter_no_change=np.inf.",
            UserWarning,
            stacklevel=_STACKLEVEL,
        )
    # Training that completed its schedule has lasted exactly as long as planned.
    if not state.stopped and not state.schedule.is_complete:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({params.max_iter}) reached "
            "and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=_STACKLEVEL,
        )


def untrained_loss(loss: Loss, samples: Samples) -> float:
    """Return the loss of a network whose scores are all 0, without the penalty."""
    rows = np.arange(len(samples)) if samples.index is None else samples.index
    rows = rows[:: max(1, len(rows) // _MANY_SAMPLES)]
    targets = samples.targets[rows].T
    prediction = np.zeros_like(targets)
    loss.predict(prediction)
    losses = loss.samplewise(prediction, targets)
    weights = None if samples.weights is None else samples.weights[rows]
    if weights is not None and not weights.sum() > 0:
        return float(losses.mean())
    return float(np.average(losses, weights=weights))


def warn_of_high_loss(
    params: TrainingParams, state: TrainingState, untrained: float
) -> None:
    """Warn if training has left the loss above that of an untrained network."""
    curve = state.history.loss_curve
    if len(curve) < 2:
        return
    first, last = curve[0], min(curve) if params.early_stopping else curve[-1]
    rate = float(params.learning_rate_init)
    has_risen = last >= first and last > _HIGH * untrained
    was_high = first > _VERY_HIGH * untrained and last > _STILL_HIGH * untrained
    if has_risen or (was_high and rate > _LARGE_RATE):
        trend = "never fell" if last >= first else "remained high"
        warnings.warn(
            f"The loss {trend}: it was {first:.3g} in the first epoch and is "
            f"{last:.3g} after {state.n_epochs}, while a network whose scores are all "
            f"0 has a loss of {untrained:.3g}. Lower learning_rate_init="
            f"{rate!r}, for example to {min(0.001, rate / 10):g}, or scale X if its "
            "values are large (for example with StandardScaler).",
            ConvergenceWarning,
            stacklevel=_STACKLEVEL,
        )
