"""Overlapping tiles of a map: where they are, and blocks of them that fit the cache.

A tile has ``m + k - 1`` positions along an axis, for m outputs of a kernel of k taps.
It starts m positions after the tile before, and shares its last k - 1 positions with
later tiles. With m = 2 and k = 3, along one axis::

    position of the padded map   0   1   2   3   4   5   6   7
    tile 0                       0   1   2   3
    tile 1                               0   1   2   3
    tile 2                                       0   1   2   3
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided

from skconvnet._typing import Shape
from skconvnet.ops.windows import Windows

# The most outputs of a tile along an axis, by the number of axes. With more, rounding
# errors are too large. With 4, maps of one and two axes took two thirds of the time
# that they took with 2.
_MAX_OUTPUTS = {1: 4, 2: 4, 3: 2}


def outputs_per_tile(windows: Windows) -> tuple[int, ...]:
    """Return the m of each axis for which all tiles have the fewest positions."""
    largest = _MAX_OUTPUTS[windows.ndim]

    def along_axis(n: int, kernel: int) -> int:
        if kernel == 1:
            return 1
        return min(
            range(largest, 1, -1),
            key=lambda m: -(-n // m) * (m + kernel - 1),
        )

    sizes = zip(windows.out_shape, windows.kernel, strict=True)
    return tuple(along_axis(n, k) for n, k in sizes)


class TileGroup(NamedTuple):
    """Adjacent tiles of which the same positions are in the map.

    Attributes
    ----------
    tiles : slice
    own : slice
        The same tiles, counted from the first one of their block.
    inside : slice
        The positions of each tile that are in the map.
    """

    tiles: slice
    own: slice
    inside: slice

    @property
    def is_in_map(self) -> bool:
        """Whether there are such positions."""
        return bool(self.inside.start < self.inside.stop)


@dataclass(frozen=True)
class TileAxis:
    """The tiles along one axis of a map.

    Attributes
    ----------
    map_size : int
        Positions of the map.
    before : int
        Positions of padding before the map.
    kernel : int
        Taps.
    m : int
        Outputs of a tile.
    count : int
        Tiles.
    """

    map_size: int
    before: int
    kernel: int
    m: int
    count: int

    @property
    def tile_size(self) -> int:
        """Positions of a tile."""
        return self.m + self.kernel - 1

    def start(self, tile: int) -> int:
        """Return the position of the map at which a tile starts, or less than 0."""
        return tile * self.m - self.before

    def cut_overlap(self) -> list[slice]:
        """Cut the first k - 1 positions into slices in which tiles do not overlap."""
        return [
            slice(i, min(i + self.m, self.kernel - 1))
            for i in range(0, self.kernel - 1, self.m)
        ]

    def groups(self, tiles: slice, positions: slice) -> Iterator[TileGroup]:
        """Cut the tiles of a block by which of these positions are in the map."""

        def inside(tile: int) -> tuple[int, int]:
            start = max(positions.start, -self.start(tile))
            stop = min(positions.stop, self.map_size - self.start(tile))
            return start, max(start, stop)

        for bounds, group in groupby(range(tiles.start, tiles.stop), key=inside):
            numbers = list(group)
            first, last = numbers[0], numbers[-1]
            yield TileGroup(
                slice(first, last + 1),
                slice(first - tiles.start, last + 1 - tiles.start),
                slice(*bounds),
            )

    def view(
        self, x: np.ndarray, axis: int, tiles: slice, positions: slice
    ) -> np.ndarray:
        """View positions of tiles, which have to be in the map.

        Parameters
        ----------
        x : ndarray
            Its `axis` is the axis of the map, and its last axis holds long runs.
        axis : int
        tiles, positions : slice

        Returns
        -------
        view : ndarray
            The tiles replace `axis`, and the positions come before the last axis. Tiles
            overlap in memory if there are more than m positions.
        """
        first = self.start(tiles.start) + positions.start
        x = x[(slice(None),) * axis + (slice(first, None),)]
        *strides, run = x.strides
        shape = list(x.shape[:-1])
        shape[axis] = tiles.stop - tiles.start
        strides[axis] *= self.m
        return as_strided(
            x,
            (*shape, positions.stop - positions.start, x.shape[-1]),
            (*strides, x.strides[axis], run),
        )


class TileBlock(NamedTuple):
    """Tiles that are computed at once.

    Attributes
    ----------
    rows : slice
        Tiles along the first axis.
    columns : slice
        Tiles along the last axis, which is the same axis if there is only one. All
        tiles along the other axes belong to each block.
    """

    rows: slice
    columns: slice


class Tiles:
    """The tiles of a map for windows of stride 1.

    Parameters
    ----------
    windows : Windows
    m : tuple of int
        Number of outputs of a tile along each axis.

    Attributes
    ----------
    axes : list of TileAxis
    counts : tuple of int
        Number of tiles along each axis.
    size : int
        Number of positions of a tile.
    """

    def __init__(self, windows: Windows, m: tuple[int, ...]) -> None:
        self.axes = [
            TileAxis(n_in, before, k, a, -(-n_out // a))
            for n_in, (before, _), k, a, n_out in zip(
                windows.in_shape,
                windows.pads,
                windows.kernel,
                m,
                windows.out_shape,
                strict=True,
            )
        ]
        self.counts = tuple(axis.count for axis in self.axes)
        self.size = prod(axis.tile_size for axis in self.axes)

    def block_counts(self, block: TileBlock) -> Shape:
        """Return the number of tiles of a block along each axis."""
        n_columns = block.columns.stop - block.columns.start
        if len(self.axes) == 1:
            return (n_columns,)
        return (block.rows.stop - block.rows.start, *self.counts[1:-1], n_columns)

    def cut(
        self, tile_bytes: int, min_tiles: int, block_bytes: int
    ) -> list[list[TileBlock]]:
        """Cut the tiles into rows of blocks.

        Parameters
        ----------
        tile_bytes : int
            Bytes of the transformed values of one tile of all samples.
        min_tiles : int
            The fewest tiles of a block, if there are as many.
        block_bytes : int
            About how many bytes the transformed values of a block have.

        Returns
        -------
        rows : list of list of TileBlock
            The blocks of each row of blocks, from the first column to the last.
        """
        n = max(block_bytes // tile_bytes, min_tiles)
        *others, n_columns = self.counts
        in_row = prod(others[1:]) * n_columns
        n_rows = others[0] if others else 1
        rows = _even_slices(n_rows, max(n // in_row, 1))
        step = max(n // prod(others[1:]), 1) if n < in_row else n_columns
        columns = _even_slices(n_columns, step)
        return [[TileBlock(row, column) for column in columns] for row in rows]


def _even_slices(n: int, largest: int) -> list[slice]:
    """Cut ``range(n)`` into slices of about the same length.

    >>> _even_slices(5, 4)
    [slice(0, 3, None), slice(3, 5, None)]
    """
    step = -(-n // -(-n // largest))
    return [slice(i, min(i + step, n)) for i in range(0, n, step)]
