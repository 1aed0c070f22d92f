"""Pooling over a given number of windows, whatever the size of the map.

`axis_windows` gives the windows along each axis. Since a window is a product of
intervals, sums and maxima are taken along one axis after the other::

    (channels, rows, columns, batch) -> (channels, n, columns, batch)
                                     -> (channels, n, n, batch)
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from skconvnet._typing import Lengths
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.workspace import Workspace


def axis_windows(size: int, n: int) -> list[slice]:
    """Cut an axis into n windows that together cover it.

    Window i goes from floor(i * size / n) to ceil((i + 1) * size / n). Neighboring
    windows overlap by one position where n does not divide `size`. If n is larger than
    `size`, each window has one or two positions.

    Examples
    --------
    >>> axis_windows(5, 2)
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return [slice(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]


def window_sizes(sizes: Sequence[int], n: int) -> np.ndarray:
    """Count the positions of every window, as float32 of shape (1, n, ..., n, 1).

    float32 holds these integers exactly, and dividing an array by them keeps the dtype
    of the array.
    """
    counts = np.ones((1,) * (len(sizes) + 2), np.float32)
    for axis, size in enumerate(sizes):
        lengths = [window.stop - window.start for window in axis_windows(size, n)]
        along = [-1 if other == axis + 1 else 1 for other in range(counts.ndim)]
        counts = counts * np.array(lengths, np.float32).reshape(along)
    return counts


def reduce_windows(
    ufunc: np.ufunc, x: np.ndarray, out: np.ndarray, workspace: Workspace
) -> None:
    """Reduce every window by `ufunc` into `out`, one axis after the other.

    Parameters
    ----------
    ufunc : ufunc
        np.maximum or np.add.
    x : ndarray of shape (channels, *spatial, batch)
    out : ndarray of shape (channels, n, ..., n, batch)
    workspace : Workspace
    """
    n = out.shape[1]
    for axis in range(1, x.ndim - 1):
        target = out
        if axis < x.ndim - 2:
            shape = (*x.shape[:axis], n, *x.shape[axis + 1 :])
            target = workspace.scratch(f"reduced {axis}", shape, x.dtype)
        before: tuple[slice | int, ...] = (slice(None),) * axis
        for i, window in enumerate(axis_windows(x.shape[axis], n)):
            ufunc.reduce(x[(*before, window)], axis=axis, out=target[(*before, i)])
        x = target


def spread_windows(
    dy: np.ndarray, dx: np.ndarray, workspace: Workspace, *, add: bool
) -> None:
    """Pass the gradient of every window's sum to all of its positions.

    Parameters
    ----------
    dy : ndarray of shape (channels, n, ..., n, batch)
    dx : ndarray of shape (channels, *spatial, batch)
    workspace : Workspace
    add : bool
        Whether to add to what `dx` holds, or to overwrite it.
    """
    n = dy.shape[1]
    # From the last axis to the first, so that arrays are small while their contiguous
    # runs are short.
    for axis in range(dx.ndim - 2, 0, -1):
        target, adds = dx, add
        if axis > 1:
            shape = (*dy.shape[:axis], *dx.shape[axis:])
            target = workspace.scratch(f"spread {axis}", shape, dx.dtype)
            adds = False
        before = (slice(None),) * axis
        if not adds and dx.shape[axis] % n:
            target.fill(0)
            adds = True
        for i, window in enumerate(axis_windows(dx.shape[axis], n)):
            inside, gradient = target[(*before, window)], dy[(*before, slice(i, i + 1))]
            if adds:
                inside += gradient
            else:
                inside[...] = gradient
        dy = target


def add_to_maxima(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, dx: np.ndarray, workspace: Workspace
) -> None:
    """Add the gradient of every window to its largest value, the first of equals.

    Parameters
    ----------
    dy, y : ndarray of shape (channels, n, ..., n, batch)
        `y` is the output of `reduce_windows` for `x`.
    x, dx : ndarray of shape (channels, *spatial, batch)
        `dx` is contiguous.
    workspace : Workspace
    """
    n_channels, *spatial, batch = x.shape
    n = y.shape[1]
    flat = dx.reshape(-1)
    channels, samples = np.ogrid[:n_channels, :batch]
    by_axis = [list(enumerate(axis_windows(size, n))) for size in spatial]
    for numbered in product(*by_axis):
        number, window = zip(*numbered, strict=True)
        values = x[(slice(None), *window)]
        inner = values.shape[1:-1]
        largest = y[(slice(None), *number)]
        # Positions come last in memory: otherwise argmax would make a copy.
        is_largest = workspace.scratch("is largest", (n_channels, batch, *inner), bool)
        np.equal(
            values,
            np.expand_dims(largest, tuple(range(1, x.ndim - 1))),
            out=np.moveaxis(is_largest, 1, -1),
        )
        first = is_largest.reshape(n_channels, batch, -1).argmax(axis=2)
        # The index of the maximum in `dx`, built up axis by axis. A window has one per
        # channel and sample, so no index occurs twice, and += adds every gradient.
        position = channels
        for size, span, offset in zip(
            spatial, window, np.unravel_index(first, inner), strict=True
        ):
            position = position * size + span.start + offset
        flat[position * batch + samples] += dy[(slice(None), *number)]


def pool_whole_maps(
    x: np.ndarray, pooling: str, lengths: Lengths | None = None
) -> np.ndarray:
    """Return the mean or the maximum of each channel over all positions.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
        Flat features have no positions, and are returned as they are.
    pooling : {"avg", "max"}
    lengths : ndarray of int of shape (batch,), optional
        Lengths of padded sequences, of which those without any position give zeros.

    Returns
    -------
    y : ndarray of shape (channels, batch)

    Examples
    --------
    >>> x = np.arange(8.0).reshape(2, 2, 2, 1)
    >>> pool_whole_maps(x, "avg")
    array([[1.5],
           [5.5]])
    """
    values = x.reshape(len(x), -1, x.shape[-1])
    pooled: np.ndarray
    if lengths is None or x.ndim < 3:
        pooled = values.mean(axis=1) if pooling == "avg" else values.max(axis=1)
    elif pooling == "avg":
        pooled = values.sum(axis=1) / np.maximum(lengths, 1).astype(x.dtype)
    else:
        own = ~is_padding(lengths, x.shape[1])
        pooled = values.max(axis=1, where=own, initial=-np.inf)
        pooled[:, lengths == 0] = 0
    return pooled
