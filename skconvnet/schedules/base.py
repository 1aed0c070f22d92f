"""The protocol of a schedule: the learning rate of each update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Self

from skconvnet.params.base import Params

# What an epoch may be judged by.
TRAINING_LOSS = "training_loss"
VALIDATION_LOSS = "validation_loss"
VALIDATION_SCORE = "validation_score"


class Schedule(Params, ABC):
    """A rule for the learning rate, and how far training has come.

    A clone of a schedule, which is what an estimator trains with, is yet to `start`.
    ``learning_rate_init`` of the estimator is the rate that it starts from, or rises
    to. Training then calls `update_begins` before each update and `epoch_ends` after
    each epoch.

    Attributes
    ----------
    initial : float
        ``learning_rate_init``.
    n_epochs : int
        ``max_iter``.
    epoch : int
        Number of epochs that are over.
    rate : float
        The learning rate of the next update.
    """

    initial: float
    n_epochs: int
    epoch: int
    rate: float
    # The rate of rules that change it only after an epoch.
    _current: float

    def start(self, initial: float, n_epochs: int) -> Self:
        """Start again at `initial`, for a training of `n_epochs`.

        Parameters
        ----------
        initial : float
            ``learning_rate_init``.
        n_epochs : int
            ``max_iter``.

        Returns
        -------
        self : Schedule

        Raises
        ------
        ValueError
            For a hyperparameter that is not allowed, or does not fit `initial`.
        """
        self.check_params()
        minimum = getattr(self, "minimum", 0.0)
        if minimum > initial:
            raise ValueError(
                f"minimum={minimum!r} of {type(self).__name__} must not be above the "
                f"rate that it starts from, learning_rate_init={initial!r}."
            )
        self.initial = float(initial)
        self.n_epochs = int(n_epochs)
        self.epoch = 0
        self._current = self.initial
        self.update_begins(0, 1)
        return self

    def update_begins(self, n_done: int, n_updates: int) -> None:
        """Set the `rate` of an update.

        Parameters
        ----------
        n_done : int
            Updates of the present epoch so far.
        n_updates : int
            Updates of an epoch.
        """
        self.rate = self._rate(self.epoch + n_done / n_updates, 1 / n_updates)

    def epoch_ends(self, n_seen: int, measured: Mapping[str, float]) -> None:
        """Move on to the next epoch.

        Parameters
        ----------
        n_seen : int
            Samples seen in all.
        measured : mapping of str to float
            The ``"training_loss"`` of the epoch and, if there is a validation set, the
            ``"validation_loss"`` and the ``"validation_score"``.
        """
        self.epoch += 1
        self._epoch_ended(n_seen, measured)
        self.update_begins(0, 1)

    def stalled(self) -> bool:
        """Return whether to stop, now that training no longer improves."""
        return True

    def check_validated(self, is_validated: bool) -> None:
        """Raise a ValueError if the schedule needs a validation set that is missing."""

    @property
    def is_complete(self) -> bool:
        """Whether training has reached its planned end."""
        return False

    def _epoch_ended(self, n_seen: int, measured: Mapping[str, float]) -> None:
        """Take note of how the epoch went."""

    @abstractmethod
    def _rate(self, t: float, width: float) -> float:
        """Return the rate of an update.

        Parameters
        ----------
        t : float
            Epochs that are over when it begins; the fraction is that of the present.
        width : float
            Share of an epoch that one update is.

        Returns
        -------
        rate : float
        """
