"""The end of training: when, and with which weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.training.state import Settings, TrainingState


class TrainingDivergedError(ValueError):
    """The loss or a weight is no longer finite."""


class Stopping:
    """Decides after each epoch whether training ends, and with which weights.

    Training ends before its last epoch

    - when it diverges, so that the loss or a weight is NaN or infinite. With early
      stopping, the best weights so far are kept; otherwise an error is raised;
    - when more than `n_iter_no_change` epochs in a row have stalled, unless the
      schedule lowers the learning rate instead. An epoch has stalled if it improves on
      the best epoch before by less than `tol`. With early stopping, the validation
      score is compared, otherwise the loss. An epoch whose loss cannot be compared with
      later ones, since augmentation makes its samples smaller, has not stalled;
    - when an observer stops it;
    - when the user interrupts it.

    With early stopping, training ends with the weights of the best validation score,
    otherwise with the last weights.

    Parameters
    ----------
    state : TrainingState
        Its `stopped` is set, and its `history` counts stalled epochs.
    settings : Settings
    weights : ndarray
        Weights and buffers of the network, changed in place.

    Attributes
    ----------
    best_weights : ndarray or None
        Weights and buffers of the best epoch so far. None without early stopping.
    """

    def __init__(
        self, state: TrainingState, settings: Settings, weights: FlatVector
    ) -> None:
        self._state = state
        self._history = state.history
        self._settings = settings
        self._weights = weights
        self.best_weights: FlatVector | None = None
        if settings.early_stopping:
            earlier = state.history.best_weights
            self.best_weights = weights.copy() if earlier is None else earlier

    def resume(self, best_weights: FlatVector | None) -> None:
        """Go on with the best weights of a training that was left."""
        self.best_weights = best_weights

    @contextmanager
    def by_interrupt(self) -> Iterator[None]:
        """Let the user interrupt the context, which ends training without an error."""
        try:
            yield
        except KeyboardInterrupt as interrupt:
            self._state.stopped, self._state.interrupt = True, interrupt
            if self._settings.warns_of_interrupt:
                warnings.warn("Training interrupted by user.", stacklevel=4)

    def has_diverged(self, loss: float) -> bool:
        """Return whether the loss or a weight is no longer finite.

        Raises
        ------
        TrainingDivergedError
            If there are no better weights to end with.
        """
        if np.isfinite(loss) and np.isfinite(self._weights).all():
            return False
        best = self._history.best_validation_score
        if self.best_weights is None or best is None or not np.isfinite(best):
            raise TrainingDivergedError(self._divergence_message())
        return True

    def judge_epoch(self, loss: float, score: float | None) -> None:
        """Count the epoch if it has stalled, and keep its weights if they are best.

        Parameters
        ----------
        loss : float
            Training loss.
        score : float or None
            Validation score. None without a validation set.
        """
        has_stalled, history = False, self._history
        if score is not None:
            has_stalled = self._judge_score(score)
        if not self._settings.early_stopping:
            has_stalled = self._judge_loss(loss)
        has_stalled = has_stalled and history.n_comparable > 0
        history.n_stalled = history.n_stalled + 1 if has_stalled else 0

    def _judge_score(self, score: float) -> bool:
        best = self._history.best_validation_score
        assert best is not None  # the history sets it with the first score
        if score > best:
            self._history.best_validation_score = score
            if self.best_weights is not None:
                self.best_weights[:] = self._weights
        return score < best + self._settings.tol

    def _judge_loss(self, loss: float) -> bool:
        best = np.inf if self._history.best_loss is None else self._history.best_loss
        is_comparable = self._history.n_comparable > 0
        self._history.best_loss = min(best, loss) if is_comparable else np.inf
        return loss > best - self._settings.tol

    def stop_after_divergence(self) -> None:
        """End training with a warning that the best weights so far are kept."""
        message = self._divergence_message()
        message += " The weights of the best validation score are kept."
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        self._state.stopped = True

    @property
    def is_out_of_patience(self) -> bool:
        """Whether too many epochs in a row have stalled."""
        return self._history.n_stalled > self._settings.n_iter_no_change

    def stop_or_lower_rate(self) -> None:
        """End training, unless the schedule lowers the rate and starts a new count."""
        self._state.stopped = self._state.schedule.stalled()
        if not self._state.stopped:
            self._history.n_stalled = 0

    def restore_best(self) -> None:
        """Restore the weights of the best validation score, with early stopping.

        While an incremental training may continue, they are kept for a later call.
        """
        best, is_incremental = self.best_weights, self._settings.incremental
        if best is not None and (self._state.stopped or not is_incremental):
            self._weights[:] = best
        self._history.best_weights = best if is_incremental else None

    def check_interrupted(self) -> None:
        """Raise an interrupt after which the weights are of no use.

        An epoch that diverges may be interrupted before its end, where this is checked.
        """
        interrupt = self._state.interrupt
        if interrupt is not None and not np.isfinite(self._weights).all():
            raise interrupt

    def _divergence_message(self) -> str:
        return (
            "Training diverged: the loss or a weight is no longer finite in epoch "
            f"{self._state.n_epochs}, at a learning rate of "
            f"{self._state.schedule.rate:g}. Lower learning_rate_init, set "
            "max_grad_norm, or scale the input (for example with StandardScaler)."
        )
