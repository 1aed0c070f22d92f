"""Max and average pooling over windows of a batch-last map, and their gradients."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.windows import Windows


def cells(padded: np.ndarray, windows: Windows) -> list[np.ndarray]:
    """Views of `padded`, one a cell of the window, each shaped like the output."""
    return [padded[(slice(None), *where)] for where in windows.cells]


def max_pool(padded: np.ndarray, windows: Windows, out: np.ndarray) -> None:
    """Write the largest value of every window into `out`.

    Parameters
    ----------
    padded : ndarray of shape (channels, *padded, batch)
        With -inf in the padding.
    windows : Windows
    out : ndarray of shape (channels, *out_shape, batch)
    """
    first, *others = cells(padded, windows)
    if not others:
        out[...] = first
        return
    np.maximum(first, others[0], out=out)
    for cell in others[1:]:
        np.maximum(out, cell, out=out)


def max_pool_backward(
    doutput: np.ndarray,
    padded: np.ndarray,
    output: np.ndarray,
    windows: Windows,
    masks: np.ndarray,
    share: np.ndarray | None,
    dpadded: np.ndarray,
) -> None:
    """Send every gradient to the largest cell of its window, the first of equals.

    Parameters
    ----------
    doutput : ndarray of shape (channels, *out_shape, batch)
    padded, output : ndarray
        As given to and made by `max_pool`.
    windows : Windows
    masks : ndarray of bool of shape (window cells + 1, *output.shape)
        Overwritten.
    share : ndarray, shaped like `doutput`, or None
        Overwritten where windows overlap, and needed only there.
    dpadded : ndarray, shaped like `padded`
        Cells in no window, or in several, where gradients add, are zero on entry.
    """
    *of_cells, taken = masks
    for mask, cell in zip(of_cells, cells(padded, windows), strict=True):
        np.equal(cell, output, out=mask)
    taken[...] = of_cells[0]
    for mask in of_cells[1:]:
        np.greater(mask, taken, out=mask)
        np.logical_or(mask, taken, out=taken)
    for mask, dcell in zip(of_cells, cells(dpadded, windows), strict=True):
        if windows.are_apart:
            np.multiply(doutput, mask, out=dcell)
        else:
            dcell += np.multiply(doutput, mask, out=share)


def sum_pool(padded: np.ndarray, windows: Windows, out: np.ndarray) -> None:
    """Write the sum of every window of `padded` into `out`."""
    first, *others = cells(padded, windows)
    out[...] = first
    for cell in others:
        out += cell


def sum_pool_backward(
    doutput: np.ndarray, windows: Windows, dpadded: np.ndarray
) -> None:
    """Give every gradient to all cells of its window; they add where windows overlap.

    Cells of `dpadded` that are in no window, or in several, are zero on entry.
    """
    for dcell in cells(dpadded, windows):
        if windows.are_apart:
            dcell[...] = doutput
        else:
            dcell += doutput


def window_counts(windows: Windows, dtype: np.dtype) -> np.ndarray:
    """Number of true cells, padding left out, in every window.

    Returns
    -------
    counts : ndarray of shape (1, *out_shape, 1)
    """
    ones = np.zeros((1, *windows.padded_shape, 1), dtype=dtype)
    ones[(slice(None), *windows.interior)] = 1
    counts = np.empty((1, *windows.out_shape, 1), dtype=dtype)
    sum_pool(ones, windows, counts)
    return counts
