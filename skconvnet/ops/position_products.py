"""The same dense layer at every position: one product of matrices over all of them.

With the positions of all samples as one axis, a map is a matrix (channels, columns).
Products are not cut for threads, which have micro-batches of their own: BLAS arranges
the smaller factor anew for each piece.
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.blas_kernels import channel_sums


def project(
    kernel: np.ndarray,
    bias: np.ndarray | None,
    columns: np.ndarray,
    out: np.ndarray,
) -> None:
    """Write ``kernel.T @ columns + bias`` into `out`.

    Parameters
    ----------
    kernel : ndarray of shape (n_in, units)
    bias : ndarray of shape (units,) or None
    columns : ndarray of shape (n_in, n_columns)
    out : ndarray of shape (units, n_columns)

    Examples
    --------
    >>> out = np.empty((1, 2))
    >>> project(np.ones((3, 1)), np.array([0.5]), np.ones((3, 2)), out)
    >>> out
    array([[3.5, 3.5]])
    """
    np.matmul(kernel.T, columns, out=out)
    if bias is not None:
        out += bias[:, np.newaxis]


def write_gradients(
    columns: np.ndarray,
    dz: np.ndarray,
    dkernel: np.ndarray,
    dbias: np.ndarray | None,
) -> None:
    """Write the gradients of kernel and bias, given the gradient of the output.

    Parameters
    ----------
    columns : ndarray of shape (n_in, n_columns)
    dz : ndarray of shape (units, n_columns)
    dkernel : ndarray of shape (n_in, units)
    dbias : ndarray of shape (units,) or None
    """
    np.matmul(columns, dz.T, out=dkernel)
    if dbias is not None:
        channel_sums(dz, dbias)
