"""Averages of the weights, to validate and to predict by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers import Optimizer

SWA = "swa"


# Stochastic weight averaging begins after this share of the epochs.
_SWA_BEGINS = 0.75


class Average(ABC):
    """Weights other than those in training, which validation and prediction use.

    Between the calls of an incremental training the network has the average, and the
    weights in training are kept here. All methods are given a network's `state`: its
    weights, and the buffers of its layers, which are averaged alike.
    """

    def __init__(self) -> None:
        self._average: np.ndarray | None = None
        self._trained: np.ndarray | None = None

    @property
    def has_begun(self) -> bool:
        """Whether there is an average yet."""
        return self._average is not None

    def begin(self, weights: np.ndarray) -> None:
        """Put the weights in training back, unless others were set meanwhile."""
        if self._trained is None:
            return
        if self._average is not None and np.array_equal(weights, self._average):
            weights[:] = self._trained
        else:
            self._average = None
            self._restart()
        self._trained = None

    def end(self, weights: np.ndarray) -> None:
        """Put the average in the place of `weights`, and keep those for later."""
        average = self._compute(weights)
        if average is not None:
            self._trained = weights.copy()
            weights[:] = average

    @contextmanager
    def shown(self, weights: np.ndarray) -> Iterator[None]:
        """Put the average in the place of `weights` for a while."""
        average = self._compute(weights)
        if average is None:
            yield
            return
        trained = weights.copy()
        weights[:] = average
        try:
            yield
        finally:
            weights[:] = trained

    def update_ends(self, weights: np.ndarray) -> None:
        """Take note of the weights after an update."""
        return None

    def epoch_ends(self, weights: np.ndarray) -> None:
        """Take note of the weights after an epoch."""
        return None

    def _compute(self, weights: np.ndarray) -> np.ndarray | None:
        return self._average

    @abstractmethod
    def _restart(self) -> None:
        """Forget the weights so far."""

    def _add(self, weights: np.ndarray, share: float) -> None:
        """Let `weights` make up so much of the average."""
        if self._average is None:
            self._average = weights.copy()
            return
        self._average *= 1 - share
        axpy(share, weights, self._average)


class ExponentialAverage(Average):
    """After each update ``average = decay * average + (1 - decay) * weights``.

    Divided by ``1 - decay ** n_updates``, so that the weights training started from
    are no part of it.

    Parameters
    ----------
    decay : float

    Examples
    --------
    >>> average, weights = ExponentialAverage(0.5), np.zeros(1)
    >>> for weights[0] in (1.0, 4.0):
    ...     average.update_ends(weights)
    >>> average.end(weights)
    >>> weights
    array([3.])
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self._restart()

    def update_ends(self, weights: np.ndarray) -> None:
        self.n_updates += 1
        share = (1 - self.decay) / (1 - self.decay**self.n_updates)
        self._add(weights, share)

    def _restart(self) -> None:
        self.n_updates = 0


class EpochAverage(Average):
    """The mean of the weights after each epoch of the last quarter [1]_.

    Parameters
    ----------
    n_epochs : int
        Those of the whole training.

    References
    ----------
    .. [1] P. Izmailov et al., "Averaging weights leads to wider optima and better
       generalization", UAI 2018.
    """

    def __init__(self, n_epochs: int) -> None:
        super().__init__()
        # The first epoch that counts: the last one of few.
        self.first = int(_SWA_BEGINS * n_epochs) + 1
        self.epoch = 0
        self._restart()

    def epoch_ends(self, weights: np.ndarray) -> None:
        self.epoch += 1
        if self.epoch >= self.first:
            self.n_averaged += 1
            self._add(weights, 1 / self.n_averaged)

    def _restart(self) -> None:
        self.n_averaged = 0


class OptimizersAverage(Average):
    """What an optimizer averages by itself.

    Parameters
    ----------
    optimizer : Optimizer
    n_weights : int
        Buffers come behind them, and stay as they are in training.
    """

    def __init__(self, optimizer: Optimizer, n_weights: int) -> None:
        super().__init__()
        self.optimizer = optimizer
        self.n_weights = n_weights

    def _compute(self, weights: np.ndarray) -> np.ndarray | None:
        if self._average is None:
            self._average = np.empty_like(weights)
        self._average[:] = weights
        n = self.n_weights
        is_other = self.optimizer.average(weights[:n], self._average[:n])
        return self._average if is_other else None

    def _restart(self) -> None:
        self.optimizer.restart()
