"""Cutting a flat vector into pieces for threads."""

from __future__ import annotations

# Numbers in a piece, about: fewer are over before another thread has begun.
_PIECE = 524_288


def pieces_of(size: int) -> list[slice]:
    """Cut a vector into equal pieces, one or an even number of them.

    >>> pieces_of(100_000)
    [slice(0, 100000, None)]
    >>> pieces_of(200_000)
    [slice(0, 100000, None), slice(100000, 200000, None)]
    """
    n_pieces = 1 if size <= _PIECE else 2 * -(-size // (2 * _PIECE))
    piece = max(-(-size // n_pieces), 1)
    return [slice(i, min(i + piece, size)) for i in range(0, size, piece)]
