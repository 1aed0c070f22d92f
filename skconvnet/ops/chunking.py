"""Cutting a flat vector into pieces for threads."""

from __future__ import annotations

# Fewer numbers are over before another thread has begun.
_WORTH_CUTTING = 131_072


# Numbers in a piece, at most: threads meet, and ask for the interpreter's lock, more
# often over small pieces, which costs more than what stays in the cache saves.
_CHUNK = 524_288


def chunks_of(size: int) -> list[slice]:
    """Cut a vector into equal pieces, one or an even number of them.

    >>> chunks_of(100_000)
    [slice(0, 100000, None)]
    >>> chunks_of(200_000)
    [slice(0, 100000, None), slice(100000, 200000, None)]
    """
    n_pieces = 1 if size <= _WORTH_CUTTING else 2 * -(-size // (2 * _CHUNK))
    piece = max(-(-size // n_pieces), 1)
    return [slice(i, min(i + piece, size)) for i in range(0, size, piece)]
