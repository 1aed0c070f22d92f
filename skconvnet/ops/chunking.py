"""Cutting a flat vector into chunks that threads update at the same time."""

from __future__ import annotations

# Elements of the longest chunk. With smaller chunks, threads contend for the
# interpreter's lock more often, which costs more than better use of the cache saves.
CHUNK_SIZE = 524_288

# Fewer elements are updated before another thread has woken up.
SMALLEST_WORTH_A_THREAD = 65_536
# A vector of at most this many elements is one chunk.
_SMALLEST_WORTH_CUTTING = 2 * SMALLEST_WORTH_A_THREAD


def chunks_of(size: int, chunk_size: int = CHUNK_SIZE) -> list[slice]:
    """Cut a vector into one chunk or an even number of chunks of equal length.

    Parameters
    ----------
    size : int
        Number of elements of the vector.
    chunk_size : int, default=524288
        Largest number of elements of a chunk.

    Returns
    -------
    chunks : list of slice
        The chunks in order, which together cover the vector.

    Examples
    --------
    >>> chunks_of(100_000)
    [slice(0, 100000, None)]
    >>> chunks_of(200_000)
    [slice(0, 100000, None), slice(100000, 200000, None)]
    >>> chunks_of(7, chunk_size=3)
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None), slice(6, 7, None)]
    """
    is_one = size <= min(_SMALLEST_WORTH_CUTTING, chunk_size)
    n_chunks = 1 if is_one else 2 * -(-size // (2 * chunk_size))
    length = max(-(-size // n_chunks), 1)
    return [slice(i, min(i + length, size)) for i in range(0, size, length)]
