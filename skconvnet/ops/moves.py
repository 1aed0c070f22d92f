"""Move the values of batch-last maps, of all samples alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.ops.outside import Fill, reflected
from skconvnet.ops.workspace import Workspace


def read_positions(
    x: np.ndarray,
    positions: Sequence[npt.NDArray[np.integer] | None],
    fill: Fill,
    workspace: Workspace,
) -> np.ndarray:
    """Read each value of the output from the row, column, ... in `positions`.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
        Read only.
    positions : sequence of ndarray of int, each of shape (length of an axis,), or None
        For each position of the output along that axis, the position to read, as in
        `skconvnet.ops.resampling.gather`. None leaves an axis as it is.
    fill : float, "nearest" or "reflect"
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        An array of the workspace, or x itself.

    Examples
    --------
    >>> x = np.array([[[1.0], [2.0], [3.0]]])  # one channel of one sample
    >>> read_positions(x, [np.array([3, 2, 1])], 0.0, Workspace()).ravel()
    array([0., 3., 2.])
    """
    for axis, own in enumerate(positions, 1):
        if own is not None:
            y = workspace.array(f"moved{axis}", x.shape, x.dtype)
            _read_lines(x, axis, own, fill, y)
            x = y
    return x


def _read_lines(
    x: np.ndarray,
    axis: int,
    positions: npt.NDArray[np.integer],
    fill: Fill,
    out: npt.NDArray[Any],
) -> None:
    length = x.shape[axis]
    if fill == "reflect":
        inside = reflected(positions, length)
    else:
        inside = np.clip(positions, 0, length - 1)
    # Any mode but "raise" avoids a copy of the output.
    np.take(x, inside, axis=axis, out=out, mode="clip")
    if not isinstance(fill, str):
        np.moveaxis(out, axis, 0)[inside != positions] = fill
