"""Samples, which are converted for the network when they are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, issparse

from skconvnet._typing import FeatureMap, Image, Index, Lengths, Rows, Shape
from skconvnet.engine.finite import all_finite, check_samples, may_overflow
from skconvnet.ops.layout import channels_last, copy_maps, map_shape
from skconvnet.ops.workspace import Workspace

if TYPE_CHECKING:
    from skconvnet.engine.executor import Executor
    from skconvnet.engine.minibatches import Samples
    from skconvnet.engine.ragged import MapList

_Result = TypeVar("_Result")

_SAMPLES_AT_A_TIME = 256


class Inputs:
    """Samples that are converted when they are read.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, ...)
        Rows or maps of any real dtype. May be a memory map, since it is never copied as
        a whole.
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        Dtype of the arrays that `read` returns.
    name : str, default="X"
        What the user calls X, for error messages.
    channels_first : bool, default=False
        Whether X has the channels before the spatial axes, or rows are in that order.
    """

    def __init__(
        self,
        X: Image | csr_matrix | MapList,
        in_shape: Shape,
        dtype: npt.DTypeLike,
        name: str = "X",
        *,
        channels_first: bool = False,
    ) -> None:
        self.is_sparse = issparse(X)
        # Any, since the type of X[index] differs between the three.
        self.X: Any = X
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)
        self.channels_first = channels_first
        self.name = name
        self.may_overflow = may_overflow(self.X.dtype, self.dtype)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def read(self, index: Index, workspace: Workspace) -> FeatureMap:
        """Return the samples at `index`, batch last, in the network's dtype.

        Sparse rows stay sparse.

        Raises
        ------
        ValueError
            If a value is too large for the network's dtype.
        """
        if not self.may_overflow:
            return self._read(index, workspace)
        with np.errstate(over="ignore"):
            x = self._read(index, workspace)
            values = np.asarray(x.data).astype(self.dtype) if self.is_sparse else x
        if not all_finite(values.T if len(self.in_shape) == 1 else values):
            self._refuse_overflow(index)
        return x

    def _read(self, index: Index, workspace: Workspace) -> FeatureMap:
        if self.is_sparse:
            sparse: FeatureMap = self.X[index].T
            return sparse
        if len(self.in_shape) == 1:
            return self._read_rows(index, workspace).T
        samples = self._take(index, workspace)
        # Reshaped only now, since reshaping X might copy all of it.
        if self.channels_first:
            *spatial, channels = self.in_shape
            samples = samples.reshape(-1, channels, *spatial)
            samples = np.moveaxis(samples, 1, -1)
        else:
            samples = samples.reshape(-1, *self.in_shape)
        x = workspace.array("x", map_shape(self.in_shape, len(samples)), self.dtype)
        copy_maps(samples, channels_last(x))
        return x

    def _refuse_overflow(self, index: Index) -> None:
        """Raise a ValueError if a sample at `index` is too large for the dtype."""
        samples = self.X[index]
        if self.is_sparse:
            samples = samples.toarray()
        check_samples(samples, index_numbers(index), self.dtype, self.name)

    def check(self) -> None:
        """Raise a ValueError if any value of X is too large for the dtype."""
        if not self.may_overflow:
            return
        workspace = Workspace()
        for start in range(0, len(self), _SAMPLES_AT_A_TIME):
            index = slice(start, min(start + _SAMPLES_AT_A_TIME, len(self)))
            for positions in self.groups(index):
                self.read(index_at(index, positions), workspace)

    @property
    def shapes(self) -> set[Shape]:
        """The set of all shapes of samples."""
        return {self.in_shape}

    @property
    def is_sharded(self) -> bool:
        """Whether samples are not in memory, and are read fast in their order only."""
        return False

    def in_stored_order(self) -> Self:
        """Return the same samples, which will be read in the order that X has."""
        return self

    def mixed_order(
        self,
        index: npt.NDArray[np.integer] | None,  # noqa: ARG002  for sharded samples
        rng: np.random.RandomState,  # noqa: ARG002  the same
    ) -> npt.NDArray[np.integer] | None:
        """Return an order for the next epoch in which samples are read fast.

        Parameters
        ----------
        index : ndarray of int or None
            The samples of the epoch. None means all.
        rng : RandomState

        Returns
        -------
        order : ndarray of int or None
            Positions in `index`. None if any order is as fast, so that the caller may
            choose one.
        """
        return None

    @property
    def make_executor(self) -> Callable[..., Executor] | None:
        """What makes an executor that trains on these samples; None for the usual."""
        return None

    def map_places(
        self, function: Callable[[Samples], _Result], samples: Samples
    ) -> list[_Result]:
        """Return ``function(samples)`` for the samples in each place, in order.

        They are all in this process, unless shards are on other machines. `function`
        can be pickled.
        """
        return [function(samples)]

    def groups(self, index: Index) -> list[Index]:
        """Return groups of positions in `index`, whose samples may be read together."""
        return [slice(0, index_length(index))]

    def shape_of(
        self,
        index: Index,  # noqa: ARG002  for samples of different sizes
    ) -> Shape:
        """Return the shape that `read` gives the samples at `index`."""
        return self.in_shape

    @property
    def has_one_size(self) -> bool:
        """Whether all samples of X have the same shape, perhaps with padding tokens."""
        return True

    def lengths_of(
        self,
        index: Index,  # noqa: ARG002  for samples of different lengths
    ) -> Lengths | None:
        """Return the lengths of the samples at `index`, None if `read` pads none."""
        return None

    def as_read(
        self,
        values: npt.NDArray[Any],
        index: Index,  # noqa: ARG002  for samples that `read` rearranges
    ) -> npt.NDArray[Any]:
        """Return values per position, (n, *spatial, ...), with positions as `read` has.

        They are those of the samples at `index`.
        """
        return values

    def in_order(
        self,
        maps: Image,
        index: Index,  # noqa: ARG002  for samples that `read` rearranges
        length: int,  # noqa: ARG002  for samples that `read` cuts off
    ) -> Image:
        """Return maps of the samples at `index` with their positions as in X.

        Parameters
        ----------
        maps : ndarray of shape (n, *spatial, channels)
        index : ndarray of int or slice
        length : int
            How many positions maps have along the first spatial axis for whole samples.
        """
        return maps

    def _read_rows(self, index: Index, workspace: Workspace) -> Rows:
        taken = self._take(index, workspace)
        if isinstance(index, slice):
            # Before version 2.3, NumPy does not use BLAS to multiply rows with gaps.
            has_gaps = taken.itemsize not in taken.strides
            if has_gaps or taken.dtype != self.dtype:
                return taken.astype(self.dtype, order="C")
            return taken
        if taken.dtype == self.dtype:
            return taken
        rows = workspace.array("rows", taken.shape, self.dtype)
        np.copyto(rows, taken, casting="unsafe")
        return rows

    def _take(self, index: Index, workspace: Workspace) -> Image:
        """Return the samples at `index` in the dtype of X, as a view if possible."""
        if isinstance(index, slice):
            view: Image = self.X[index]
            return view
        X = self.X
        taken = workspace.array("taken", (len(index), *X.shape[1:]), X.dtype)
        if X.flags.c_contiguous:
            # The indices are valid; with "clip", `take` needs no copy of its output.
            np.take(X, index, axis=0, out=taken, mode="clip")
        else:  # of which `take` would copy all
            np.copyto(taken, X[index])
        return taken


def index_length(index: Index) -> int:
    """Return how many samples `index` selects; a slice has a start and a stop."""
    if isinstance(index, slice):
        return int(index.stop - index.start)
    return len(index)


def index_numbers(index: Index) -> npt.NDArray[np.integer]:
    """Return the numbers of the samples that `index` selects.

    >>> index_numbers(slice(10, 13))
    array([10, 11, 12])
    """
    return np.arange(index.start, index.stop) if isinstance(index, slice) else index


def index_at(index: Index, positions: Index) -> Index:
    """Return the elements of `index` at `positions`.

    >>> index_at(slice(10, 20), slice(2, 5)), index_at(slice(10, 20), np.array([1, 3]))
    (slice(12, 15, None), array([11, 13]))
    """
    if not isinstance(index, slice):
        chosen: Index = index[positions]
        return chosen
    start: int = index.start
    if not isinstance(positions, slice):
        return positions + start
    return slice(start + positions.start, start + positions.stop)
