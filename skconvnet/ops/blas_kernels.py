"""Vector sums, matrix products and sums over channels, computed by BLAS."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import blas

from skconvnet.ops.workspace import Run

_ROUTINES = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


def axpy(a: float, x: np.ndarray, y: np.ndarray) -> None:
    """Add ``a * x`` to `y` in place.

    NumPy would need two passes and a temporary array.

    Parameters
    ----------
    a : float
    x, y : ndarray of shape (n,)
        Contiguous arrays, both float32 or both float64.

    Examples
    --------
    >>> y = np.ones(3)
    >>> axpy(2.0, np.arange(3.0), y)
    >>> y
    array([1., 3., 5.])
    """
    if _ROUTINES[y.dtype](x, y, a=a) is not y:
        raise ValueError("x and y must be contiguous and of one dtype.")


# FLOPs of a product from which on a second thread saves time.
_MIN_FLOPS_OF_TWO = 2.4e7
# About how many FLOPs a block has, of more than two. BLAS copies one factor in full for
# each block, so that smaller ones are slower.
_BLOCK_FLOPS = 4e7


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray, run: Run | None) -> None:
    """Write ``a @ b`` into `out`.

    A large product is cut into blocks along the longer axis of `out`, at indices that
    follow from the shapes alone. So the bits do not depend on the number of threads.

    Parameters
    ----------
    a, b, out : 2-D ndarray
    run : callable or None
        ``run(n, task)`` calls ``task(i, thread)`` for each of n blocks, on threads.
        None computes all blocks on this thread.

    Examples
    --------
    >>> out = np.empty((2, 2))
    >>> matmul(np.eye(2), np.ones((2, 2)), out, None)
    >>> out
    array([[1., 1.],
           [1., 1.]])
    """
    n_rows, n_columns = out.shape
    longer = max(n_rows, n_columns)
    flops = 2 * n_rows * n_columns * a.shape[1]
    n_blocks = max(int(flops / _BLOCK_FLOPS), int(flops >= _MIN_FLOPS_OF_TWO) + 1)
    n_blocks = min(n_blocks, longer // 16)
    if n_blocks < 2:
        np.matmul(a, b, out=out)
        return
    # An even number of blocks, whose size is a multiple of 16, which suits BLAS.
    size = 16 * -(-longer // (32 * (n_blocks // 2)))

    def task(i: int, _thread: int = 0) -> None:
        block = slice(i * size, (i + 1) * size)
        if n_rows >= n_columns:
            np.matmul(a[block], b, out=out[block])
        else:
            np.matmul(a, b[:, block], out=out[:, block])

    n_blocks = -(-longer // size)
    if run is not None:
        run(n_blocks, task)
        return
    for i in range(n_blocks):
        task(i)


def channel_sums(x: np.ndarray, out: np.ndarray) -> None:
    """Write the sum over each channel of `x` into `out`.

    A matrix product with ones sums the rows, three times as fast as NumPy's sum along
    an axis. NumPy then adds the sums of the rows, since its pairwise summation loses
    fewer digits.

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
    rows = as_runs(x)
    sums = np.matmul(rows, constant(1, rows.shape[-1], x.dtype))
    sums.reshape(len(x), -1).sum(axis=1, out=out)


def channel_products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the sum of the products of `a` and `b` over each channel.

    Parameters
    ----------
    a, b : ndarray of shape (channels, *spatial, batch)

    Examples
    --------
    >>> channel_products(np.ones((2, 3, 2)), np.arange(12.0).reshape(2, 3, 2))
    array([15., 51.])
    """
    if a.flags.c_contiguous and b.flags.c_contiguous:
        products: np.ndarray = np.vecdot(a.reshape(len(a), -1), b.reshape(len(b), -1))
        return products
    runs = as_runs(a), as_runs(b)
    if runs[0].shape != runs[1].shape:  # one has no long runs
        runs = a, b
    sums: np.ndarray = np.vecdot(*runs).reshape(len(a), -1).sum(axis=1)
    return sums


def as_runs(x: np.ndarray) -> np.ndarray:
    """View a map with its last spatial axis and its batch as one axis.

    These are contiguous even if there is row padding after each row.
    """
    if x.ndim < 3 or x.strides[-2] != x.shape[-1] * x.strides[-1]:
        return x
    return x.reshape(*x.shape[:-2], -1)


@lru_cache(maxsize=128)
def constant(value: float, size: int, dtype: np.dtype) -> np.ndarray:
    """Return a read-only vector of length `size` that is filled with one value.

    >>> constant(1, 3, np.dtype("float32"))
    array([1., 1., 1.], dtype=float32)
    """
    vector = np.full(size, value, dtype=dtype)
    vector.flags.writeable = False
    return vector
