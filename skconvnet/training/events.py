"""Observers of training, which react to each minibatch and each epoch.

An observer is a subclass of `TrainingObserver` that overrides the methods of the events
it reacts to. Each method is given a `TrainingView`, which shows the state of training.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from skconvnet._typing import FlatVector, override
from skconvnet.engine.network import Network
from skconvnet.training.snapshot import TrainingSnapshot
from skconvnet.training.state import History, Settings, TrainingState


class TrainingView:
    """A read-only view of training for observers.

    Attributes
    ----------
    n_minibatches : int
        Number of minibatches of an epoch.
    is_validated : bool
        Whether there is a validation set.
    n_minibatches_done : int
        Number of minibatches of the current epoch whose updates have been made.
    minibatch_loss : float
        Mean loss of the last minibatch, including the penalty. NaN before the first
        minibatch.
    take_snapshot : callable
        Returns a `TrainingSnapshot`. To be called between two epochs.
    """

    def __init__(
        self,
        network: Network,
        state: TrainingState,
        settings: Settings,
        n_minibatches: int,
        is_validated: bool,
        take_snapshot: Callable[[], TrainingSnapshot],
    ) -> None:
        self._network = network
        self._state = state
        self._settings = settings
        self.n_minibatches = n_minibatches
        self.is_validated = is_validated
        self.take_snapshot = take_snapshot
        self.n_minibatches_done = 0
        self.minibatch_loss = float("nan")

    @property
    def epoch(self) -> int:
        """The current epoch of this call, counted from 1; 0 before the first epoch."""
        return self._state.n_epochs

    @property
    def max_iter(self) -> int:
        """The largest number of epochs of this call."""
        return self._settings.max_iter

    @property
    def stopped(self) -> bool:
        """Whether training ends before its last epoch."""
        return self._state.stopped

    @property
    def learning_rate(self) -> float:
        """The rate of the last update, or between epochs the rate of the next one."""
        return self._state.schedule.rate

    @property
    def n_samples_seen(self) -> int:
        """Number of samples seen up to the end of the last epoch, over all calls."""
        return self._state.history.n_seen

    @property
    def loss_curve(self) -> tuple[float, ...]:
        """Mean training loss of each epoch."""
        return tuple(self._state.history.loss_curve)

    @property
    def learning_rate_curve(self) -> tuple[float, ...]:
        """The rate of the last update of each epoch."""
        return tuple(self._state.history.learning_rate_curve)

    @property
    def validation_scores(self) -> tuple[float, ...]:
        """Validation score after each epoch; empty without a validation set."""
        return tuple(self._state.history.validation_scores or ())

    @property
    def validation_loss_curve(self) -> tuple[float, ...]:
        """Validation loss after each epoch; empty without a validation set."""
        return tuple(self._state.history.validation_loss_curve or ())

    @property
    def history(self) -> History:
        """The measurements so far. Copy them to keep them."""
        return self._state.history

    @property
    def network(self) -> Network:
        """The network. Copy it to keep it, since training changes it."""
        return self._network

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Give the network the average of the weights, if any, inside a context."""
        with self._state.averaged(self._network.trained_state):
            yield

    @property
    def weights(self) -> FlatVector:
        """The weights of the network as one read-only vector.

        Copy the vector to keep it, since training changes it. At the end of an epoch
        and at the end of training, it is the average of the weights, if there is one.
        """
        weights = self._network.vector.view()
        weights.flags.writeable = False
        return weights


class TrainingObserver:
    """Base class of observers, whose methods do nothing; override those you need.

    Events come in this order::

        on_train_begin
            on_epoch_begin                for each epoch
                on_minibatch_end          for each minibatch, after the update
                on_epoch_end              after the validation
                on_stalled                if too many epochs did not improve
                on_between_epochs         after all else, unless training diverged
        on_train_end                      unless training raised an error

    An exception that an observer raises ends training.

    Examples
    --------
    >>> class StopAtLoss(TrainingObserver):
    ...     def on_epoch_end(self, view):
    ...         return view.loss_curve[-1] < 0.1
    """

    def on_train_begin(self, view: TrainingView) -> None:
        """React to the start of training."""

    def on_epoch_begin(self, view: TrainingView) -> None:
        """React to the start of an epoch."""

    def on_minibatch_end(self, view: TrainingView) -> None:
        """React to an update."""

    def on_epoch_end(
        self,
        view: TrainingView,  # noqa: ARG002  for subclasses
    ) -> bool | None:
        """React to the end of an epoch.

        Returns
        -------
        stop : bool or None
            True ends training after this epoch, as if it had converged.
        """
        return None

    def on_stalled(self, view: TrainingView) -> None:
        """React to too many epochs in a row that did not improve.

        ``view.stopped`` is True if training ends because of this. Otherwise the
        schedule has lowered ``view.learning_rate``.
        """

    def on_between_epochs(
        self,
        view: TrainingView,  # noqa: ARG002  for subclasses
    ) -> bool | None:
        """React to the end of an epoch, when the state is that of the next one.

        The weights are those of training, not their average. The schedule has moved on.

        Returns
        -------
        stop : bool or None
            True ends training, as if it had converged.
        """
        return None

    def on_train_end(self, view: TrainingView) -> None:
        """React to the end of training, when the network has its final weights."""

    def close(self) -> None:
        """Give up what the observer holds, also after an error or an interrupt."""


class Events:
    """Notifies all observers of an event, in the order in which they were given.

    Parameters
    ----------
    observers : iterable of TrainingObserver
    view : TrainingView
    """

    def __init__(
        self, observers: Iterable[TrainingObserver], view: TrainingView
    ) -> None:
        self._observers = tuple(observers)
        self._view = view
        # Updates may take only microseconds, so only observers that react are called.
        self._of_minibatches = [
            observer
            for observer in self._observers
            if getattr(observer.on_minibatch_end, "__func__", None)
            is not TrainingObserver.on_minibatch_end
        ]

    def train_begins(self) -> None:
        """Notify observers that training begins."""
        for observer in self._observers:
            observer.on_train_begin(self._view)

    def epoch_begins(self) -> None:
        """Notify observers that an epoch begins."""
        self._view.n_minibatches_done = 0
        for observer in self._observers:
            observer.on_epoch_begin(self._view)

    def minibatch_ends(self, n_done: int, loss: float) -> None:
        """Notify observers that the update of a minibatch has been made."""
        self._view.n_minibatches_done, self._view.minibatch_loss = n_done, loss
        for observer in self._of_minibatches:
            observer.on_minibatch_end(self._view)

    def epoch_ends(self) -> bool:
        """Notify observers that an epoch ends; return whether one of them stops."""
        # A list, so that every observer is notified, even after one that stops.
        answers = [observer.on_epoch_end(self._view) for observer in self._observers]
        return any(answers)

    def stalled(self) -> None:
        """Notify observers that too many epochs did not improve."""
        for observer in self._observers:
            observer.on_stalled(self._view)

    def between_epochs(self) -> bool:
        """Notify observers that an epoch is over; return whether one of them stops."""
        answers = [
            observer.on_between_epochs(self._view) for observer in self._observers
        ]
        return any(answers)

    def train_ends(self) -> None:
        """Notify observers that training has ended."""
        for observer in self._observers:
            observer.on_train_end(self._view)

    def close(self) -> None:
        """Close all observers."""
        for observer in self._observers:
            observer.close()


class ProgressPrinter(TrainingObserver):
    """Prints each epoch as scikit-learn does, for `verbose=True`.

    Parameters
    ----------
    settings : Settings
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @override
    def on_epoch_end(self, view: TrainingView) -> None:
        print(f"Iteration {view.epoch}, loss = {view.loss_curve[-1]:.8f}")
        if view.is_validated:
            print(f"Validation score: {view.validation_scores[-1]:f}")

    @override
    def on_stalled(self, view: TrainingView) -> None:
        is_score = self._settings.early_stopping
        what = "Validation score" if is_score else "Training loss"
        then = "Stopping."
        if not view.stopped:
            then = f"Setting learning rate to {view.learning_rate:f}"
        print(
            f"{what} did not improve more than tol={self._settings.tol:f} for "
            f"{self._settings.n_iter_no_change:g} consecutive epochs. {then}"
        )
