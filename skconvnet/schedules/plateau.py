"""Schedules that decrease the learning rate when training no longer improves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from skconvnet._typing import override
from skconvnet.params.constraints import (
    BETWEEN_0_AND_1,
    COUNT_OR_0,
    NOT_NEGATIVE,
    POSITIVE,
    one_of,
)
from skconvnet.schedules.base import (
    TRAINING_LOSS,
    VALIDATION_LOSS,
    VALIDATION_SCORE,
    Schedule,
)


@dataclass(eq=False, repr=False)
class Adaptive(Schedule):
    """Multiply the rate by a factor each time training would end, as in scikit-learn.

    Training would end after more than ``n_iter_no_change`` consecutive epochs that
    improve the loss, or with early stopping the validation score, by less than ``tol``.
    It does end once the rate is no larger than `smallest`.

    Parameters
    ----------
    factor : float, default=0.2
        The factor, in (0, 1).
    smallest : float, default=1e-6
        The rate is not lowered further when it is at most this small.

    Examples
    --------
    >>> from skconvnet.schedules import Adaptive
    >>> schedule = Adaptive().start(0.1, n_epochs=5)
    >>> schedule.stalled(), schedule.rate
    (False, 0.02)
    """

    factor: float = 0.2
    smallest: float = 1e-6

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "factor": BETWEEN_0_AND_1,
        "smallest": POSITIVE,
    }

    @override
    def stalled(self) -> bool:
        if self._current <= self.smallest:
            return True
        # Divide, to round like scikit-learn's division by 5.
        self._current /= 1 / self.factor
        self.rate = self._current
        return False

    @override
    def _rate(self, t: float, width: float) -> float:
        return self._current


@dataclass(eq=False, repr=False)
class ReduceOnPlateau(Schedule):
    """Multiply the rate by a factor after `patience` epochs without improvement.

    Training separately counts stalled epochs and ends after more than
    ``n_iter_no_change`` of them, so `patience` should be smaller than this number.

    Parameters
    ----------
    factor : float, default=0.1
        The factor, in (0, 1).
    patience : int, default=5
        The number of epochs without improvement that are tolerated. The next one
        reduces the rate.
    minimum : float, default=0.0
        A lower bound on the rate.
    monitor : str, default="auto"
        What has to improve: "training_loss", "validation_loss" or "validation_score".
        The last two require a validation set. "auto" means the validation loss if there
        is a validation set, and otherwise the training loss.
    tol : float, default=1e-4
        A value counts as an improvement only if it is better than the best one so far
        by more than `tol`.
    cooldown : int, default=0
        The number of epochs after a reduction that are not counted.

    Examples
    --------
    >>> from skconvnet.schedules import ReduceOnPlateau
    >>> schedule = ReduceOnPlateau(0.5, patience=1).start(0.4, n_epochs=5)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.epoch_ends(0, {"training_loss": loss})
    >>> schedule.rate
    0.2
    """

    factor: float = 0.1
    patience: int = 5
    minimum: float = 0.0
    monitor: str = "auto"
    tol: float = 1e-4
    cooldown: int = 0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "factor": BETWEEN_0_AND_1,
        "patience": COUNT_OR_0,
        "minimum": NOT_NEGATIVE,
        "monitor": one_of("auto", TRAINING_LOSS, VALIDATION_LOSS, VALIDATION_SCORE),
        "tol": NOT_NEGATIVE,
        "cooldown": COUNT_OR_0,
    }

    @override
    def start(self, initial: float, n_epochs: int) -> Self:
        self._best = np.inf
        self._n_bad = self._n_cooling = 0
        return super().start(initial, n_epochs)

    @override
    def check_validated(self, is_validated: bool) -> None:
        if self.monitor.startswith("validation") and not is_validated:
            raise ValueError(
                f"monitor={self.monitor!r} of ReduceOnPlateau requires a validation "
                "set: set early_stopping=True, pass X_val and y_val to fit, or set "
                "monitor='training_loss'."
            )

    @override
    def _epoch_ended(self, n_seen: int, measured: Mapping[str, float]) -> None:
        if not measured:
            return
        value = self._value(measured)
        if value < self._best - self.tol:
            self._best = value
            self._n_bad = 0
        else:
            self._n_bad += 1
        if self._n_cooling:
            self._n_cooling -= 1
            self._n_bad = 0
        if self._n_bad > self.patience:
            self._current = max(self._current * self.factor, self.minimum)
            self._n_cooling, self._n_bad = self.cooldown, 0

    def _value(self, measured: Mapping[str, float]) -> float:
        """Return the monitored value, with a sign such that smaller is better."""
        if self.monitor == VALIDATION_SCORE:
            return -measured[VALIDATION_SCORE]
        if self.monitor == "auto":
            return measured.get(VALIDATION_LOSS, measured[TRAINING_LOSS])
        return measured[self.monitor]

    @override
    def _rate(self, t: float, width: float) -> float:
        return self._current
