"""Pooling over a given number of windows, however large the map is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from skconvnet.ops.workspace import Workspace


def axis_windows(size: int, n: int) -> list[slice]:
    """Cut an axis into n windows that together cover every cell.

    Window i goes from floor(i * size / n) to ceil((i + 1) * size / n). They overlap by
    a cell where n does not divide `size`, and are of one cell where n is larger.

    Examples
    --------
    >>> axis_windows(5, 2)
    [slice(0, 3, None), slice(2, 5, None)]
    """
    return [slice(i * size // n, -(-(i + 1) * size // n)) for i in range(n)]


def window_sizes(sizes: Sequence[int], n: int) -> np.ndarray:
    """Number of cells of every window, of shape (1, n, ..., n, 1), as float32.

    Whole numbers, exact in float32, leave the dtype of what they divide alone.
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
    """Write ``ufunc`` over every window into `out`, one axis after the other.

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
        before: tuple[Any, ...] = (slice(None),) * axis
        for i, window in enumerate(axis_windows(x.shape[axis], n)):
            cells, result = x[(*before, window)], target[(*before, i)]
            ufunc.reduce(cells, axis=axis, out=result)
        x = target


def spread_windows(
    dy: np.ndarray, dx: np.ndarray, workspace: Workspace, *, add: bool
) -> None:
    """Give the gradient of every window to all of its cells.

    Parameters
    ----------
    dy : ndarray of shape (channels, n, ..., n, batch)
    dx : ndarray of shape (channels, *spatial, batch)
    workspace : Workspace
    add : bool
        Whether to add to what `dx` holds, or to overwrite it.
    """
    n = dy.shape[1]
    # From the last axis to the first: the long axis of runs comes with the large array.
    for axis in range(dx.ndim - 2, 0, -1):
        target, adds = dx, add
        if axis > 1:
            shape = (*dy.shape[:axis], *dx.shape[axis:])
            target = workspace.scratch(f"spread {axis}", shape, dx.dtype)
            adds = False
        before: tuple[Any, ...] = (slice(None),) * axis
        if not adds and dx.shape[axis] % n:
            target.fill(0)
            adds = True
        for i, window in enumerate(axis_windows(dx.shape[axis], n)):
            cells, gradient = target[(*before, window)], dy[(*before, slice(i, i + 1))]
            if adds:
                cells += gradient
            else:
                cells[...] = gradient
        dy = target


def add_to_maxima(
    dy: np.ndarray, x: np.ndarray, y: np.ndarray, dx: np.ndarray, workspace: Workspace
) -> None:
    """Add the gradient of every window to its largest cell, the first of equals.

    Parameters
    ----------
    dy, y : ndarray of shape (channels, n, ..., n, batch)
        `y` as `reduce_windows` made it of `x`.
    x, dx : ndarray of shape (channels, *spatial, batch)
        `dx` contiguous.
    workspace : Workspace
    """
    n_channels, *spatial, batch = x.shape
    n = y.shape[1]
    flat = dx.reshape(-1)
    channels, samples = np.ogrid[:n_channels, :batch]
    by_axis = [list(enumerate(axis_windows(size, n))) for size in spatial]
    for numbered in product(*by_axis):
        number, window = zip(*numbered, strict=True)
        cells = x[(slice(None), *window)]
        inner = cells.shape[1:-1]
        largest = y[(slice(None), *number)]
        # The cells come last here, since only then argmax makes no copy.
        is_largest = workspace.scratch("is largest", (n_channels, batch, *inner), bool)
        np.equal(
            cells,
            np.expand_dims(largest, tuple(range(1, x.ndim - 1))),
            out=np.moveaxis(is_largest, 1, -1),
        )
        first = is_largest.reshape(n_channels, batch, -1).argmax(axis=2)
        # Where that is in `dx`: each channel and sample has one such place a window.
        place = channels
        for size, span, offset in zip(
            spatial, window, np.unravel_index(first, inner), strict=True
        ):
            place = place * size + span.start + offset
        flat[place * batch + samples] += dy[(slice(None), *number)]
