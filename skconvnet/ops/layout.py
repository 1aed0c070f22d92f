"""Views and copies of batch-last maps in the shapes that operations and users need."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap, Image, Shape
from skconvnet.ops.workspace import Workspace

# Numbers of a block of all samples that stays in the second-level cache.
_BLOCK_NUMBERS = 2**15


def as_rows(x: np.ndarray, n_rows: int, workspace: Workspace, name: str) -> np.ndarray:
    """View `x` as (n_rows, columns), or a copy of it if it is not contiguous.

    Parameters
    ----------
    x : ndarray
        Array whose first axis, or first axes together, have `n_rows` elements.
    n_rows : int
    workspace : Workspace
        Holds the copy.
    name : str
        Name of the copy in the workspace.

    Examples
    --------
    >>> x = np.zeros((3, 4, 5, 16))
    >>> as_rows(x, 3, Workspace(), "x").shape
    (3, 320)
    """
    if not x.flags.c_contiguous:
        copy = workspace.array(name, x.shape, x.dtype)
        np.copyto(copy, x)
        x = copy
    return x.reshape(n_rows, x.size // n_rows)


def tiled(
    z: FeatureMap, m: tuple[int, ...], counts: tuple[int, ...], rows: slice
) -> np.ndarray:
    """View a map that is cut into adjacent tiles, position by position of a tile.

    Parameters
    ----------
    z : ndarray of shape (channels, *(counts * m), batch)
    m : tuple of int
        Positions of a tile along each axis.
    counts : tuple of int
        Tiles along each axis.
    rows : slice
        Rows of tiles, along the first axis.

    Returns
    -------
    tiles : ndarray of shape (*m, channels, rows, *counts[1:], batch)

    Examples
    --------
    >>> z = np.arange(6.0).reshape(1, 6, 1)
    >>> tiled(z, (2,), (3,), slice(1, 3))[:, 0, :, 0]
    array([[2., 4.],
           [3., 5.]])
    """
    pairs = zip(counts, m, strict=True)
    by_tile = z.reshape(len(z), *(n for pair in pairs for n in pair), z.shape[-1])
    inner, outer = range(2, 2 * len(m) + 1, 2), range(1, 2 * len(m), 2)
    return by_tile[:, rows].transpose(*inner, 0, *outer, 2 * len(m) + 1)


def map_shape(shape: Shape, batch: int) -> Shape:
    """Turn a public shape into the shape of a batch-last array.

    >>> map_shape((28, 28, 3), 16)
    (3, 28, 28, 16)
    """
    return (shape[-1], *shape[:-1], batch)


def sample_shape(shape: Shape) -> Shape:
    """Return the shape of one sample, channels last, given that of a batch-last map.

    >>> sample_shape((3, 28, 28, 16))
    (28, 28, 3)
    """
    return (*shape[1:-1], shape[0])


def channels_last(x: np.ndarray) -> np.ndarray:
    """View a batch-last array as (batch, *spatial, channels)."""
    return x.transpose(x.ndim - 1, *range(1, x.ndim - 1), 0) if x.ndim > 2 else x.T


def copy_maps(samples: Image, out: np.ndarray) -> None:
    """Copy maps (n, *spatial, channels) into a view whose memory is batch last.

    The copy goes along the batch in one array and along the channels in the other. If
    samples are large, what one of them has read is no longer in the cache when it is
    needed again. So the copy takes a few positions of the first spatial axis at a time.
    """
    n_numbers = samples.size // max(samples.shape[1], 1)
    step = max(_BLOCK_NUMBERS // max(n_numbers, 1), 1)
    for start in range(0, samples.shape[1], step):
        some = slice(start, start + step)
        np.copyto(out[:, some], samples[:, some], casting="unsafe")


def per_channel(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    """View one value per channel so that the values broadcast against the map `x`."""
    return values.reshape(-1, *(1,) * (x.ndim - 1))


def column_of(values: np.ndarray) -> np.ndarray:
    """Return values of a sample, channels last, as a column, channels first.

    The column broadcasts against the rows that `as_rows` returns.

    >>> column_of(np.arange(4.0).reshape(2, 2))[:, 0]
    array([0., 2., 1., 3.])
    """
    return np.moveaxis(values, -1, 0).reshape(-1, 1)


def write_column(column: np.ndarray, out: np.ndarray) -> None:
    """Write values in the order of `column_of` into `out`, channels last.

    Examples
    --------
    >>> out = np.empty((2, 2))
    >>> write_column(np.array([0.0, 2, 1, 3]), out)
    >>> out
    array([[0., 1.],
           [2., 3.]])
    """
    channels_first = np.moveaxis(out, -1, 0)
    channels_first[...] = column.reshape(channels_first.shape)
