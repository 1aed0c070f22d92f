"""Learning rates that decrease when training no longer improves."""

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
    """Multiply by a factor each time training would end, as in scikit-learn.

    That is after more than ``n_iter_no_change`` epochs in a row that improved the loss,
    or under early stopping the validation score, by less than ``tol``. Training ends
    once the rate has reached `smallest`.

    Parameters
    ----------
    factor : float, default=0.2
        In (0, 1).
    smallest : float, default=1e-6
        A rate that is not larger is not lowered again.

    Examples
    --------
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
        # Rounded like scikit-learn's division by 5.
        self._current /= 1 / self.factor
        self.rate = self._current
        return False

    @override
    def _rate(self, t: float, width: float) -> float:
        return self._current


@dataclass(eq=False, repr=False)
class ReduceOnPlateau(Schedule):
    """Multiply by a factor after more than `patience` epochs without improvement.

    Training itself ends after more than ``n_iter_no_change`` stalled epochs, which it
    counts on its own, so `patience` should be the smaller.

    Parameters
    ----------
    factor : float, default=0.1
        In (0, 1).
    patience : int, default=5
        Epochs without improvement that are put up with.
    minimum : float, default=0.0
        The rate never falls below it.
    monitor : str, default="auto"
        "training_loss", "validation_loss" or "validation_score"; the last two need a
        validation set. "auto" is the validation loss if there is a validation set,
        otherwise the training loss.
    tol : float, default=1e-4
        Only a value that is better than the best so far by more is an improvement.
    cooldown : int, default=0
        Number of epochs after a reduction that are not counted.

    Examples
    --------
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
                f"monitor={self.monitor!r} of ReduceOnPlateau needs a validation set: "
                "set early_stopping=True or pass X_val and y_val to fit, or set "
                "monitor='training_loss'."
            )

    @override
    def _epoch_ended(self, n_seen: int, measured: Mapping[str, float]) -> None:
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
        """Return the monitored value, with the sign for which smaller is better."""
        if self.monitor == VALIDATION_SCORE:
            return -measured[VALIDATION_SCORE]
        if self.monitor == "auto":
            return measured.get(VALIDATION_LOSS, measured[TRAINING_LOSS])
        return measured[self.monitor]

    @override
    def _rate(self, t: float, width: float) -> float:
        return self._current
