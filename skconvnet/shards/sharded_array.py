"""An array of samples that stay where they are stored."""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_int
from skconvnet._typing import Shape
from skconvnet.shards.sources import as_source

# A shard is about as large, unless `shard_size` is given.
_BYTES_PER_SHARD = 2**23


class ShardedArray:
    """Samples that are read shard by shard, so that they need not fit into memory.

    Estimators of this package take one as X, in `fit` and in predictions. A shard is a
    number of consecutive samples that are read at once. In training, the order of the
    shards is shuffled in each epoch; `n_mixed` of them at a time are held in memory,
    where their samples are shuffled together, while another thread reads the next ones.

    Slices and arrays of numbers select samples without reading them, so that
    cross-validation and searches work as well.

    Parameters
    ----------
    source : object, path or list of paths
        Where the samples are: an object with shape, dtype and slicing, such as a memory
        map, an ``h5py.Dataset`` or a ``zarr.Array``; the path of a .npy file; a list of
        such paths, whose rows follow one another; or a ShardedArray, to cut it into
        other shards.
    shard_size : int, default=None
        The number of samples in a shard. None means as many as have about 8 MB; if the
        source stores samples in chunks, a multiple of these.
    n_mixed : int, default=4
        The number of shards whose samples are shuffled together. The larger it is, the
        more alike is the order to that of samples in memory.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, ...)
    dtype : dtype
    ndim : int

    Notes
    -----
    In training, at most ``3 * n_mixed`` shards are in memory. `predict`, `score` and
    early stopping read samples in the order in which they are stored.

    Numbers are checked when they are read: NaN or infinity ends a fit with an error
    that names the sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.shards import ShardedArray
    >>> rows = np.random.default_rng(0).normal(size=(1000, 4))
    >>> X, y = ShardedArray(rows, shard_size=100), rows[:, 0] > 0
    >>> X
    ShardedArray(shape=(1000, 4), dtype=float64, shard_size=100, n_mixed=4)
    >>> clf = MLPClassifier((8,), learning_rate_init=0.02, tol=0.01, random_state=0)
    >>> bool(clf.fit(X, y).score(X, y) > 0.9)
    True
    """

    # The class of the inputs that read the samples; None for the usual one.
    inputs_type: ClassVar[type | None] = None

    def __init__(
        self,
        source: object,
        shard_size: int | None = None,
        n_mixed: int = 4,
    ) -> None:
        # The rows of the source that are selected. None means all.
        self._numbers: npt.NDArray[np.integer] | None = None
        if isinstance(source, ShardedArray):
            self.__dict__.update(vars(source))
        else:
            self._source = as_source(source)
        self.n_mixed = check_int("n_mixed", n_mixed)
        own = self._source
        if len(own.shape) < 2:
            raise ValueError(
                "source must have a row for each sample, so at least two axes; got "
                f"shape {own.shape}."
            )
        if own.dtype.kind not in "fiub":
            raise ValueError(f"source must be numeric; got dtype {own.dtype}.")
        if shard_size is None:
            shard_size = _usual_size(own.shape, own.dtype, own.rows_per_chunk)
        self.shard_size = check_int("shard_size", shard_size)

    @property
    def shape(self) -> Shape:
        """The number of samples, and the shape of one of them."""
        return (len(self), *self._source.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the source."""
        return self._source.dtype

    @property
    def ndim(self) -> int:
        """The number of axes, that of the samples included."""
        return len(self._source.shape)

    @property
    def size(self) -> int:
        """How many numbers all samples have."""
        return prod(self.shape)

    def __len__(self) -> int:
        return self._source.shape[0] if self._numbers is None else len(self._numbers)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401  as for an array
        """Return the samples at a slice, or at an array of numbers, without reading.

        A single number gives the sample itself, an array.
        """
        if isinstance(index, tuple):  # X[rows, ...], as scikit-learn writes it
            index = self._rows_of(index)
        if np.ndim(index) == 0 and not isinstance(index, slice):
            return self.read_rows(self.numbers[[index]])[0]
        chosen = object.__new__(type(self))
        chosen.__dict__.update(self.__dict__)
        chosen._numbers = self.numbers[_checked_index(index)]
        return chosen

    def _rows_of(self, index: tuple[Any, ...]) -> Any:  # noqa: ANN401  as for an array
        rows, *others = index
        if any(not (own is Ellipsis or own == slice(None)) for own in others):
            raise TypeError(
                f"A {type(self).__name__} selects whole samples, as in X[numbers]; got "
                f"X[{', '.join(map(repr, index))}]."
            )
        return rows

    @property
    def numbers(self) -> npt.NDArray[np.integer]:
        """The rows of the source that the samples are."""
        if self._numbers is None:
            return np.arange(self._source.shape[0])
        return self._numbers

    @property
    def n_shards(self) -> int:
        """How many shards the source has."""
        return -(-self._source.shape[0] // self.shard_size)

    @property
    def order_params(self) -> dict[str, object]:
        """What the order of samples in training depends on, by names for messages."""
        return {"shard_size": self.shard_size, "n_mixed": self.n_mixed}

    def shards_of(
        self, index: npt.NDArray[np.integer]
    ) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
        """Return the shards that samples belong to, and their positions in these."""
        return np.divmod(self.rows_at(index), self.shard_size)

    def rows_at(self, index: npt.NDArray[np.integer]) -> npt.NDArray[np.integer]:
        """Return the rows of the source that samples are, none counted from the end.

        Unlike `numbers`, this takes no longer for more samples.
        """
        return index if self._numbers is None else self._numbers[index]

    def read_shard(self, shard: int) -> npt.NDArray[Any]:
        """Return all rows of the source that belong to a shard."""
        start = shard * self.shard_size
        stop = min(start + self.shard_size, self._source.shape[0])
        return self._source.read(start, stop)

    def read(self, numbers: Any) -> npt.NDArray[Any]:  # noqa: ANN401  as for an array
        """Return some of the samples, of which there should be few, as an array.

        Parameters
        ----------
        numbers : slice or array-like of int or bool
            Which samples, as in ``X[numbers]``.
        """
        return self.read_rows(self.numbers[_checked_index(numbers)])

    def read_rows(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[Any]:
        """Return a few rows of the source, by their numbers in it."""
        values = np.empty((len(rows), *self._source.shape[1:]), self.dtype)
        order = np.argsort(rows, kind="stable")
        for run in _runs(rows[order]):
            first, last = (int(rows[order[end]]) for end in (run.start, run.stop - 1))
            values[order[run]] = self._source.read(first, last + 1)
        return values

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:  # noqa: ANN401  NumPy's protocol
        raise TypeError(
            f"A {type(self).__name__} is not converted to an array, which may be "
            "larger than memory. The estimators of skconvnet take it as X; to others, "
            "pass some samples, X.read(numbers)."
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(shape={self.shape}, dtype={self.dtype}, "
            f"shard_size={self.shard_size}, n_mixed={self.n_mixed})"
        )


def _checked_index(index: Any) -> Any:  # noqa: ANN401  as for an array
    """Return a slice, or an array of one axis, that selects samples."""
    if isinstance(index, slice):
        return index
    numbers = np.asarray(index)
    if numbers.size == 0 and numbers.dtype.kind == "f":  # an empty list
        numbers = numbers.astype(np.intp)
    if numbers.ndim != 1:
        raise IndexError(
            "Samples are selected by a slice, or by an array of one axis; got one of "
            f"shape {numbers.shape}."
        )
    return numbers


def _usual_size(shape: Shape, dtype: np.dtype[Any], rows_per_chunk: int) -> int:
    """Return how many rows have about `_BYTES_PER_SHARD`, in whole chunks.

    >>> _usual_size((10**6, 1024), np.dtype(np.uint8), rows_per_chunk=1)
    8192
    >>> _usual_size((10**6, 1024), np.dtype(np.uint8), rows_per_chunk=1000)
    8000
    """
    bytes_per_row = max(prod(shape[1:]) * dtype.itemsize, 1)
    n_rows = max(_BYTES_PER_SHARD // bytes_per_row, 1)
    return max(n_rows // rows_per_chunk, 1) * rows_per_chunk


def _runs(numbers: npt.NDArray[np.integer]) -> list[slice]:
    """Return slices of sorted numbers that follow one another.

    >>> _runs(np.array([3, 4, 5, 9, 10]))
    [slice(0, 3, None), slice(3, 5, None)]
    """
    ends = np.flatnonzero(np.diff(numbers) != 1) + 1
    edges = [0, *ends.tolist(), len(numbers)]
    return [slice(a, b) for a, b in pairwise(edges) if a < b]
