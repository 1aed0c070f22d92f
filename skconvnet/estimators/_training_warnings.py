"""Warnings about training, worded as in scikit-learn where it has the same ones."""

from __future__ import annotations

import warnings

from sklearn.exceptions import ConvergenceWarning

from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.training.state import TrainingState

# Frames up to the caller of fit: this function, _fit, fit and its two decorators.
_STACKLEVEL = 6


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
    """Warn if training ended too early to change predictions, or to converge."""
    reason = state.optimizer.why_unchanged()
    if reason is not None:
        warnings.warn(
            f"Predictions use the weights that training started from: {reason}",
            UserWarning,
            stacklevel=_STACKLEVEL,
        )
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
