"""The training loop: epochs of minibatch updates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Index, override
from skconvnet.augmentation.origin import Epoch
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import index_length
from skconvnet.engine.interrupts import HeldInterrupts
from skconvnet.engine.minibatches import Samples, minibatches
from skconvnet.layers.matrices import hidden_matrices_of
from skconvnet.training.events import (
    Events,
    ProgressPrinter,
    TrainingObserver,
    TrainingView,
)
from skconvnet.training.snapshot import TrainingSnapshot
from skconvnet.training.state import Settings, TrainingState
from skconvnet.training.stopping import Stopping
from skconvnet.training.weight_update import WeightUpdate

# A function that returns the score and the loss on a validation set.
Validate: TypeAlias = Callable[[], tuple[float, float]]

_T = TypeVar("_T")

_Numbers: TypeAlias = npt.NDArray[np.integer]


def train(
    executor: Executor,
    samples: Samples,
    state: TrainingState,
    settings: Settings,
    rng: np.random.RandomState,
    *,
    validate: Validate | None = None,
    observers: Sequence[TrainingObserver] = (),
    resume: TrainingSnapshot | None = None,
) -> None:
    """Train until the loss or the validation score no longer improves.

    Parameters
    ----------
    executor : Executor
        The weights of its network are changed in place.
    samples : Samples
    state : TrainingState
        State from which training continues, changed in place. Afterward, `n_epochs` and
        `stopped` say how this call ended.
    settings : Settings
    rng : RandomState
        Shuffles the samples, and seeds augmentation and layers that draw random
        numbers.
    validate : callable, default=None
        Returns the score and the loss on a validation set.
    observers : sequence of TrainingObserver, default=()
    resume : TrainingSnapshot, optional
        Where training goes on. Its `state` must be the `state` that is given.

    Raises
    ------
    TrainingDivergedError
        If the loss or a weight becomes NaN or infinite. With early stopping, a warning
        is issued instead if there are best weights, with which training then ends.
    KeyboardInterrupt
        If the user interrupts training when weights are NaN or infinite. Otherwise
        training ends early, and `interrupt` of the state is set.
    """
    network, history, schedule = executor.network, state.history, state.schedule
    schedule.check_validated(validate is not None)
    if settings.verbose:
        observers = (ProgressPrinter(settings), *observers)
    batch_size = settings.batch_size * executor.n_local_updates
    n_updates = -(-len(samples) // batch_size)
    order = _Order(samples, rng, shuffle=settings.shuffle)
    if resume is None:
        state.begin(network.trained_state)
    else:
        network.state[:] = resume.numbers
        order.resume(resume)
    hidden = hidden_matrices_of(network.layers)
    factors = settings.rate_factors, settings.alpha_factors
    state.optimizer.lay_out(network.layout.arrays(hidden, *factors))
    stopping = Stopping(state, settings, network.trained_state)
    if resume is not None:
        stopping.resume(resume.best)

    def take_snapshot() -> TrainingSnapshot:
        shared = TrainingSnapshot(
            state.n_epochs,
            network.state,
            state,
            stopping.best_weights,
            order.numbers,
            rng.get_state(legacy=False),
        )
        return shared.copy()

    is_validated = validate is not None
    view = TrainingView(
        network, state, settings, n_updates, is_validated, take_snapshot
    )
    events = Events(observers, view)
    kind = _Updates if executor.n_local_updates == 1 else _LocalUpdates
    updates = kind(
        executor, samples, state, settings, rng, events, n_updates, batch_size
    )
    n_done = settings.max_iter if state.stopped else state.n_epochs
    with closing(events):
        events.train_begins()
        with stopping.by_interrupt():
            for epoch in range(n_done + 1, settings.max_iter + 1):
                state.n_epochs = epoch
                events.epoch_begins()
                loss, is_comparable = updates.run_epoch(order.shuffled())
                has_diverged = stopping.has_diverged(loss)
                if state.average is not None:
                    with HeldInterrupts():
                        state.average.after_epoch(network.trained_state)
                with state.averaged(network.trained_state):
                    # An epoch counts once validated, which may be interrupted.
                    measured = None if validate is None else validate()
                    with HeldInterrupts():
                        history.add_epoch(
                            loss,
                            schedule.rate,
                            len(samples),
                            measured,
                            is_comparable=is_comparable,
                        )
                        score = None if measured is None else measured[0]
                        stopping.judge_epoch(loss, score)
                    state.stopped = events.epoch_ends()

                if has_diverged:
                    stopping.stop_after_divergence()
                    break
                schedule.epoch_ends(history.n_seen, history.latest())
                if stopping.is_out_of_patience and not state.stopped:
                    stopping.stop_or_lower_rate()
                    events.stalled()
                state.stopped = events.between_epochs() or state.stopped
                if state.stopped:
                    break

        state.end(network.trained_state)
        stopping.restore_best()
        stopping.check_interrupted()
        events.train_ends()


class _Order:
    """The order of the samples in an epoch.

    Parameters
    ----------
    samples : Samples
    rng : RandomState
    shuffle : bool
        If False, the order is that in which the samples are stored.

    Attributes
    ----------
    numbers : ndarray of int or None
        None if samples are not shuffled.
    """

    def __init__(
        self, samples: Samples, rng: np.random.RandomState, *, shuffle: bool
    ) -> None:
        self._samples = samples
        self._rng = rng
        self.numbers: _Numbers | None = np.arange(len(samples)) if shuffle else None

    def resume(self, snapshot: TrainingSnapshot) -> None:
        """Go on with the order, and with the random numbers, of a snapshot."""
        self.numbers = snapshot.order
        self._rng.set_state(snapshot.random_numbers)

    def shuffled(self) -> _Numbers | None:
        """Return the order of the next epoch."""
        if self.numbers is None:
            return None
        samples = self._samples
        mixed = samples.inputs.mixed_order(samples.index, self._rng)
        if mixed is not None:
            self.numbers = mixed
        else:
            # The order of the last epoch is shuffled again, as in scikit-learn, so that
            # the same random_state gives the same minibatches in both.
            permutation = np.arange(len(self.numbers))
            self._rng.shuffle(permutation)
            self.numbers = self.numbers[permutation]
        return self.numbers


@dataclass
class _Updates:
    """Makes the updates of an epoch.

    Attributes
    ----------
    n_updates : int
        Number of updates of an epoch.
    batch_size : int
        Number of samples of an update.
    """

    executor: Executor
    samples: Samples
    state: TrainingState
    settings: Settings
    rng: np.random.RandomState
    events: Events
    n_updates: int
    batch_size: int

    def __post_init__(self) -> None:
        self.update = WeightUpdate(self.executor.network, self.settings, self.n_updates)

    def run_epoch(self, order: _Numbers | None) -> tuple[float, bool]:
        """Make an update for every minibatch.

        Returns
        -------
        loss : float
            The mean loss. Minibatches without weight do not count. A loss that is not
            finite ends the epoch.
        is_comparable : bool
            Whether it can be compared with the losses of later epochs.
        """
        loss_sum, n_counted = 0.0, 0
        needs_epoch, history = self.executor.needs_epoch, self.state.history
        n_planned = self.state.schedule.n_epochs
        epoch = history.next_epoch(self.rng, n_planned) if needs_epoch else None
        indices = minibatches(self.samples, order, self.batch_size)
        for n_done, (index, following) in enumerate(_with_next(indices)):
            self.state.schedule.update_begins(n_done, self.n_updates)
            loss, total = self._update(index, following, epoch)
            if total > 0:
                loss_sum += loss * index_length(index)
                n_counted += index_length(index)
            self.events.minibatch_ends(n_done + 1, loss)
            if not np.isfinite(loss):
                break
        return loss_sum / max(n_counted, 1), self.executor.is_comparable(epoch)

    def _update(
        self, index: Index, following: Index | None, epoch: Epoch | None
    ) -> tuple[float, float]:
        """Make one update, and return the loss, including the penalty.

        The sum of the weights of the samples is returned as well.
        """
        executor, state, update = self.executor, self.state, self.update
        loss, total = executor.loss_and_gradient(
            self.samples,
            index,
            update.gradient,
            train=True,
            seed=self._seed(),
            epoch=epoch,
        )
        executor.read_ahead(self.samples, following, epoch)
        if total <= 0:
            return loss, total  # all samples have a weight of zero
        state.note_loss(loss, index_length(index))
        regularizer, run = state.regularizer, executor.team.run
        with HeldInterrupts():
            update.make(state.optimizer, regularizer, state.schedule.rate, total, run)
            self._take_into_average()
        return loss + regularizer.value(), total

    def _seed(self) -> int | None:
        return int(self.rng.randint(2**31)) if self.executor.is_random else None

    def _take_into_average(self) -> None:
        if self.state.average is not None:
            self.state.average.after_update(self.executor.network.trained_state)


class _LocallyUpdating(Protocol):
    def update_locally(
        self,
        samples: Samples,
        index: Index,
        state: TrainingState,
        settings: Settings,
        n_updates: int,
        *,
        seed: int | None,
        epoch: Epoch | None,
    ) -> tuple[float, float]: ...


class _LocalUpdates(_Updates):
    """Lets the executor make several updates at a time, in several places."""

    @override
    def _update(
        self, index: Index, following: Index | None, epoch: Epoch | None
    ) -> tuple[float, float]:
        executor = cast(_LocallyUpdating, self.executor)
        loss, total = executor.update_locally(
            self.samples,
            index,
            self.state,
            self.settings,
            self.n_updates,
            seed=self._seed(),
            epoch=epoch,
        )
        if total > 0:
            self.state.note_loss(loss, index_length(index))
            with HeldInterrupts():
                self._take_into_average()
        return loss, total


def _with_next(items: Iterable[_T]) -> Iterator[tuple[_T, _T | None]]:
    """Yield each item with the item after it, which is None for the last one."""
    ahead = iter(items)
    item = next(ahead)
    for following in ahead:
        yield item, following
        item = following
    yield item, None
