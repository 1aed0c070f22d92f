"""The base class of optimizers, which update a flat vector of weights in place."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np

from skconvnet._foreign_words import OPTIMIZER_PARAMETERS, Words
from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.chunking import CHUNK_SIZE, SMALLEST_WORTH_A_THREAD
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.workspace import Run, Workspace
from skconvnet.optimizers.layout import Chunk, WeightArray, cut
from skconvnet.params.base import Params

# Attributes that are not pickled, but recreated: views of the moments, and scratch.
_DERIVED = {"_chunks", "_uses_threads", "_moments_of_chunks", "_workspaces"}


class ChunkArrays(NamedTuple):
    """The arrays that an update rule works on: one chunk of each vector.

    Attributes
    ----------
    weights, gradient : ndarray of shape (n,)
        Read only.
    moments : list of ndarray of shape (n,)
        The state of the optimizer, updated in place.
    step, scratch : ndarray of shape (n,)
        Temporary arrays with arbitrary contents.
    number : int
        The number of the chunk.
    decay_factor : float
        The weight decay of the chunk, as a multiple of that of the optimizer.
    matrices : MatrixForm or None
        How the chunk is a matrix, if it is an array that is updated as a whole.
    workspace : Workspace
        Other temporary arrays, which belong to the thread.
    """

    weights: FlatVector
    gradient: FlatVector
    moments: list[FlatVector]
    step: FlatVector
    scratch: FlatVector
    number: int
    decay_factor: float
    matrices: MatrixForm | None
    workspace: Workspace


class ChunkRegularizer(Protocol):
    """Operations on each chunk of the vector before and after its update.

    The training loop passes a `skconvnet.training.regularization.Regularizer`. Both
    methods are called from several threads, each for different chunks.
    """

    def before(self, chunk: slice, weights: FlatVector, gradient: FlatVector) -> None:
        """Change the gradient of a chunk before its weights are updated.

        Parameters
        ----------
        chunk : slice
            Position of the chunk in the flat vector.
        weights, gradient : ndarray of shape (chunk.stop - chunk.start,)
            The chunk of each vector. The gradient is modified in place.
        """

    def after(self, chunk: slice, weights: FlatVector) -> bool:
        """Change the updated weights of a chunk.

        Returns
        -------
        may_hold_zeros : bool
            Whether weights may have been set to zero that should stay zero.
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
    """An update rule and its state, which the first step creates.

    The state consists of vectors as long as the weights, called moments. An estimator
    trains with a clone of an optimizer, which has no state yet.

    Attributes
    ----------
    n_steps : int
        Number of updates so far.
    predicts_by_average : bool
        Class attribute: whether the weights for prediction differ from those in
        training, see `average`.
    chunk_size : int
        Maximum number of elements that one thread updates at once. Set it before the
        first step.
    """

    _words: ClassVar[Words] = OPTIMIZER_PARAMETERS
    predicts_by_average: ClassVar[bool] = False
    n_steps = 0
    chunk_size: int = CHUNK_SIZE

    _arrays: tuple[WeightArray, ...] = ()
    _moments: list[FlatVector]
    _chunks: list[Chunk]
    _uses_threads: bool
    _moments_of_chunks: list[list[FlatVector]]
    _workspaces: dict[int, Workspace]

    @property
    def n_moments(self) -> int:
        """Number of moments; subclasses may define it as a class attribute."""
        return 0

    @property
    def decays_weights(self) -> bool:
        """Whether steps decrease all weights by a `weight_decay`, if there is one."""
        return getattr(self, "weight_decay", 0.0) > 0

    def lay_out(self, arrays: Iterable[WeightArray]) -> None:
        """Take note of the arrays that the flat vector consists of.

        Training calls this before its first step. Without it, all weights are updated
        in the same way.

        Parameters
        ----------
        arrays : iterable of WeightArray
            All arrays, in the order of the vector. Their factors may differ from those
            that were given before.
        """
        arrays = tuple(arrays)
        if arrays != self._arrays:
            self._arrays = arrays
            for name in _DERIVED:
                self.__dict__.pop(name, None)

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
            Only the regularizer changes the gradient.
        rate : float
            The learning rate.
        run : callable, default=None
            A function such that ``run(n, task)`` calls ``task(i, thread)`` for each of
            n chunks, on several threads. None updates the chunks one after the other on
            the calling thread.
        regularizer : ChunkRegularizer, default=None
            Called before and after the update of each chunk.
        """
        self._prepare(weights)
        self.n_steps += 1
        self._begin_step(rate)
        chunks, moments = self._chunks, self._moments_of_chunks

        def task(i: int, thread: int) -> None:
            position, rate_factor, decay_factor, matrices = chunks[i]
            w, g = weights[position], gradient[position]
            workspace = self._workspaces.setdefault(thread, Workspace())
            step = workspace.array("step", w.shape, w.dtype)
            scratch = workspace.array("scratch", w.shape, w.dtype)
            if regularizer is not None:
                regularizer.before(position, w, g)
            arrays = ChunkArrays(
                w, g, moments[i], step, scratch, i, decay_factor, matrices, workspace
            )
            factor, direction = self._update(arrays, rate * rate_factor)
            if rate_factor:  # otherwise, momentum could still move the weights
                axpy(factor, direction, w)
            if regularizer is not None and regularizer.after(position, w):
                self._keep_zeros(arrays)

        if run is not None and self._uses_threads:
            run(len(chunks), task)
            return
        for i in range(len(chunks)):
            task(i, 0)

    def average(
        self,
        weights: FlatVector,  # noqa: ARG002  for subclasses
        out: FlatVector,  # noqa: ARG002  for subclasses
    ) -> bool:
        """Write the weights for prediction, if they differ from those in training.

        Parameters
        ----------
        weights : ndarray of shape (n_weights,)
            The weights in training.
        out : ndarray of shape (n_weights,)
            Overwritten only if the result is True.

        Returns
        -------
        differ : bool
            False for most optimizers, whose weights in training are also used for
            prediction.
        """
        return False

    def why_unchanged(self) -> str | None:
        """Return why the weights for prediction are still those of the start, if so."""
        return None

    def restart(self) -> None:
        """Discard the state, because the weights were replaced."""
        kept = {*self.get_params(deep=False), "chunk_size", "_arrays"}
        for name in set(vars(self)) - kept:
            delattr(self, name)

    @property
    def vectors(self) -> list[FlatVector]:
        """The moments, which do not exist before the first step."""
        moments: list[FlatVector] = vars(self).get("_moments", [])
        return moments

    def take_state(self, other: Self) -> None:
        """Go on with the state of another optimizer, which must not be used again."""
        for name in _DERIVED:
            self.__dict__.pop(name, None)
        own = {name: v for name, v in vars(other).items() if name not in _DERIVED}
        self.__dict__.update(own)

    def _begin_step(self, rate: float) -> None:
        """Update the part of the state that all weights share."""

    def _keep_zeros(self, arrays: ChunkArrays) -> None:
        """Change the moments so that weights that were set to zero can stay zero."""

    @abstractmethod
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        """Update the moments of a chunk, and return the change of its weights.

        Parameters
        ----------
        arrays : ChunkArrays
        rate : float
            The learning rate of the chunk.

        Returns
        -------
        factor : float
        direction : ndarray of shape (n,)
            ``factor * direction`` is added to the weights.
        """

    def _prepare(self, weights: FlatVector) -> None:
        """Allocate the state and divide it into chunks, if not yet done."""
        if "_moments" not in vars(self):
            self._moments = [np.zeros_like(weights) for _ in range(self.n_moments)]
        if "_chunks" not in vars(self):
            chunks = self._cut(weights.size)
            # The longest first, so that no thread is left with one at the end.
            self._chunks = sorted(chunks, key=self._work, reverse=True)
            for_others = sum(self._work(chunk) for chunk in self._chunks[1:])
            self._uses_threads = for_others >= SMALLEST_WORTH_A_THREAD
            self._moments_of_chunks = [
                [moment[chunk.position] for moment in self._moments]
                for chunk in self._chunks
            ]
            self._workspaces = {}

    def _cut(self, size: int) -> list[Chunk]:
        """Cut the flat vector into chunks."""
        return cut(self._arrays, size, self.chunk_size, lambda _: False)

    def _work(self, chunk: Chunk) -> float:
        """Return how many elements are updated in the time that a chunk takes."""
        n_elements: int = chunk.position.stop - chunk.position.start
        return n_elements

    @override
    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in _DERIVED}
