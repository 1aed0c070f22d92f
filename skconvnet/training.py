"""The training loop: epochs of minibatch updates, or L-BFGS on the whole set."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import scipy.optimize

from skconvnet.batches import Samples, index_length, minibatches
from skconvnet.network import Network
from skconvnet.ops.axpy import axpy
from skconvnet.optimizers import Optimizer
from skconvnet.parallel import Engine
from skconvnet.pieces import pieces_of
from skconvnet.schedules import Constant

_T = TypeVar("_T")


@dataclass
class History:
    """What training has seen so far; a later call may go on from it.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    best_loss : float or None
        None under early stopping.
    validation_scores : list of float or None
    best_validation_score : float or None
    validation_loss_curve : list of float or None
        None where nothing is validated.
    best_weights : ndarray or None
        Those of the best validation score, with the layers' buffers, kept between the
        calls of an incremental training with early stopping.
    n_seen : int
        Training samples seen in all.
    n_stalled : int
        Epochs in a row without improvement.
    """

    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = np.inf
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    validation_loss_curve: list[float] | None = None
    best_weights: np.ndarray | None = None
    n_seen: int = 0
    n_stalled: int = 0

    @classmethod
    def with_early_stopping(cls) -> History:
        return cls(
            best_loss=None,
            validation_scores=[],
            best_validation_score=-np.inf,
            validation_loss_curve=[],
        )


@dataclass
class Settings:
    """Hyperparameters of the loop, in scikit-learn's words.

    With `incremental`, a later call goes on from where this one ends: under early
    stopping the best weights are then restored only when the score has stalled.
    """

    max_iter: int
    batch_size: int
    shuffle: bool
    alpha: float
    tol: float
    n_iter_no_change: float
    max_grad_norm: float | None
    early_stopping: bool
    verbose: bool
    incremental: bool = False


class TrainingDivergedError(ValueError):
    """The loss or a weight is no longer finite."""


def train(
    engine: Engine,
    samples: Samples,
    optimizer: Optimizer,
    schedule: Constant,
    settings: Settings,
    history: History,
    rng: np.random.RandomState,
    validate: Callable[[], tuple[float, float]] | None = None,
) -> tuple[int, bool]:
    """Train until the loss or the validation score no longer improves.

    Parameters
    ----------
    engine : Engine
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

    Returns
    -------
    n_epochs : int
    stopped : bool
        Whether training ended before `max_iter` epochs were through.

    Raises
    ------
    TrainingDivergedError
        If the loss turns NaN or infinite.
    """
    network = engine.network
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
                engine, samples, optimizer, schedule, settings, gradient, order, rng
            )
            is_lost = not np.isfinite(loss) and not np.isfinite(network.vector).all()
            # Under early stopping the best weights so far are still good.
            if is_lost and best_weights is None:
                raise TrainingDivergedError(_diverged_message(epoch, schedule.rate))
            history.n_seen += len(samples)
            history.loss_curve.append(loss)
            if settings.verbose:
                print(f"Iteration {epoch}, loss = {loss:.8f}")
            improved = _record(history, settings, loss, validate)
            if improved and best_weights is not None:
                best_weights[:] = network.state
            schedule.epoch_ends(history.n_seen)
            if history.n_stalled > settings.n_iter_no_change:
                if _stops(schedule, settings):
                    stopped = True
                    break
                history.n_stalled = 0
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=2)
        stopped = True
    if best_weights is not None and (stopped or not settings.incremental):
        network.state[:] = best_weights
    history.best_weights = best_weights if settings.incremental else None
    return epoch, stopped


def _shuffled(order: np.ndarray, rng: np.random.RandomState) -> np.ndarray:
    # The order of the last epoch is shuffled anew, as scikit-learn does, so that
    # both draw the same minibatches from the same random_state.
    permutation = np.arange(len(order))
    rng.shuffle(permutation)
    return order[permutation]


def _epoch(
    engine: Engine,
    samples: Samples,
    optimizer: Optimizer,
    schedule: Constant,
    settings: Settings,
    gradient: np.ndarray,
    order: np.ndarray | None,
    rng: np.random.RandomState,
) -> float:
    """Run one epoch of updates and return the mean loss."""
    vector = engine.network.vector
    loss_sum = 0.0
    batches = minibatches(samples, order, settings.batch_size)
    for index, following in _with_next(batches):
        seed = int(rng.randint(2**31)) if engine.is_random else None
        loss, total = engine.loss_and_gradient(
            samples, index, gradient, train=True, seed=seed
        )
        engine.read_ahead(samples, following)
        if total > 0:
            penalty = Penalty(engine.network, gradient, settings.alpha / total)
            prepare: Penalty | None = penalty
            if settings.max_grad_norm is not None:
                penalty.add()
                clip_norm(gradient, settings.max_grad_norm)
                prepare = None
            optimizer.step(vector, gradient, schedule.rate, engine.team.run, prepare)
            loss += penalty.value()
        loss_sum += loss * index_length(index)
    return loss_sum / len(samples)


def _with_next(batches: Iterable[_T]) -> Iterator[tuple[_T, _T | None]]:
    ahead = iter(batches)
    batch = next(ahead)
    for following in ahead:
        yield batch, following
        batch = following
    yield batch, None


class Penalty:
    """``strength / 2 * |kernels|^2``, added to a gradient piece by piece.

    Parameters
    ----------
    network : Network
    gradient : ndarray of shape (n_weights,)
    strength : float
    """

    def __init__(self, network: Network, gradient: np.ndarray, strength: float) -> None:
        self.strength = strength
        n_penalized = network.layout.n_penalized if strength else 0
        self.kernels = network.vector[:n_penalized]
        self.gradient = gradient[:n_penalized]
        self._squares: dict[int, float] = {}

    def __call__(self, piece: slice) -> None:
        """Add the gradient to that piece of the vector, and note its value."""
        kernels = self.kernels[piece]
        if len(kernels):
            axpy(self.strength, kernels, self.gradient[piece])
            self._squares[piece.start] = float(np.dot(kernels, kernels))

    def add(self) -> float:
        """Add the gradient to the whole vector, and return the value."""
        for piece in pieces_of(len(self.kernels)):
            self(piece)
        return self.value()

    def value(self) -> float:
        """Return the value of the pieces that were added, in their order."""
        squares = [self._squares[start] for start in sorted(self._squares)]
        return 0.5 * self.strength * sum(squares)


def clip_norm(gradient: np.ndarray, max_norm: float | None) -> None:
    """Scale `gradient` down to a Euclidean norm of `max_norm`, if it is longer.

    >>> gradient = np.array([3.0, 4.0])
    >>> clip_norm(gradient, 1.0)
    >>> gradient
    array([0.6, 0.8])
    """
    if max_norm is None:
        return
    norm = float(np.linalg.norm(gradient))
    if norm > max_norm:
        gradient *= max_norm / norm


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


def _stops(schedule: Constant, settings: Settings) -> bool:
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


def minimize_lbfgs(
    engine: Engine,
    samples: Samples,
    *,
    alpha: float,
    max_iter: int,
    max_fun: int,
    tol: float,
) -> scipy.optimize.OptimizeResult:
    """Minimize the loss over all samples with SciPy's L-BFGS-B.

    Returns
    -------
    result : OptimizeResult
        The network's weights are its `x`.
    """
    vector = engine.network.vector
    gradient = np.empty_like(vector)
    whole = next(minibatches(samples, None, len(samples)))
    # One seed for the whole search: it needs a function that stays the same.
    seed = 0 if engine.is_random else None

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        vector[:] = x
        loss, total = engine.loss_and_gradient(
            samples, whole, gradient, train=True, seed=seed
        )
        if total > 0:
            loss += Penalty(engine.network, gradient, alpha / total).add()
        return loss, gradient.astype(np.float64)

    result = scipy.optimize.minimize(
        objective,
        vector.astype(np.float64),
        method="L-BFGS-B",
        jac=True,
        options={"maxfun": max_fun, "maxiter": max_iter, "gtol": tol},
    )
    vector[:] = result.x
    return result
