"""Max and average pooling over windows of a batch-last map, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from skconvnet.ops.layout import tiled
from skconvnet.ops.short_runs import copy_runs, has_short_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def tap_views(padded: np.ndarray, windows: Windows) -> list[np.ndarray]:
    """View `padded` once for each tap of the windows.

    View t holds tap t of every window, so that it has the shape of the output::

        padded, 1-D, pool_size 3, strides 3:   a b c d e f
        views:                                 a     d          tap 0
                                                 b     e        tap 1
                                                   c     f      tap 2
    """
    return [padded[(slice(None), *where)] for where in windows.taps]


class TapArrays:
    """The arrays of `tap_views`, copied if that makes later operations faster.

    If windows are adjacent and the contiguous runs of the views are short, the arrays
    are copies with long runs. The time to copy is regained as soon as each array is
    used twice.

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
        self._copied: _Copied | None = None
        if windows.strides != windows.kernel or not has_short_runs(padded):
            self.arrays = tap_views(padded, windows)
            return
        sizes = zip(windows.out_shape, windows.kernel, strict=True)
        inside = padded[(slice(None), *(slice(n * k) for n, k in sizes))]
        view = tiled(inside, windows.kernel, windows.out_shape, slice(None))
        copies = workspace.scratch("taps", view.shape, padded.dtype)
        self._copied = _Copied(view, copies)
        self.arrays = list(copies.reshape(-1, *view.shape[windows.ndim :]))

    def read(self) -> list[np.ndarray]:
        """Return the arrays, which hold the values of the map."""
        if self._copied is not None:
            copy_runs(self._copied.copies, self._copied.view)
        return self.arrays

    def write(self) -> None:
        """Write the values of the arrays to the map."""
        if self._copied is not None:
            copy_runs(self._copied.view, self._copied.copies)


class _Copied(NamedTuple):
    """A view of the map, (*pool_size, channels, *out_shape, batch), and its copy."""

    view: np.ndarray
    copies: np.ndarray


def max_pool(
    taps: Sequence[np.ndarray], out: np.ndarray, wins: np.ndarray | None
) -> None:
    """Write the elementwise maximum of `taps` into `out`.

    Parameters
    ----------
    taps : sequence of ndarray
        One array for each tap of the windows, all of the same shape.
    out : ndarray of that shape
    wins : ndarray of bool of shape (len(taps) - 1, *shape) or None
        Overwritten: ``wins[t - 1]`` is True where tap t is larger than all taps before.
    """
    largest = taps[0]
    for number, tap in enumerate(taps[1:]):
        if wins is not None:
            np.greater(tap, largest, out=wins[number])
        largest = np.maximum(largest, tap, out=out)
    if len(taps) == 1:
        np.copyto(out, largest)


def max_pool_backward(
    doutput: np.ndarray,
    wins: np.ndarray,
    dtaps: Sequence[np.ndarray],
    share: np.ndarray | None = None,
) -> None:
    """Pass every gradient to the tap with the maximum, the first of equals.

    Parameters
    ----------
    doutput : ndarray
        Overwritten.
    wins : ndarray of bool
        The array that `max_pool` wrote.
    dtaps : sequence of ndarray
        Overwritten, or added to if `share` is given.
    share : ndarray, shaped like `doutput`, optional
        Scratch. It is needed if windows overlap, so that gradients have to be added.
    """
    # The maximum is the last tap that won. Going backward, it takes the gradient and
    # leaves zero for the taps before it.
    for win, dtap in zip(wins[::-1], dtaps[:0:-1], strict=True):
        taken = np.multiply(doutput, win, out=dtap if share is None else share)
        doutput -= taken
        if share is not None:
            dtap += taken
    if share is None:
        np.copyto(dtaps[0], doutput)
    else:
        dtaps[0][...] += doutput


def sum_pool(padded: np.ndarray, windows: Windows, out: np.ndarray) -> None:
    """Write the sum of every window of `padded` into `out`."""
    first, *others = tap_views(padded, windows)
    out[...] = first
    for tap in others:
        out += tap


def sum_pool_backward(
    doutput: np.ndarray, windows: Windows, dpadded: np.ndarray
) -> None:
    """Pass every gradient to all positions of its window, adding where they overlap.

    Positions of `dpadded` that are in no window, or in several, must be zero on entry.
    """
    for dtap in tap_views(dpadded, windows):
        if windows.are_disjoint:
            dtap[...] = doutput
        else:
            dtap += doutput


def window_counts(windows: Windows, dtype: np.dtype) -> np.ndarray:
    """Count the positions of every window that are not in the padding.

    Returns
    -------
    counts : ndarray of shape (1, *out_shape, 1)
    """
    ones = np.zeros((1, *windows.padded_shape, 1), dtype=dtype)
    ones[(slice(None), *windows.interior)] = 1
    counts = np.empty((1, *windows.out_shape, 1), dtype=dtype)
    sum_pool(ones, windows, counts)
    return counts
