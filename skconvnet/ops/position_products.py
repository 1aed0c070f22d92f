"""The same dense layer at every position: one product of matrices over all of them.

With the positions of all samples as one axis, a map is a matrix (channels, columns).
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.blas_kernels import channel_sums, matmul
from skconvnet.ops.workspace import Run


def project(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    columns: np.ndarray,
    out: np.ndarray,
    run: Run | None,
) -> None:
    """Write ``kernel.T @ columns + bias`` into `out`.

    Parameters
    ----------
    kernel : ndarray of shape (n_in, units)
    bias : ndarray of shape (units,) or None
    columns : ndarray of shape (n_in, n_columns)
    out : ndarray of shape (units, n_columns)
    run : callable or None
        See `matmul`.

    Examples
    --------
    >>> out = np.empty((1, 2))
    >>> project(np.ones((3, 1)), np.array([0.5]), np.ones((3, 2)), out, None)
    >>> out
    array([[3.5, 3.5]])
    """
    matmul(kernel.T, columns, out, run)
    if bias is not None:
        out += bias[:, np.newaxis]


def write_gradients(
    columns: np.ndarray,
    dz: np.ndarray,
    dkernel: np.ndarray,
    dbias: np.ndarray | None,
    run: Run | None,
) -> None:
    """Write the gradients of kernel and bias, given the gradient of the output.

    Parameters
    ----------
    columns : ndarray of shape (n_in, n_columns)
    dz : ndarray of shape (units, n_columns)
    dkernel : ndarray of shape (n_in, units)
    dbias : ndarray of shape (units,) or None
    run : callable or None
    """
    matmul(columns, dz.T, dkernel, run)
    if dbias is not None:
        channel_sums(dz, dbias)
