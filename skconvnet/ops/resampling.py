"""Resample batch-last maps at positions that differ from sample to sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skconvnet.ops.outside import Fill, reflect_between, reflected
from skconvnet.ops.workspace import Workspace


def gather(
    x: np.ndarray,
    positions: Sequence[np.ndarray],
    fill: Fill,
    workspace: Workspace,
) -> np.ndarray:
    """Read each value of the output from the row, column, ... in `positions`.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    positions : sequence of ndarray of int, each of shape (length of an axis, batch)
        For each position of the output along that axis, the position to read.
        Positions outside the map read what `fill` says.
    fill : float, "nearest" or "reflect"
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        The workspace's array "y".

    Examples
    --------
    >>> x = np.array([[[1.0], [2.0], [3.0]]])  # one channel of one sample
    >>> gather(x, [np.array([[1], [2], [3]])], 0.0, Workspace()).ravel()
    array([2., 3., 0.])
    """
    source = _padded(x, fill, workspace)
    batch = x.shape[-1]
    # The flat index of (row, column, sample) is a sum with a term for each axis.
    stride = batch
    terms: list[np.ndarray] = []
    for axis in reversed(range(len(positions))):
        length = x.shape[1 + axis]
        own = positions[axis]
        own = reflected(own, length) if fill == "reflect" else own
        term = np.clip(own, -1, length)
        term += 1
        term *= stride
        stride *= length + 2
        terms.insert(0, term)
    indices = terms[0]
    for axis, term in enumerate(terms[1:], 1):
        total = workspace.scratch(
            f"indices{axis}", (*indices.shape[:-1], *term.shape), np.intp
        )
        indices = np.add(indices[..., np.newaxis, :], term, out=total)
    indices += np.arange(batch)
    y = workspace.array("y", x.shape, x.dtype)
    _take(source, indices, y)
    return y


def _take(source: np.ndarray, indices: np.ndarray, out: np.ndarray) -> None:
    """Write ``source[c].flat[indices]`` to ``out[c]`` for every channel c.

    All arrays are contiguous. An index past the end wraps around to the start.
    """
    channels = len(source)
    # Any mode but "raise" avoids a copy of the output; "wrap" is the fastest.
    np.take(
        source.reshape(channels, -1),
        indices.reshape(-1),
        axis=1,
        out=out.reshape(channels, -1),
        mode="wrap",
    )


def _padded(x: np.ndarray, fill: Fill, workspace: Workspace) -> np.ndarray:
    """Copy `x` with a padding of one position on every side.

    The padding holds the value to fill with, or otherwise the nearest value of the map.
    """
    spatial = x.shape[1:-1]
    shape = (x.shape[0], *(n + 2 for n in spatial), x.shape[-1])
    source = workspace.scratch("padded", shape, x.dtype)
    inner = tuple(slice(1, n + 1) for n in spatial)
    np.copyto(source[(slice(None), *inner)], x)
    for axis, n in enumerate(spatial, 1):
        lines = np.moveaxis(source, axis, 0)
        lines[0] = lines[1] if isinstance(fill, str) else fill
        lines[n + 1] = lines[n] if isinstance(fill, str) else fill
    return source


def bilinear(
    x: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    fill: Fill,
    workspace: Workspace,
) -> np.ndarray:
    """Interpolate bilinearly between the four pixels around each position.

    Parameters
    ----------
    x : ndarray of shape (channels, height, width, batch)
    rows, columns : ndarray of shape (height, width, batch), of the dtype of x
        The position to read for each pixel of a sample. Overwritten.
    fill : float, "nearest" or "reflect"
        What all pixels outside the image are, which are interpolated with the pixels at
        its edge.
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        The workspace's array "y". Its values lie between the smallest and the largest
        of x and `fill`.

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
    # A position in the padding after the last row or column is a whole number. The
    # value read after it has weight 0, whatever it is.
    source = _padded(x, fill, workspace)
    width = source.shape[2]
    floor_rows = _split(rows, x.shape[1], fill, "rows", workspace)
    floor_columns = _split(columns, x.shape[2], fill, "columns", workspace)
    indices = workspace.scratch("indices", rows.shape, np.intp)
    pixels = _number_pixels(floor_rows, floor_columns, width)
    np.copyto(indices, pixels, casting="unsafe")
    indices *= batch
    indices += np.arange(batch)

    y = workspace.array("y", x.shape, x.dtype)
    right = workspace.scratch("right", x.shape, x.dtype)
    lower = workspace.scratch("lower", x.shape, x.dtype)
    _take(source, indices, y)
    indices += batch
    _take(source, indices, right)
    _blend(y, right, columns)
    indices += (width - 1) * batch
    _take(source, indices, lower)
    indices += batch
    _take(source, indices, right)
    _blend(lower, right, columns)
    _blend(y, lower, rows)
    return y


def _split(
    positions: np.ndarray, length: int, fill: Fill, name: str, workspace: Workspace
) -> np.ndarray:
    """Return the integer parts of `positions` in the padded map; leave the fractions.

    The fractions overwrite `positions`.
    """
    whole = workspace.scratch(f"floor_{name}", positions.shape, positions.dtype)
    if fill == "reflect":
        reflect_between(positions, length, whole)
    positions += 1
    np.clip(positions, 0, length + 1, out=positions)
    np.floor(positions, out=whole)
    positions -= whole
    return whole


def _number_pixels(rows: np.ndarray, columns: np.ndarray, width: int) -> np.ndarray:
    """Return ``rows * width + columns``, in `rows` if its dtype can hold the result."""
    if rows.dtype == np.float32 and (len(rows) + 2) * width >= 2**24:
        # float32 has no odd numbers beyond 2^24.
        rows = rows.astype(np.float64)
    rows *= rows.dtype.type(width)
    rows += columns
    return rows


def _blend(first: np.ndarray, second: np.ndarray, share: np.ndarray) -> None:
    """Write ``(1 - share) * first + share * second`` to `first`, overwriting both.

    If the share is below 1, rounding cannot take the result out of the interval between
    the two: the product is then less than their rounded difference, by at least a unit
    in its last place.
    """
    second -= first
    second *= share
    first += second
