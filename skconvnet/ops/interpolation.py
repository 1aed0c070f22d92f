"""Reading batch-last images between their pixels, at places of each sample alone."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.gather import bordered, take_cells
from skconvnet.ops.workspace import Workspace


def bilinear(
    x: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    fill_value: float | None,
    workspace: Workspace,
) -> np.ndarray:
    """Interpolate linearly between the four pixels around each place.

    Parameters
    ----------
    x : ndarray of shape (channels, height, width, batch)
    rows, columns : ndarray of shape (height, width, batch), of the dtype of x
        Where each pixel of a sample is read, in pixels from the first. Overwritten.
    fill_value : float or None
        The value of all pixels around the image, which those at its edge are
        interpolated with; None stands for the nearest pixel of the image.
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        The workspace's array "y". Its values lie between the smallest and the largest
        of x and `fill_value`.

    Examples
    --------
    >>> x = np.array([[0.0, 1.0], [2.0, 3.0]]).reshape(1, 2, 2, 1)
    >>> rows = np.array([[0.5, 0.0], [1.0, 9.0]]).reshape(2, 2, 1)
    >>> columns = np.array([[0.5, 0.25], [1.0, 0.0]]).reshape(2, 2, 1)
    >>> bilinear(x, rows, columns, -1.0, Workspace()).reshape(2, 2)
    array([[ 1.5 ,  0.25],
           [ 3.  , -1.  ]])
    """
    batch = x.shape[-1]
    # A place at the border itself has neighbours behind it, which may be any cells, for
    # they count nothing.
    source = bordered(x, fill_value, workspace)
    width = source.shape[2]
    floor_rows = _split(rows, x.shape[1], "rows", workspace)
    floor_columns = _split(columns, x.shape[2], "columns", workspace)
    cells = workspace.scratch("cells", rows.shape, np.intp)
    np.copyto(cells, _cells(floor_rows, floor_columns, width), casting="unsafe")
    cells *= batch
    cells += np.arange(batch)

    y = workspace.array("y", x.shape, x.dtype)
    right = workspace.scratch("right", x.shape, x.dtype)
    lower = workspace.scratch("lower", x.shape, x.dtype)
    take_cells(source, cells, y)
    cells += batch
    take_cells(source, cells, right)
    _blend(y, right, columns)
    cells += (width - 1) * batch
    take_cells(source, cells, lower)
    cells += batch
    take_cells(source, cells, right)
    _blend(lower, right, columns)
    _blend(y, lower, rows)
    return y


def _split(
    places: np.ndarray, length: int, name: str, workspace: Workspace
) -> np.ndarray:
    """Return the whole part of `places` in the bordered source, and leave the rest."""
    places += 1
    np.clip(places, 0, length + 1, out=places)
    whole = workspace.scratch(f"floor_{name}", places.shape, places.dtype)
    np.floor(places, out=whole)
    places -= whole
    return whole


def _cells(rows: np.ndarray, columns: np.ndarray, width: int) -> np.ndarray:
    """Number the cells (row, column) of an image, in the dtype of `rows`."""
    if rows.dtype == np.float32 and (len(rows) + 2) * width >= 2**24:
        # Beyond 2^24 float32 has no odd numbers.
        rows = rows.astype(np.float64)
    rows *= rows.dtype.type(width)
    rows += columns
    return rows


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> None:
    """Write ``(1 - share) * first + share * second`` to `first`, overwriting both.

    For a share below 1 rounding does not lead beyond the two: the product is then less
    than their rounded difference, by a unit in its last place or more.
    """
    second -= first
    second *= share
    first += second
