"""The base class of schedules, which set the learning rate of each update."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from skconvnet._foreign_words import SCHEDULE_PARAMETERS, Words
from skconvnet.params.base import Params

# The measurements of an epoch that a schedule may react to.
TRAINING_LOSS = "training_loss"
VALIDATION_LOSS = "validation_loss"
VALIDATION_SCORE = "validation_score"


class Schedule(Params, ABC):
    """A rule for the learning rate, and its progress during training.

    An estimator trains with a clone of a schedule, which has to be started by `start`.
    The rate starts from ``learning_rate_init`` of the estimator, or rises to it.
    Training calls `update_begins` before each update and `epoch_ends` after each epoch.

    Attributes
    ----------
    initial : float
        ``learning_rate_init``.
    n_epochs : int
        ``max_iter``.
    epoch : int
        Number of completed epochs.
    rate : float
        The learning rate of the next update.
    """

    _words: ClassVar[Words] = SCHEDULE_PARAMETERS
    initial: float
    n_epochs: int
    epoch: int
    rate: float
    # The rate, in schedules that change it only between epochs.
    _current: float

    def start(self, initial: float, n_epochs: int) -> Self:
        """Start, or restart, at the rate `initial` for a training of `n_epochs`.

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
            If a hyperparameter is invalid or does not fit `initial`.
        """
        self.check_params()
        minimum = getattr(self, "minimum", 0.0)
        if minimum > initial:
            raise ValueError(
                f"minimum={minimum!r} of {type(self).__name__} must not exceed "
                f"learning_rate_init={initial!r}."
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
            Number of completed updates of the current epoch.
        n_updates : int
            Number of updates in an epoch.
        """
        self.rate = self._rate(self.epoch + n_done / n_updates, 1 / n_updates)

    def epoch_ends(self, n_seen: int, measured: Mapping[str, float]) -> None:
        """Move on to the next epoch.

        Parameters
        ----------
        n_seen : int
            Total number of samples seen.
        measured : mapping of str to float
            The ``"training_loss"`` of the epoch and, if there is a validation set, the
            ``"validation_loss"`` and the ``"validation_score"``. Empty if the epoch
            cannot be compared with later ones, which augmentation may cause.
        """
        self.epoch += 1
        self._epoch_ended(n_seen, measured)
        self.update_begins(0, 1)

    def stalled(self) -> bool:
        """Handle that training no longer improves; return whether to stop it."""
        return True

    def check_validated(self, is_validated: bool) -> None:
        """Raise a ValueError if the schedule needs a validation set that is missing."""

    @property
    def is_complete(self) -> bool:
        """Whether training has reached its planned end."""
        return False

    def _epoch_ended(self, n_seen: int, measured: Mapping[str, float]) -> None:
        """Adjust to the measurements of an epoch."""

    @abstractmethod
    def _rate(self, t: float, width: float) -> float:
        """Return the rate of an update.

        Parameters
        ----------
        t : float
            Time at which the update begins, in epochs. It may be fractional.
        width : float
            Duration of one update, in epochs.

        Returns
        -------
        rate : float
        """
