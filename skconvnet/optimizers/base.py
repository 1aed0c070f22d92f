"""The protocol of an optimizer: in-place updates of one flat vector of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple, Protocol

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.chunking import CHUNK_SIZE, chunks_of
from skconvnet.ops.workspace import Run, Workspace
from skconvnet.params.base import Params

# Attributes that a pickled optimizer makes again: views of its moments, and scratch.
_DERIVED = {"_chunks", "_moments_of_chunks", "_workspaces"}


class ChunkArrays(NamedTuple):
    """The arrays that an update rule works on: a chunk of each vector.

    Attributes
    ----------
    weights, gradient : ndarray of shape (n,)
        Only read.
    moments : list of ndarray of shape (n,)
        The optimizer's state, written to.
    step, scratch : ndarray of shape (n,)
        Free to write to; their contents are arbitrary.
    """

    weights: FlatVector
    gradient: FlatVector
    moments: list[FlatVector]
    step: FlatVector
    scratch: FlatVector


class ChunkRegularizer(Protocol):
    """What is done to each chunk of the vector around its update.

    `skconvnet.training.regularization.Regularizer` is the one the training loop passes.
    Both methods are called from several threads, each for chunks of its own.
    """

    def before(self, chunk: slice, weights: FlatVector, gradient: FlatVector) -> None:
        """Change the gradient of a chunk, whose weights are yet to be updated.

        Parameters
        ----------
        chunk : slice
            Where the chunk lies in the flat vector.
        weights, gradient : ndarray of shape (chunk.stop - chunk.start,)
            The chunk itself. The gradient is written to.
        """

    def after(self, chunk: slice, weights: FlatVector) -> bool:
        """Change the updated weights of a chunk.

        Returns
        -------
        may_hold_zeros : bool
            Whether weights may have been set to zero that are meant to stay there.
        """


def update_average(average: FlatVector, decay: float, value: FlatVector) -> None:
    """Set `average` to ``decay * average + (1 - decay) * value``, in place.

    >>> average = np.array([2.0])
    >>> update_average(average, 0.75, np.array([4.0]))
    >>> average
    array([2.5])
    """
    average *= decay
    axpy(1 - decay, value, average)


class Optimizer(Params, ABC):
    """An update rule and its state, which starts at the first step.

    The state is kept as a few vectors as long as the weights, called moments. A clone
    of an optimizer, which is what an estimator trains with, starts without state.

    Attributes
    ----------
    n_steps : int
        Updates made so far.
    chunk_size : int
        Elements of the vector that one thread updates at once, at most. Set it before
        the first step.
    """

    n_steps = 0
    chunk_size: int = CHUNK_SIZE

    _moments: list[FlatVector]
    _chunks: list[slice]
    _moments_of_chunks: list[list[FlatVector]]
    _workspaces: dict[int, Workspace]

    @property
    def n_moments(self) -> int:
        """Number of moments; subclasses may set it as an attribute of the class."""
        return 0

    def step(
        self,
        weights: FlatVector,
        gradient: FlatVector,
        rate: float,
        run: Run | None = None,
        regularizer: ChunkRegularizer | None = None,
    ) -> None:
        """Update `weights` in place.

        Parameters
        ----------
        weights, gradient : ndarray of shape (n_weights,)
            The gradient is changed only by the regularizer.
        rate : float
            The learning rate.
        run : callable, default=None
            ``run(n, task)`` calls ``task(i, thread)`` for each of n chunks, on several
            threads. None updates them one after the other on this thread.
        regularizer : ChunkRegularizer, default=None
            Called before and after the update of each chunk.
        """
        self._prepare(weights)
        self.n_steps += 1
        self._begin_step(rate)
        chunks, moments = self._chunks, self._moments_of_chunks

        def task(i: int, thread: int) -> None:
            chunk = chunks[i]
            w, g = weights[chunk], gradient[chunk]
            workspace = self._workspaces.setdefault(thread, Workspace())
            step = workspace.array("step", w.shape, w.dtype)
            scratch = workspace.array("scratch", w.shape, w.dtype)
            if regularizer is not None:
                regularizer.before(chunk, w, g)
            arrays = ChunkArrays(w, g, moments[i], step, scratch)
            factor, direction = self._update(arrays, rate)
            axpy(factor, direction, w)
            if regularizer is not None and regularizer.after(chunk, w):
                self._keep_zeros(arrays)

        if run is not None:
            run(len(chunks), task)
            return
        for i in range(len(chunks)):
            task(i, 0)

    def average(
        self,
        weights: FlatVector,  # noqa: ARG002 - for subclasses
        out: FlatVector,  # noqa: ARG002 - for subclasses
    ) -> bool:
        """Write the weights to predict with, if they differ from those in training.

        Parameters
        ----------
        weights : ndarray of shape (n_weights,)
            The weights in training.
        out : ndarray of shape (n_weights,)
            Written to only if the result is True.

        Returns
        -------
        differ : bool
            False for most optimizers: the weights in training are the ones to use.
        """
        return False

    def restart(self) -> None:
        """Forget the state, because the weights were replaced."""
        kept = {*self.get_params(deep=False), "chunk_size"}
        for name in set(vars(self)) - kept:
            delattr(self, name)

    def _begin_step(self, rate: float) -> None:
        """Update the part of the state that is the same for all weights."""

    def _keep_zeros(self, arrays: ChunkArrays) -> None:
        """Change the moments so that weights that were set to zero can stay there."""

    @abstractmethod
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        """Update the moments of a chunk, and return what to add to its weights.

        Parameters
        ----------
        arrays : ChunkArrays
        rate : float
            The learning rate.

        Returns
        -------
        factor : float
        direction : ndarray of shape (n,)
            ``factor * direction`` is added to the weights.
        """

    def _prepare(self, weights: FlatVector) -> None:
        """Allocate the state, and cut it into chunks, unless that was done before."""
        if "_moments" not in vars(self):
            self._moments = [np.zeros_like(weights) for _ in range(self.n_moments)]
        if "_chunks" not in vars(self):
            self._chunks = chunks_of(weights.size, self.chunk_size)
            self._moments_of_chunks = [
                [moment[chunk] for moment in self._moments] for chunk in self._chunks
            ]
            self._workspaces = {}

    @override
    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _DERIVED}
