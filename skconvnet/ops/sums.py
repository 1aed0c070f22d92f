"""Sums over all positions of a map, which are the gradients of biases."""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet.ops.constants import constant


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
    rows = np.matmul(x.reshape(-1, run), constant(1, run, x.dtype))
    rows.reshape(len(x), -1).sum(axis=1, out=out)
