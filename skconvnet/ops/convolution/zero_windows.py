"""Exact zeros for windows that hold nothing but zeros.

Winograd and FFT compute many windows together, so that such a window gets a rounding
error instead of zero. While biases are zero, this is where the derivative of ReLU
jumps: it would randomly be 0 or 1 in the empty regions of an image.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def clear_empty_windows(
    z: FeatureMap, x: FeatureMap, windows: Windows, workspace: Workspace
) -> None:
    """Write zero to the sums over windows that hold nothing but zeros.

    Parameters
    ----------
    z : ndarray of shape (filters, *out_shape, batch)
        Sums, changed in place. May be a view.
    x : ndarray of shape (channels, *in_shape, batch)
    windows : Windows
    workspace : Workspace

    Examples
    --------
    >>> from skconvnet.ops.windows import sliding_windows
    >>> x = np.array([[[0.0], [0.0], [0.0], [2.0]]])
    >>> z = np.array([[[1e-9], [1e-9], [3.0], [2.0]]])
    >>> clear_empty_windows(z, x, sliding_windows((4,), 3, 1, "same"), Workspace())
    >>> z.ravel()
    array([0., 0., 3., 2.])
    """
    occupied = occupied_windows(x, windows, workspace)
    if occupied is not None:
        mask = workspace.scratch("occupied", occupied.shape, z.dtype)
        np.copyto(mask, occupied)
        z *= mask


def occupied_windows(
    x: FeatureMap, windows: Windows, workspace: Workspace
) -> npt.NDArray[np.bool_] | None:
    """Return which windows hold anything but zeros.

    Returns
    -------
    occupied : ndarray of bool of shape (*out_shape, batch) or None
        None means all windows.
    """
    # A number is zero if no bit except the sign is set. The bits of all channels are
    # combined in one pass, and the sign is shifted out.
    bits = x.view(f"u{x.itemsize}")
    joined = workspace.scratch("joined", x.shape[1:], bits.dtype)
    np.bitwise_or.reduce(bits, axis=0, out=joined)
    joined <<= 1
    if joined.all():
        return None
    occupied: npt.NDArray[np.bool_] = joined != 0
    for axis in range(windows.ndim):
        occupied = _any_along(occupied, windows, axis)
    return None if occupied.all() else occupied


def _any_along(
    occupied: npt.NDArray[np.bool_], windows: Windows, axis: int
) -> npt.NDArray[np.bool_]:
    """Return whether any position at the taps along `axis` is occupied."""
    pads = [(0, 0)] * occupied.ndim
    pads[axis] = windows.pads[axis]
    padded = np.pad(occupied, pads)
    n, step = windows.out_shape[axis], windows.strides[axis]
    before = (slice(None),) * axis

    def at_tap(tap: int) -> npt.NDArray[np.bool_]:
        start = tap * windows.dilation[axis]
        return padded[(*before, slice(start, start + (n - 1) * step + 1, step))]

    found = at_tap(0).copy()
    for tap in range(1, windows.kernel[axis]):
        np.logical_or(found, at_tap(tap), out=found)
    return found
