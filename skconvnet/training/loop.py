"""The training loop: epochs of minibatch updates."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from typing import TypeVar

import numpy as np

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Samples, index_length, minibatches
from skconvnet.optimizers import Optimizer
from skconvnet.schedules import Schedule
from skconvnet.training.averaging import Average
from skconvnet.training.clipping import clip_norm, clip_value
from skconvnet.training.regularization import Penalty, SparseMemory, SparsePenalty
from skconvnet.training.state import History, Settings
from skconvnet.training.stopping import TrainingDivergedError

_T = TypeVar("_T")


def train(
    engine: Executor,
    samples: Samples,
    optimizer: Optimizer,
    schedule: Schedule,
    settings: Settings,
    history: History,
    rng: np.random.RandomState,
    validate: Callable[[], tuple[float, float]] | None = None,
    average: Average | None = None,
    memory: SparseMemory | None = None,
) -> tuple[int, bool]:
    """Train until the loss or the validation score no longer improves.

    Parameters
    ----------
    engine : Executor
        Its network's weights are changed in place.
    samples : Samples
    optimizer, schedule
        Both keep their state for a later call.
    settings : Settings
    history : History
        Added to.
    rng : RandomState
        Shuffles the samples, and seeds augmentation and the layers that draw random
        numbers.
    validate : callable, optional
        Returns the score and the loss on a validation set. With
        ``settings.early_stopping`` the weights of the best score are restored at the
        end.
    average : Average, optional
        Weights to validate by and to end with. Keeps its state for a later call.
    memory : SparseMemory, optional
        Of an L1 penalty; keeps its state for a later call.

    Returns
    -------
    n_epochs : int
    stopped : bool
        Whether training ended before `max_iter` epochs were through.

    Raises
    ------
    TrainingDivergedError
        If the loss turns NaN or infinite. Under early stopping a warning says so
        instead, and training ends with the best weights, if there are any.
    """
    network = engine.network
    schedule.check_validated(validate is not None)
    memory = SparseMemory() if memory is None else memory
    if average is not None:
        average.begin(network.state)
    best_weights = None
    if settings.early_stopping:
        best_weights = history.best_weights
        if best_weights is None:
            best_weights = network.state.copy()
    gradient = np.empty_like(network.vector)
    order = np.arange(len(samples)) if settings.shuffle else None
    epoch = 0
    stopped = False
    try:
        for epoch in range(1, settings.max_iter + 1):
            if order is not None:
                order = _shuffled(order, rng)
            loss = _epoch(
                engine,
                samples,
                optimizer,
                schedule,
                settings,
                gradient,
                order,
                rng,
                average,
                memory,
            )
            rate = schedule.rate
            is_lost = not np.isfinite(loss) or not np.isfinite(network.state).all()
            if is_lost and not _has_best(settings, history):
                raise TrainingDivergedError(_diverged_message(epoch, rate))
            history.n_seen += len(samples)
            history.loss_curve.append(loss)
            history.learning_rate_curve.append(rate)
            if settings.verbose:
                print(f"Iteration {epoch}, loss = {loss:.8f}")
            if average is not None:
                average.epoch_ends(network.state)
            with nullcontext() if average is None else average.shown(network.state):
                improved = _record(history, settings, loss, validate)
                if improved and best_weights is not None:
                    best_weights[:] = network.state
            if is_lost:
                message = _diverged_message(epoch, rate)
                message += " The weights of the best validation score are kept."
                warnings.warn(message, RuntimeWarning, stacklevel=2)
                stopped = True
                break
            schedule.epoch_ends(history.n_seen, _measured(history))
            if history.n_stalled > settings.n_iter_no_change:
                if _stops(schedule, settings):
                    stopped = True
                    break
                history.n_stalled = 0
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        stopped = True
    if average is not None:
        average.end(network.state)
    if best_weights is not None and (stopped or not settings.incremental):
        network.state[:] = best_weights
    history.best_weights = best_weights if settings.incremental else None
    return epoch, stopped


def _has_best(settings: Settings, history: History) -> bool:
    """Whether early stopping has weights to go back to that are of any use."""
    best = history.best_validation_score
    return settings.early_stopping and best is not None and bool(np.isfinite(best))


def _measured(history: History) -> dict[str, float]:
    """Return what the last epoch may be judged by."""
    curves = {
        "training_loss": history.loss_curve,
        "validation_loss": history.validation_loss_curve,
        "validation_score": history.validation_scores,
    }
    return {name: curve[-1] for name, curve in curves.items() if curve}


def _shuffled(order: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    # The order of the last epoch is shuffled anew, as scikit-learn does, so that
    # both draw the same minibatches from the same random_state.
    permutation = np.arange(len(order))
    rng.shuffle(permutation)
    return order[permutation]


def _epoch(
    engine: Executor,
    samples: Samples,
    optimizer: Optimizer,
    schedule: Schedule,
    settings: Settings,
    gradient: np.ndarray,
    order: np.ndarray | None,
    rng: np.random.RandomState,
    average: Average | None,
    memory: SparseMemory,
) -> float:
    """Run one epoch of updates and return the mean loss.

    A loss that is not finite ends it.
    """
    network = engine.network
    vector, run = network.vector, engine.team.run
    loss_sum = 0.0
    n_updates = -(-len(samples) // settings.batch_size)
    batches = minibatches(samples, order, settings.batch_size)
    for n_done, (index, following) in enumerate(_with_next(batches)):
        seed = int(rng.randint(2**31)) if engine.is_random else None
        loss, total = engine.loss_and_gradient(
            samples, index, gradient, train=True, seed=seed
        )
        engine.read_ahead(samples, following)
        schedule.update_begins(n_done, n_updates)
        if total > 0:
            strength = settings.alpha / total
            penalty, finish = Penalty(network, gradient, strength), None
            if settings.l1_ratio and strength:
                penalty = sparse = SparsePenalty(
                    network, gradient, strength, settings.l1_ratio, memory, n_updates
                )
                finish = sparse.finish
            prepare: Penalty | None = penalty
            if settings.max_grad_norm is not None or settings.max_grad_value:
                penalty.add()
                clip_value(gradient, settings.max_grad_value)
                clip_norm(gradient, settings.max_grad_norm)
                prepare = None
            optimizer.step(vector, gradient, schedule.rate, run, prepare, finish)
            if average is not None:
                average.update_ends(network.state)
            loss += penalty.value()
        loss_sum += loss * index_length(index)
        if not np.isfinite(loss):
            break
    return loss_sum / len(samples)


def _with_next(batches: Iterable[_T]) -> Iterator[tuple[_T, _T | None]]:
    ahead = iter(batches)
    batch = next(ahead)
    for following in ahead:
        yield batch, following
        batch = following
    yield batch, None


def _record(
    history: History,
    settings: Settings,
    loss: float,
    validate: Callable[[], tuple[float, float]] | None,
) -> bool:
    """Bring `history` up to date; say whether the validation score is the best yet."""
    is_best = False
    if validate is not None:
        score, validation_loss = validate()
        if history.validation_scores is None or history.best_validation_score is None:
            history.validation_scores, history.best_validation_score = [], -np.inf
        if history.validation_loss_curve is None:
            history.validation_loss_curve = []
        history.validation_scores.append(score)
        history.validation_loss_curve.append(validation_loss)
        if settings.verbose:
            print(f"Validation score: {score:f}")
        stalled = score < history.best_validation_score + settings.tol
        is_best = score > history.best_validation_score
        if is_best:
            history.best_validation_score = score
    if not settings.early_stopping:
        best = np.inf if history.best_loss is None else history.best_loss
        stalled = loss > best - settings.tol
        history.best_loss = min(best, loss)
    history.n_stalled = history.n_stalled + 1 if stalled else 0
    return is_best


def _stops(schedule: Schedule, settings: Settings) -> bool:
    stops = schedule.stalled()
    if settings.verbose:
        what = "Validation score" if settings.early_stopping else "Training loss"
        then = "Stopping." if stops else f"Setting learning rate to {schedule.rate:f}"
        print(
            f"{what} did not improve more than tol={settings.tol:f} for "
            f"{settings.n_iter_no_change:g} consecutive epochs. {then}"
        )
    return stops


def _diverged_message(epoch: int, rate: float) -> str:
    return (
        f"Training diverged: the loss is no longer finite in epoch {epoch}, at a "
        f"learning rate of {rate:g}. Lower learning_rate_init, set max_grad_norm, or "
        "scale the input (for example with StandardScaler)."
    )
