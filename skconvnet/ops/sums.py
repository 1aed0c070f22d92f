"""Sums over all positions of a map, which are the gradients of biases."""

from __future__ import annotations

from functools import lru_cache
from math import prod

import numpy as np


def channel_sums(x: np.ndarray, out: np.ndarray) -> None:
    """Write the sum over each channel of `x` into `out`.

    Rows are summed by a matrix product with ones, three times as fast as NumPy's sums
    along an axis, and what comes out by NumPy, whose error grows more slowly.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    out : ndarray of shape (channels,)

    Examples
    --------
    >>> out = np.empty(2)
    >>> channel_sums(np.arange(12.0).reshape(2, 3, 2), out)
    >>> out
    array([15., 51.])
    """
    if not x.flags.c_contiguous:
        x.sum(axis=tuple(range(1, x.ndim)), out=out)
        return
    run = prod(x.shape[-2:]) if x.ndim > 2 else x.shape[-1]
    rows = np.matmul(x.reshape(-1, run), _ones(run, x.dtype))
    rows.reshape(len(x), -1).sum(axis=1, out=out)


@lru_cache(maxsize=64)
def _ones(size: int, dtype: np.dtype) -> np.ndarray:
    ones = np.ones(size, dtype=dtype)
    ones.flags.writeable = False
    return ones
