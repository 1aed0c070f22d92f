"""The arrays that the flat vector of weights consists of, as optimizers see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from skconvnet.ops.chunking import chunks_of
from skconvnet.ops.matrix_form import MatrixForm


class WeightArray(NamedTuple):
    """A named array in the flat vector.

    Attributes
    ----------
    name : str
        For example ``"conv1/kernel"``.
    position : slice
    matrices : MatrixForm or None
        How the array is a matrix, if it is one that is neither in the first layer nor
        in the last one.
    rate_factor : float
        The learning rate of the array, as a multiple of that of the training.
    decay_factor : float
        The weight decay of the array, as a multiple of that of the optimizer.
    """

    name: str
    position: slice
    matrices: MatrixForm | None = None
    rate_factor: float = 1.0
    decay_factor: float = 1.0


class Chunk(NamedTuple):
    """A slice of the flat vector that one thread updates at once.

    Attributes
    ----------
    position : slice
    rate_factor, decay_factor : float
        As in `WeightArray`.
    matrices : MatrixForm or None
        None unless the chunk is an array that must be updated as a whole.
    """

    position: slice
    rate_factor: float = 1.0
    decay_factor: float = 1.0
    matrices: MatrixForm | None = None


def cut(
    arrays: Sequence[WeightArray],
    size: int,
    chunk_size: int,
    is_whole: Callable[[MatrixForm], bool],
) -> list[Chunk]:
    """Cut the flat vector into chunks.

    Parameters
    ----------
    arrays : sequence of WeightArray
        All arrays, in the order of the vector. If there are none, it is cut anywhere.
    size : int
        Number of elements of the vector.
    chunk_size : int
        Maximum number of elements of a chunk, unless it is a matrix.
    is_whole : callable
        Whether a hidden matrix is to be a chunk of its own.

    Examples
    --------
    >>> dense = MatrixForm.dense((3, 2))
    >>> arrays = [
    ...     WeightArray("a/kernel", slice(0, 6), dense),
    ...     WeightArray("a/bias", slice(6, 8)),
    ...     WeightArray("b/bias", slice(8, 10)),
    ... ]
    >>> [chunk.position for chunk in cut(arrays, 10, 100, lambda form: True)]
    [slice(0, 6, None), slice(6, 10, None)]
    >>> [chunk.position for chunk in cut(arrays, 10, 100, lambda form: False)]
    [slice(0, 10, None)]
    """
    chunks: list[Chunk] = []
    for whole, run in _runs(arrays or [WeightArray("", slice(0, size))], is_whole):
        start, stop = run[0].position.start, run[-1].position.stop
        factors = run[0].rate_factor, run[0].decay_factor
        if whole:
            chunks.append(Chunk(slice(start, stop), *factors, run[0].matrices))
            continue
        for chunk in chunks_of(stop - start, chunk_size):
            position = slice(start + chunk.start, start + chunk.stop)
            chunks.append(Chunk(position, *factors))
    return chunks


def _runs(
    arrays: Sequence[WeightArray], is_whole: Callable[[MatrixForm], bool]
) -> Iterator[tuple[bool, list[WeightArray]]]:
    """Yield single matrices, and arrays in a row that have the same factors."""

    def key(array: WeightArray) -> tuple[str | None, float, float]:
        whole = array.matrices is not None and is_whole(array.matrices)
        return (array.name if whole else None), array.rate_factor, array.decay_factor

    for (name, *_), run in groupby(arrays, key):
        yield name is not None, list(run)
