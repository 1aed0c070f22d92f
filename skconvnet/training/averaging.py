"""Averages of the weights, for validation and prediction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers import Optimizer
from skconvnet.training import subnormal

# The name of stochastic weight averaging, `EpochAverage`.
SWA = "swa"

# The share of the epochs after which stochastic weight averaging begins.
_SWA_BEGINS = 0.75


class Average(ABC):
    """An average of the weights, which validation and prediction use.

    Between the calls of an incremental training, the network has the average, and this
    object keeps the weights in training. All methods are given the `state` of a
    network: its weights, and the buffers of its layers, which are averaged in the same
    way.

    The loop calls `begin` once, `after_update` and `after_epoch` during training,
    `shown` around each validation, and `end` once.
    """

    def __init__(self) -> None:
        self._average: FlatVector | None = None
        self._in_training: FlatVector | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is an average yet."""
        return self._average is not None

    def begin(self, weights: FlatVector) -> None:
        """Restore the weights in training, unless weights were set after `end`."""
        if self._in_training is None:
            return
        if self._average is not None and np.array_equal(weights, self._average):
            weights[:] = self._in_training
        else:
            self._average = None
            self._restart()
        self._in_training = None

    def end(self, weights: FlatVector) -> None:
        """Replace `weights` with the average, and keep them for a later call."""
        average = self._compute(weights)
        if average is not None:
            self._in_training = weights.copy()
            weights[:] = average

    @contextmanager
    def shown(self, weights: FlatVector) -> Iterator[None]:
        """Replace `weights` with the average inside a context."""
        average = self._compute(weights)
        if average is None:
            yield
            return
        in_training = weights.copy()
        weights[:] = average
        try:
            yield
        finally:
            weights[:] = in_training

    def has_settings_of(self, other: Average | None) -> bool:
        """Return whether the other object would average in the same way."""
        return type(self) is type(other)

    def after_update(self, weights: FlatVector) -> None:  # noqa: B027  optional
        """Take note of the weights after an update."""

    def after_epoch(self, weights: FlatVector) -> None:  # noqa: B027  optional
        """Take note of the weights after an epoch."""

    def _compute(
        self,
        weights: FlatVector,  # noqa: ARG002  for subclasses
    ) -> FlatVector | None:
        """Return the average, if there is one, given the weights in training."""
        return self._average

    @abstractmethod
    def _restart(self) -> None:
        """Forget the weights so far."""

    def _add(self, weights: FlatVector, share: float) -> None:
        """Update the average to ``(1 - share) * average + share * weights``."""
        if self._average is None:
            self._average = weights.copy()
            return
        self._average *= 1 - share
        axpy(share, weights, self._average)


class ExponentialAverage(Average):
    """An exponential moving average, updated after each update of the weights.

    ``average = decay * average + (1 - decay) * weights``, starting from 0 and divided
    by ``1 - decay ** n_updates``, so that the initial weights have no share in it.

    Parameters
    ----------
    decay : float
        Between 0 and 1.

    Examples
    --------
    >>> average, weights = ExponentialAverage(0.5), np.zeros(1)
    >>> for weights[0] in (1.0, 4.0):
    ...     average.after_update(weights)
    >>> average.end(weights)
    >>> weights
    array([3.])
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self._restart()

    @override
    def has_settings_of(self, other: Average | None) -> bool:
        return isinstance(other, ExponentialAverage) and self.decay == other.decay

    @override
    def after_update(self, weights: FlatVector) -> None:
        self.n_updates += 1
        # Let a_n be the average and D_n = 1 - decay ** n. Then D_n * a_n is the decayed
        # sum: D_n * a_n = decay * D_(n-1) * a_(n-1) + (1 - decay) * weights.
        share = (1 - self.decay) / (1 - self.decay**self.n_updates)
        self._add(weights, share)
        if self._average is not None and subnormal.is_due(self.n_updates):
            subnormal.clear_small_weights(self._average)

    @override
    def _restart(self) -> None:
        self.n_updates = 0


class EpochAverage(Average):
    """The mean of the weights after each epoch of the last quarter [1]_.

    Parameters
    ----------
    n_epochs : int
        Number of epochs of the whole training.

    References
    ----------
    .. [1] P. Izmailov et al., "Averaging weights leads to wider optima and better
       generalization", UAI 2018.
    """

    def __init__(self, n_epochs: int) -> None:
        super().__init__()
        # The first epoch that counts. With fewer than four, only the last one does.
        self.first = int(_SWA_BEGINS * n_epochs) + 1
        self.epoch = 0
        self._restart()

    @override
    def has_settings_of(self, other: Average | None) -> bool:
        return isinstance(other, EpochAverage) and self.first == other.first

    @override
    def after_epoch(self, weights: FlatVector) -> None:
        self.epoch += 1
        if self.epoch >= self.first:
            self.n_averaged += 1
            self._add(weights, 1 / self.n_averaged)

    @override
    def _restart(self) -> None:
        self.n_averaged = 0


class OptimizersAverage(Average):
    """The average that an optimizer keeps itself.

    Parameters
    ----------
    optimizer : Optimizer
    n_weights : int
        Length of the flat vector. The buffers after it are not averaged.
    """

    def __init__(self, optimizer: Optimizer, n_weights: int) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.n_weights = n_weights

    @override
    def _compute(self, weights: FlatVector) -> FlatVector | None:
        if self._average is None:
            self._average = np.empty_like(weights)
        self._average[:] = weights
        n = self.n_weights
        differs = self.optimizer.average(weights[:n], self._average[:n])
        return self._average if differs else None

    @override
    def _restart(self) -> None:
        self.optimizer.restart()
