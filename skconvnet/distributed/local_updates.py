"""Several updates of the weights by the samples of one shard, for slow networks.

Every shard starts from the same weights and the same state of the optimizer, and makes
a few updates by minibatches of its own samples. Then weights, buffers and moments are
averaged [1]_, so that they travel only once in several updates.

References
----------
.. [1] S. U. Stich, "Local SGD converges fast and communicates little", ICLR 2019.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FlatVector
from skconvnet.augmentation.origin import Epoch
from skconvnet.distributed.process import process
from skconvnet.distributed.tasks import (
    Shard,
    blas_kernels,
    samples_of,
    seed_of,
    training_inputs,
)
from skconvnet.distributed.work import Training
from skconvnet.optimizers import Optimizer
from skconvnet.training.regularization import Regularizer
from skconvnet.training.state import Settings
from skconvnet.training.weight_update import WeightUpdate

_Numbers: TypeAlias = npt.NDArray[np.integer]


@dataclass(frozen=True)
class LocalState:
    """What an update changes.

    Attributes
    ----------
    numbers : ndarray
        The weights and the buffers: at first all of them, for a network that has frozen
        ones, and afterward those that training changes.
    optimizer : Optimizer
    regularizer : Regularizer
    """

    numbers: FlatVector
    optimizer: Optimizer
    regularizer: Regularizer

    @property
    def vectors(self) -> list[FlatVector]:
        """All arrays."""
        return [self.numbers, *self.optimizer.vectors, *self.regularizer.vectors]


class LocalWork(NamedTuple):
    """Updates by the samples of one shard.

    Attributes
    ----------
    minibatches : list of ndarray of int
        Rows of the shard.
    share : float
        The weight of these samples, by that of all shards in these updates.
    seed : int or None
    epoch : Epoch or None
    rate : float
        The learning rate.
    settings : Settings
    n_updates : int
        Number of updates in an epoch.
    """

    minibatches: list[_Numbers]
    share: float
    seed: int | None
    epoch: Epoch | None
    rate: float
    settings: Settings
    n_updates: int


class LocalResult(NamedTuple):
    """The state after the updates of a shard, or the mean over several shards.

    Attributes
    ----------
    state : LocalState
        Multiplied by the share of the shard.
    losses : tuple of float
        By shard, multiplied by its share.
    kernels : frozenset of str
    """

    state: LocalState
    losses: tuple[float, ...]
    kernels: frozenset[str]


def update_by_shard(
    training: Training,
    shard: Shard,
    start: LocalState,
    work: LocalWork,
) -> LocalResult:
    """Make updates by the samples of one shard.

    Parameters
    ----------
    training : Training
    shard : Shard
    start : LocalState
        What the updates start from, which is left unchanged.
    work : LocalWork
    """
    executor = process.take(training)
    try:
        network = executor.network
        network.state[:] = start.numbers
        optimizer, regularizer = copy.deepcopy((start.optimizer, start.regularizer))
        samples = samples_of(shard, training_inputs(shard, training))
        update = WeightUpdate(network, work.settings, work.n_updates)
        seed = seed_of(work.seed, shard.number)
        loss_sum, weight = 0.0, 0.0
        for number, rows in enumerate(work.minibatches):
            loss, total = executor.loss_and_gradient(
                samples,
                rows,
                update.gradient,
                train=True,
                seed=seed_of(seed, number),
                epoch=work.epoch,
            )
            if total <= 0:
                continue
            update.make(optimizer, regularizer, work.rate, total, executor.team.run)
            loss_sum += (loss + regularizer.value()) * total
            weight += total
        own = LocalState(network.trained_state.copy(), optimizer, regularizer)
        for vector in own.vectors:
            np.multiply(vector, work.share, out=vector)
        losses = (work.share * loss_sum / weight,)
        return LocalResult(own, losses, frozenset({blas_kernels()}))
    finally:
        process.give(training, executor)


def add_states(one: LocalResult, other: LocalResult) -> LocalResult:
    """Return the sum of two results; the losses are kept by shard."""
    total = copy.deepcopy(one.state)
    for own, more in zip(total.vectors, other.state.vectors, strict=True):
        np.add(own, more, out=own)
    return LocalResult(total, one.losses + other.losses, one.kernels | other.kernels)
