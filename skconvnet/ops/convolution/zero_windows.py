"""Exact zeros where a convolution has nothing but zeros to sum."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def clear_empty_windows(
    z: np.ndarray, x: np.ndarray, windows: Windows, workspace: Workspace
) -> None:
    """Set the sums over windows that are all zero to zero.

    Methods that share work between windows leave some units of rounding there. While
    biases are zero, that is where the derivative of ReLU jumps: it would be on here and
    there in the empty parts of an image.

    Parameters
    ----------
    z : ndarray of shape (filters, *out_shape, batch)
        Changed in place; may be a view.
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
    x: np.ndarray, windows: Windows, workspace: Workspace
) -> np.ndarray | None:
    """Tell which windows hold anything but zeros; None stands for all of them.

    Returns
    -------
    occupied : ndarray of bool of shape (*out_shape, batch) or None
    """
    # A number is zero where no bit but its sign is set, and bits of all channels are
    # joined in one pass.
    bits = x.view(f"u{x.itemsize}")
    joined = workspace.scratch("joined", x.shape[1:], bits.dtype)
    np.bitwise_or.reduce(bits, axis=0, out=joined)
    joined <<= 1
    if joined.all():
        return None
    occupied = joined != 0
    for axis in range(windows.ndim):
        occupied = _reached(occupied, windows, axis)
    return None if occupied.all() else occupied


def _reached(occupied: np.ndarray, windows: Windows, axis: int) -> np.ndarray:
    """Whether any cell of each window along `axis` is occupied."""
    pads = [(0, 0)] * occupied.ndim
    pads[axis] = windows.pads[axis]
    padded = np.pad(occupied, pads)
    n, step = windows.out_shape[axis], windows.strides[axis]
    before = (slice(None),) * axis
    reached = None
    for cell in range(windows.kernel[axis]):
        start = cell * windows.dilation[axis]
        own = padded[(*before, slice(start, start + (n - 1) * step + 1, step))]
        reached = (
            own.copy() if reached is None else np.logical_or(reached, own, out=reached)
        )
    assert reached is not None
    return reached
