"""Kernels that whiten the windows of a map, and the covariance that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap
from skconvnet.ops.layout import per_channel
from skconvnet.ops.padding import pad
from skconvnet.ops.windows import Windows

_Doubles = npt.NDArray[np.float64]

# Size of the largest matrix of windows that is written out at once.
_BLOCK_BYTES = 2**22


class WindowMoments(NamedTuple):
    """The weighted moments of all windows over some samples.

    A window has one value per channel and tap, in the order of a kernel of shape
    (channels, *kernel_size).

    Attributes
    ----------
    total : float
        Sum of the weights of the windows.
    mean : ndarray of shape (n_values,)
    products : ndarray of shape (n_values, n_values)
        Weighted sums of the products of two deviations from the mean.
    """

    total: float
    mean: _Doubles
    products: _Doubles


def window_moments(
    x: FeatureMap,
    windows: Windows,
    weights: npt.NDArray[np.floating] | None = None,
    *,
    block_bytes: int = _BLOCK_BYTES,
) -> WindowMoments:
    """Return the moments of the windows over a map, in double precision.

    Parameters
    ----------
    x : ndarray of shape (channels, *windows.in_shape, batch)
    windows : Windows
        Padding counts as zeros.
    weights : ndarray of shape (batch,), optional
        Weights of the samples, whose sum is positive. By default all are 1.
    block_bytes : int
        Size up to which windows are written out at once, if one row of them fits.

    Examples
    --------
    >>> from skconvnet.ops.windows import sliding_windows
    >>> x = np.array([1.0, 2.0, 4.0]).reshape(1, 3, 1)
    >>> total, mean, products = window_moments(x, sliding_windows((3,), 2))
    >>> total, mean
    (2.0, array([1.5, 3. ]))
    >>> products
    array([[0.5, 1. ],
           [1. , 2. ]])
    """
    n_channels, n_samples = len(x), x.shape[-1]
    roots = np.ones(n_samples) if weights is None else np.sqrt(weights, dtype=float)
    own_weights = roots**2
    padded = np.empty((n_channels, *windows.padded_shape, n_samples))
    pad(x, windows.interior, padded)
    # Deviations from about the mean, so that no digits cancel out. They are multiplied
    # by the roots of the weights, so that products of two have the weights.
    n_positions = padded[0, ..., 0].size
    by_channel = padded.reshape(n_channels, n_positions, n_samples)
    center = by_channel.sum(axis=1) @ own_weights / (own_weights.sum() * n_positions)
    padded -= per_channel(center, padded)
    if weights is not None:
        padded *= roots
    n_values = n_channels * windows.size
    sums, products = np.zeros(n_values), np.zeros((n_values, n_values))
    for columns, samples in _columns(padded, windows, block_bytes):
        sums += columns.sum(axis=1) @ roots[samples]
        flat = columns.reshape(n_values, -1)
        products += flat @ flat.T
    total = float(own_weights.sum() * np.prod(windows.out_shape))
    products -= np.outer(sums, sums) / total
    mean = np.repeat(center, windows.size) + sums / total
    return WindowMoments(total, mean, products)


def _columns(
    padded: _Doubles, windows: Windows, block_bytes: int
) -> Iterator[tuple[_Doubles, slice]]:
    """Yield some windows as columns (n_values, positions, batch), and of which samples.

    At least one row of windows of one sample is written out at once.
    """
    n_channels, n_samples = len(padded), padded.shape[-1]
    n_rows, *row_shape = windows.out_shape
    row_bytes = n_channels * windows.size * int(np.prod(row_shape)) * padded.itemsize
    n_at_once = min(max(block_bytes // row_bytes, 1), n_samples)
    step = max(block_bytes // (row_bytes * n_at_once), 1)
    for start in range(0, n_samples, n_at_once):
        samples = slice(start, min(start + n_at_once, n_samples))
        for first in range(0, n_rows, step):
            rows = slice(first, min(first + step, n_rows))
            shape = (rows.stop - first, *row_shape, samples.stop - start)
            columns = np.empty((n_channels, windows.size, *shape))
            for tap, positions in enumerate(windows.taps):
                columns[:, tap] = padded[:, *positions, samples][:, rows]
            yield columns.reshape(n_channels * windows.size, -1, shape[-1]), samples


def whitening_rows(
    covariance: _Doubles, n_rows: int, epsilon: float, rounding: float
) -> _Doubles:
    """Return the directions of largest variance, scaled to a variance of about 1.

    Parameters
    ----------
    covariance : ndarray of shape (n_values, n_values)
    n_rows : int
        Number of directions, at most `n_values`.
    epsilon : float
        Added to each variance, at least 0.
    rounding : float
        Variances of at most this size are taken to be 0. If `epsilon` is 0, their
        directions are not scaled.

    Returns
    -------
    rows : ndarray of shape (n_rows, n_values)
        Eigenvectors, each divided by the square root of its eigenvalue plus `epsilon`.
        The largest eigenvalue comes first, and the largest entry of each row is
        positive.

    Examples
    --------
    >>> whitening_rows(np.diag([4.0, 25.0]), 2, epsilon=0.0, rounding=0.0)
    array([[0. , 0.2],
           [0.5, 0. ]])
    """
    variances, vectors = np.linalg.eigh(covariance)
    variances, rows = variances[::-1][:n_rows], vectors.T[::-1][:n_rows]
    error = len(covariance) * np.finfo(np.float64).eps * variances.max(initial=0.0)
    is_constant = variances <= max(rounding, error)
    scales = np.sqrt(np.where(is_constant, 0.0, variances) + epsilon)
    scales[scales == 0] = 1.0
    largest = np.abs(rows).argmax(axis=1)[:, None]
    scales = np.where(np.take_along_axis(rows, largest, 1)[:, 0] < 0, -scales, scales)
    scaled: _Doubles = rows / scales[:, None]
    return scaled
