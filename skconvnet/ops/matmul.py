"""Matrix products in blocks that threads share out."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.workspace import Run

# Floating-point operations of a block, about: two threads gain from two of them.
_BLOCK = 1.2e7


def matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray, run: Run | None) -> None:
    """Write ``a @ b`` into `out`.

    A large product is cut along the longer side of `out`, at places that follow from
    the shapes alone: its bits do not depend on the threads.

    Parameters
    ----------
    a, b, out : ndarray of two dimensions
    run : callable or None
        ``run(n, task)`` calls ``task(i, thread)`` for each of n blocks, on threads.
        None calls them here.

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
    n_blocks = min(int(2 * n_rows * n_columns * a.shape[1] / _BLOCK), longer // 16)
    if n_blocks < 2:
        np.matmul(a, b, out=out)
        return
    # An even number of them, of multiples of 16, which suits the kernels of BLAS.
    size = 16 * -(-longer // (32 * (n_blocks // 2)))

    def task(i: int, thread: int = 0) -> None:
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
