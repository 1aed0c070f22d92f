"""Sums over the rows or the columns of matrices, at the speed of BLAS."""

from __future__ import annotations

from functools import lru_cache
from math import isqrt

import numpy as np

from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.workspace import Workspace

# At most this many numbers are added one by one, so that float32 loses only a few bits.
_MAX_GROUP_SIZE = 512


def sum_rows(x: np.ndarray, out: np.ndarray, workspace: Workspace) -> None:
    """Write the sum over the rows of each matrix of `x` into `out`.

    A product with ones is a sum. Many rows are added up in groups, to reduce rounding
    errors.

    Parameters
    ----------
    x : ndarray of shape (..., rows, columns)
        Contiguous.
    out : ndarray of shape (..., columns)
    workspace : Workspace

    Examples
    --------
    >>> out = np.empty((2, 1))
    >>> sum_rows(np.arange(6.0).reshape(2, 3, 1), out, Workspace())
    >>> out
    array([[ 3.],
           [12.]])
    """
    *matrices, n_rows, n_columns = x.shape
    if n_rows == 1:
        np.copyto(out, x[..., 0, :])
        return
    size = _group_size(n_rows)
    ones = constant(1, size, x.dtype)
    if size == n_rows:
        np.matmul(ones, x, out=out)
        return
    n_groups, n_rest = divmod(n_rows, size)
    whole = x[..., : n_rows - n_rest, :]
    groups = whole.reshape(*matrices, n_groups, size, n_columns)
    sums = workspace.scratch("sums", (*matrices, n_groups, n_columns), x.dtype)
    np.add.reduce(np.matmul(ones, groups, out=sums), axis=-2, out=out)
    if n_rest:
        out += np.matmul(ones[:n_rest], x[..., n_rows - n_rest :, :])


def column_sums(x: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Return the sum over the columns of a matrix.

    >>> column_sums(np.arange(6.0).reshape(2, 3), Workspace())
    array([ 3., 12.])
    """
    ones = workspace.scratch("ones", x.shape[1:], x.dtype)
    ones.fill(1)
    sums: np.ndarray = x @ ones
    return sums


@lru_cache(maxsize=128)
def _group_size(n: int) -> int:
    """Return how many of n rows to add up at a time.

    This is a divisor of n near its square root, or the square root if there is none, or
    n if n is small.

    >>> _group_size(64), _group_size(32768), _group_size(2 * 1009)
    (64, 256, 44)
    """
    if n <= _MAX_GROUP_SIZE:
        return n
    root = isqrt(n)
    near = (b for b in range(2 * root, root // 4, -1) if n % b == 0)
    return next(near, root)
