"""Blocks of a map that stay in the cache from one operation to the next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def channel_blocks(x: np.ndarray, n_bytes: int) -> Iterator[slice]:
    """Cut the first axis of `x` into blocks of about `n_bytes`, of one row at least.

    >>> list(channel_blocks(np.zeros((5, 100)), 2 * 800))
    [slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]
    """
    n_rows = len(x)
    step = max(n_bytes * n_rows // max(x.nbytes, 1), 1)
    for start in range(0, n_rows, step):
        yield slice(start, start + step)
