"""Reading batch-last maps elsewhere, at positions of each sample alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skconvnet.ops.workspace import Workspace


def gather(
    x: np.ndarray,
    places: Sequence[np.ndarray],
    fill_value: float | None,
    workspace: Workspace,
) -> np.ndarray:
    """Read each cell of a map from the row, column, ... that `places` tell.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    places : sequence of ndarray of int, each of shape (length of an axis, batch)
        Where along that axis each cell of a sample comes from. Any integers; those
        outside the map read `fill_value`.
    fill_value : float or None
        None stands for the nearest cell of the map.
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        The workspace's array "y".

    Examples
    --------
    >>> x = np.array([[[1.0], [2.0], [3.0]]])  # one sample of three cells
    >>> gather(x, [np.array([[1], [2], [3]])], 0.0, Workspace()).ravel()
    array([2., 3., 0.])
    """
    source = bordered(x, fill_value, workspace)
    batch = x.shape[-1]
    cells = np.arange(batch)
    stride = batch
    partial: list[np.ndarray] = []
    for axis in reversed(range(len(places))):
        length = x.shape[1 + axis]
        inside = np.clip(places[axis], -1, length)
        inside += 1
        inside *= stride
        stride *= length + 2
        partial.insert(0, inside)
    cells = partial[0]
    for axis, more in enumerate(partial[1:], 1):
        total = workspace.scratch(
            f"cells{axis}", (*cells.shape[:-1], *more.shape), np.intp
        )
        cells = np.add(cells[..., np.newaxis, :], more, out=total)
    cells += np.arange(batch)
    y = workspace.array("y", x.shape, x.dtype)
    take_cells(source, cells, y)
    return y


def take_cells(source: np.ndarray, cells: np.ndarray, out: np.ndarray) -> None:
    """Write ``source[c].flat[cells]`` to ``out[c]`` for every channel c.

    All arrays are contiguous. A cell beyond the last is counted on from the first.
    """
    channels = len(source)
    # Any mode but "raise" spares a copy of the output; "wrap" is the fastest.
    np.take(
        source.reshape(channels, -1),
        cells.reshape(-1),
        axis=1,
        out=out.reshape(channels, -1),
        mode="wrap",
    )


def bordered(
    x: np.ndarray, fill_value: float | None, workspace: Workspace
) -> np.ndarray:
    """Copy `x` with a border of one cell around the map.

    The border holds `fill_value`, or for None the nearest cell of the map.
    """
    spatial = x.shape[1:-1]
    shape = (x.shape[0], *(n + 2 for n in spatial), x.shape[-1])
    source = workspace.scratch("bordered", shape, x.dtype)
    inner = tuple(slice(1, n + 1) for n in spatial)
    np.copyto(source[(slice(None), *inner)], x)
    for axis, n in enumerate(spatial, 1):
        lines = np.moveaxis(source, axis, 0)
        lines[0] = lines[1] if fill_value is None else fill_value
        lines[n + 1] = lines[n] if fill_value is None else fill_value
    return source


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
