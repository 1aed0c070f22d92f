"""Max and average pooling over windows of a batch-last map, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skconvnet.ops.layout import tiled
from skconvnet.ops.short_runs import copy_runs, has_short_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def cells(padded: np.ndarray, windows: Windows) -> list[np.ndarray]:
    """Views of `padded`, one a cell of the window, each shaped like the output."""
    return [padded[(slice(None), *where)] for where in windows.cells]


class Cells:
    """The cells of all windows of a map, each cell an array shaped like the output.

    Where the windows lie side by side and runs are short the arrays are copies, which
    makes up for itself at the second time that one is used.

    Parameters
    ----------
    padded : ndarray of shape (channels, *padded, batch)
    windows : Windows
    workspace : Workspace

    Attributes
    ----------
    arrays : list of ndarray of shape (channels, *out_shape, batch)
    """

    def __init__(
        self, padded: np.ndarray, windows: Windows, workspace: Workspace
    ) -> None:
        self._pair: tuple[np.ndarray, np.ndarray] | None = None
        if windows.strides != windows.kernel or not has_short_runs(padded):
            self.arrays = cells(padded, windows)
            return
        sizes = zip(windows.out_shape, windows.kernel, strict=True)
        inside = padded[(slice(None), *(slice(n * k) for n, k in sizes))]
        view = tiled(inside, windows.kernel, windows.out_shape, slice(None))
        copies = workspace.scratch("cells", view.shape, padded.dtype)
        self._pair = view, copies
        self.arrays = list(copies.reshape(-1, *view.shape[windows.ndim :]))

    def read(self) -> list[np.ndarray]:
        """Return the arrays with what the map has there."""
        if self._pair is not None:
            view, copies = self._pair
            copy_runs(copies, view)
        return self.arrays

    def write(self) -> None:
        """Bring the map up to what was written to the arrays."""
        if self._pair is not None:
            copy_runs(*self._pair)


def max_pool(
    cells: Sequence[np.ndarray], out: np.ndarray, wins: np.ndarray | None
) -> None:
    """Write the largest of `cells` into `out`.

    Parameters
    ----------
    cells : sequence of ndarray
        One for each cell of a window, all of one shape.
    out : ndarray of that shape
    wins : ndarray of bool of shape (len(cells) - 1, *shape) or None
        Overwritten: where each but the first is larger than all before it.
    """
    largest = cells[0]
    for number, cell in enumerate(cells[1:]):
        if wins is not None:
            np.greater(cell, largest, out=wins[number])
        largest = np.maximum(largest, cell, out=out)
    if len(cells) == 1:
        np.copyto(out, largest)


def max_pool_backward(
    doutput: np.ndarray,
    wins: np.ndarray,
    dcells: Sequence[np.ndarray],
    share: np.ndarray | None = None,
) -> None:
    """Send every gradient to the largest of the cells, the first of equals.

    Parameters
    ----------
    doutput : ndarray
        Left with what the first cell has.
    wins : ndarray of bool
        As `max_pool` wrote it.
    dcells : sequence of ndarray
        Overwritten, unless there is a `share`.
    share : ndarray, shaped like `doutput`, optional
        Overwritten: for cells that are in several windows, where gradients are added.
    """
    # The last that won has the maximum; what it leaves is for those before it.
    for win, dcell in zip(wins[::-1], dcells[:0:-1], strict=True):
        part = np.multiply(doutput, win, out=dcell if share is None else share)
        doutput -= part
        if share is not None:
            dcell += part
    if share is None:
        np.copyto(dcells[0], doutput)
    else:
        dcells[0][...] += doutput


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
