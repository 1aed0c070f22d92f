"""Operations of matrices with few columns and a vector for each of them."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from skconvnet.ops.workspace import Workspace

# How many numbers to combine by one of NumPy's inner loops.
_RUN = 512


def combine_rows(
    ufunc: np.ufunc,
    x: np.ndarray,
    values: np.ndarray,
    out: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write ``ufunc(x, values)`` into `out`, for values that are the same in all rows.

    NumPy's inner loop would go along a row, which is short. So the values are repeated
    for several rows, which become one::

        row 0 | row 1 | row 2        values | values | values
        row 3 | row 4 | row 5        the same

    Parameters
    ----------
    ufunc : ufunc
    x, out : ndarray of shape (matrices, rows, columns)
        Contiguous; they may be the same.
    values : ndarray of shape (matrices, columns)
    workspace : Workspace

    Examples
    --------
    >>> x, out = np.ones((1, 3, 2)), np.empty((1, 3, 2))
    >>> combine_rows(np.add, x, np.array([[0.0, 1.0]]), out, Workspace())
    >>> out[0]
    array([[1., 2.],
           [1., 2.],
           [1., 2.]])
    """
    n_matrices, n_rows, n_columns = x.shape
    n_joined = _largest_divisor(n_rows, _RUN // n_columns)
    if n_joined == n_rows:  # to write them out would take as long
        ufunc(x, values[:, np.newaxis], out=out)
        return
    shape = (n_matrices, n_joined, n_columns)
    repeated = workspace.scratch("repeated", shape, values.dtype)
    repeated[...] = values[:, np.newaxis]
    joined = (n_matrices, -1, n_joined * n_columns)
    ufunc(x.reshape(joined), repeated.reshape(joined), out=out.reshape(joined))


@lru_cache(maxsize=128)
def _largest_divisor(n: int, limit: int) -> int:
    """Return the largest divisor of n up to a limit.

    >>> _largest_divisor(200, 32), _largest_divisor(7, 5)
    (25, 1)
    """
    return next((d for d in range(min(n, limit), 1, -1) if n % d == 0), 1)
