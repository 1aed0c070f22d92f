"""The p-norm of the values of windows or of whole maps, and its gradient.

The norm of values x is ``y = sum(|x| ** p) ** (1 / p)``, and its gradient
``dx = dy * sign(x) * (|x| / y) ** (p - 1)``, which is 0 if all values are 0.

Sums of powers overflow soon if p is large. So, but for p of 1 and 2, values are divided
by the largest of their window first.
"""

from __future__ import annotations

import numpy as np

from skconvnet.ops.matrix_sums import sum_rows
from skconvnet.ops.pooling import max_pool, sum_pool, tap_views
from skconvnet.ops.row_broadcast import combine_rows
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def lp_pool(
    padded: np.ndarray,
    windows: Windows,
    p: float,
    out: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write the norm of every window of `padded` into `out`.

    Parameters
    ----------
    padded : ndarray of shape (channels, *padded, batch)
        Padding is zero.
    windows : Windows
    p : float
    out : ndarray of shape (channels, *out_shape, batch)
    workspace : Workspace
    """
    sizes = workspace.scratch("sizes", padded.shape, padded.dtype)
    if p in (1, 2):
        sum_pool(_powers(padded, p, sizes), windows, out)
        _take_root(out, p)
        return
    taps = tap_views(np.abs(padded, out=sizes), windows)
    scale = workspace.scratch("scale", out.shape, out.dtype)
    ratio = workspace.scratch("ratio", out.shape, out.dtype)
    max_pool(taps, scale, None)
    _avoid_zeros(scale)
    out.fill(0)
    for tap in taps:
        np.divide(tap, scale, out=ratio)
        out += np.power(ratio, p, out=ratio)
    _take_root(out, p)
    out *= scale


def lp_pool_backward(
    dy: np.ndarray,
    padded: np.ndarray,
    y: np.ndarray,
    windows: Windows,
    p: float,
    dpadded: np.ndarray,
    workspace: Workspace,
) -> None:
    """Pass every gradient to the positions of its window.

    Positions of `dpadded` that are in no window, or in several, must be zero on entry.
    """
    divisor = _divisor(y, workspace)
    share = workspace.scratch("ratio", y.shape, y.dtype)
    for tap, dtap in zip(
        tap_views(padded, windows), tap_views(dpadded, windows), strict=True
    ):
        if p == 1:
            np.sign(tap, out=share)
        else:
            np.divide(tap, divisor, out=share)
            _signed_power(share, p - 1, workspace)
        if windows.are_disjoint:
            np.multiply(share, dy, out=dtap)
        else:
            dtap += np.multiply(share, dy, out=share)


def lp_norm(x: np.ndarray, p: float, out: np.ndarray, workspace: Workspace) -> None:
    """Write the norm of every column of matrices into `out`.

    Parameters
    ----------
    x : ndarray of shape (channels, rows, columns)
        Contiguous.
    p : float
    out : ndarray of shape (channels, columns)
    workspace : Workspace
    """
    sizes = workspace.scratch("sizes", x.shape, x.dtype)
    if p in (1, 2):
        sum_rows(_powers(x, p, sizes), out, workspace)
        _take_root(out, p)
        return
    scale = workspace.scratch("scale", out.shape, out.dtype)
    np.max(np.abs(x, out=sizes), axis=1, out=scale)
    _avoid_zeros(scale)
    combine_rows(np.divide, sizes, scale, sizes, workspace)
    sum_rows(np.power(sizes, p, out=sizes), out, workspace)
    _take_root(out, p)
    out *= scale


def lp_norm_backward(
    dy: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    p: float,
    dx: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write the gradient of `lp_norm` into `dx`."""
    if p == 1:
        np.sign(x, out=dx)
    else:
        combine_rows(np.divide, x, _divisor(y, workspace), dx, workspace)
        _signed_power(dx, p - 1, workspace)
    combine_rows(np.multiply, dx, dy, dx, workspace)


def _powers(x: np.ndarray, p: float, out: np.ndarray) -> np.ndarray:
    """Return |x| ** p in `out`, for p of 1 or 2."""
    powers: np.ndarray = np.abs(x, out=out) if p == 1 else np.multiply(x, x, out=out)
    return powers


def _take_root(x: np.ndarray, p: float) -> None:
    if p == 2:
        np.sqrt(x, out=x)
    elif p != 1:
        np.power(x, 1 / p, out=x)


def _avoid_zeros(x: np.ndarray) -> None:
    """Replace zeros by a number so small that 0 divided by it is still 0."""
    np.maximum(x, np.finfo(x.dtype).tiny, out=x)


def _divisor(y: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Return the norms, and in place of zeros a number so large that ratios vanish."""
    divisor = workspace.scratch("divisor", y.shape, y.dtype)
    np.equal(y, 0, out=divisor)
    divisor *= np.finfo(y.dtype).max
    divisor += y
    return divisor


def _signed_power(x: np.ndarray, exponent: float, workspace: Workspace) -> None:
    """Replace x by ``sign(x) * |x| ** exponent``."""
    if exponent == 1:
        return
    power = workspace.scratch("power", x.shape, x.dtype)
    np.power(np.abs(x, out=power), exponent, out=power)
    np.copysign(power, x, out=x)
