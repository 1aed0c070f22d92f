"""Reading batch-last maps at other cells, chosen for each sample alone."""

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
