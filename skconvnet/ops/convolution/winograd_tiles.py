"""Overlapping tiles of a map, stored so that they are read in long runs.

A tile has ``m + k - 1`` positions along an axis, for m outputs of a kernel of k taps.
It starts m positions after the tile before, and shares all positions after its first m
with later tiles. With m = 2 and k = 3, along one axis::

    position of the padded map   0   1   2   3   4   5   6   7
    tile 0                       0   1   2   3
    tile 1                               0   1   2   3
    tile 2                                       0   1   2   3

The transforms read one position of all tiles at once. Along the last axis these values
are m apart. So the padded map is stored as m *tile phases*: phase p has the positions
p, p + m, p + 2 m and so on, which are its *columns*::

    column                       0       1       2       3
    phase 0                      0       2       4       6
    phase 1                          1       3       5       7

Position i of tile t is position ``t m + i`` of the map, hence it is in phase ``i mod
m`` and column ``t + i // m``. So position i of all tiles of a row is one run of its
phase, from column ``i // m`` on::

    position 0 of the tiles      phase 0, columns 0 to 2
    position 1                   phase 1, columns 0 to 2
    position 2                   phase 0, columns 1 to 3
    position 3                   phase 1, columns 1 to 3

The other axes stay unchanged: rows of tiles start m rows apart. Arrays are batch last.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from types import EllipsisType
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Shape
from skconvnet.ops.padding import fill_around
from skconvnet.ops.short_runs import copy_runs
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
            default=1,
        )

    sizes = zip(windows.out_shape, windows.kernel, strict=True)
    return tuple(along_axis(n, k) for n, k in sizes)


class _Phase(NamedTuple):
    """The index of a phase's values in the phase and in the map."""

    number: int
    in_phase: tuple[slice, ...]
    in_map: tuple[slice | EllipsisType, ...]


class TileGroup(NamedTuple):
    """Some positions of all tiles of a row block, as a view of the phases.

    Attributes
    ----------
    inside : tuple of slice
        The positions along each axis of a tile.
    shape, offset, strides
        Memory layout of the view. Its axes are ``(*positions, channels, *tiles,
        batch)``.
    """

    inside: tuple[slice, ...]
    shape: Shape
    offset: int
    strides: tuple[int, ...]

    def view(self, phases: np.ndarray) -> np.ndarray:
        """Return the view of `phases`."""
        return np.ndarray(self.shape, phases.dtype, phases, self.offset, self.strides)


class Tiles:
    """The tiles of a map for windows of stride 1.

    A row block is a slice of rows of tiles, along the first axis.

    Parameters
    ----------
    windows : Windows
    m : tuple of int
        Number of outputs of a tile along each axis.

    Attributes
    ----------
    shape : tuple of int
        Number of positions of a tile along each axis.
    counts : tuple of int
        Number of tiles along each axis.
    """

    def __init__(self, windows: Windows, m: tuple[int, ...]) -> None:
        self.windows = windows
        self.m = m
        self.shape = tuple(a + k - 1 for a, k in zip(m, windows.kernel, strict=True))
        self.counts = tuple(
            -(-n // a) for n, a in zip(windows.out_shape, m, strict=True)
        )
        self._phases = list(self._find_phases())
        self._groups: dict[tuple[object, ...], list[TileGroup]] = {}

    def phases_shape(self, channels: int, batch: int) -> Shape:
        """Return the shape of the phases: (last m, channels, *rows, columns, batch)."""
        *others, m = self.m
        rows = zip(self.counts[:-1], others, self.shape[:-1], strict=True)
        columns = self.counts[-1] + -(-self.shape[-1] // m) - 1
        return (m, channels, *((n - 1) * a + t for n, a, t in rows), columns, batch)

    def block_shape(self, channels: int, rows: slice, batch: int) -> Shape:
        """Return the shape of a row block: (*shape, channels, *tiles, batch)."""
        n_rows = rows.stop - rows.start
        return (*self.shape, channels, n_rows, *self.counts[1:], batch)

    def split(self, x: FeatureMap, phases: np.ndarray) -> None:
        """Write the map `x`, with zeros around it, into `phases`."""
        fill_around(phases, self.windows.interior[:-1], first=2)
        for phase, in_phase, in_map in self._phases:
            columns = in_phase[-2]
            phases[phase, ..., : columns.start, :] = 0
            phases[phase, ..., columns.stop :, :] = 0
            copy_runs(phases[phase][in_phase], x[in_map])

    def join(self, phases: np.ndarray, x: FeatureMap) -> None:
        """Write the map that `phases` hold into `x`."""
        for phase, in_phase, in_map in self._phases:
            copy_runs(x[in_map], phases[phase][in_phase])

    def read(self, phases: np.ndarray, rows: slice, tiles: np.ndarray) -> None:
        """Write all positions of the tiles of a row block into `tiles`."""
        for group in self.groups(phases, rows, whole=True):
            np.copyto(tiles[group.inside], group.view(phases))

    def clear_shared(self, phases: np.ndarray) -> None:
        """Write zeros to the positions that are not among the first m of any tile.

        They come after the first m positions of the last tile along each axis.
        """
        sizes = [n * m for n, m in zip(self.counts, self.m, strict=True)]
        sizes[-1] = self.counts[-1]
        fill_around(phases, [slice(0, size) for size in sizes], first=2)

    def groups(
        self, phases: np.ndarray, rows: slice, *, whole: bool
    ) -> list[TileGroup]:
        """Cut the positions of a tile into groups that are views of `phases`.

        A group has at most m positions along an axis. So no two tiles of a group share
        a position of the map, and values can be added to the view. The first group has
        the first m positions along every axis. If `whole`, which is for reading, the
        groups are joined along all axes except the last.
        """
        key = (phases.shape, phases.dtype, rows.start, rows.stop, whole)
        groups = self._groups.get(key)
        if groups is None:
            groups = self._groups[key] = list(self._find_groups(phases, rows, whole))
        return groups

    def _find_phases(self) -> Iterator[_Phase]:
        *others, last = self.windows.interior
        m, width = self.m[-1], self.windows.in_shape[-1]
        for phase in range(m):
            # The map starts at position `last.start` of the padded map.
            first = -(last.start - phase) % m
            columns = slice(first, None, m)
            count = len(range(first, width, m))
            start = (last.start + first) // m
            inside = slice(start, start + count)
            yield _Phase(
                phase,
                (slice(None), *others, inside, slice(None)),
                (..., columns, slice(None)),
            )

    def _find_groups(
        self, phases: np.ndarray, rows: slice, whole: bool
    ) -> Iterator[TileGroup]:
        """Find the view of each group.

        With two axes, and a group that starts at position (first_i, first_j) of a tile,
        element ``[i, j, channel, r, t, sample]`` of the view is position (first_i + i,
        first_j + j) of the tile (rows.start + r, t). In the phases, it is in

            phase j, row (rows.start + r) m + first_i + i, column t + first_j / m

        since first_j is a multiple of the last m, and j is less than m. Each index is
        multiplied by one stride, so that a view is possible.
        """
        cuts = []
        for axis, (m, size) in enumerate(zip(self.m, self.shape, strict=True)):
            step = size if whole and axis + 1 < len(self.m) else m
            cuts.append([slice(i, min(i + step, size)) for i in range(0, size, step)])
        phase, channel, *row_strides, column, item = phases.strides
        row_steps = zip(row_strides, self.m[:-1], strict=True)
        to_next_position = (*row_strides, phase)
        to_next_tile = (*(stride * m for stride, m in row_steps), column)
        strides = (*to_next_position, channel, *to_next_tile, item)
        block_shape = self.block_shape(phases.shape[1], rows, phases.shape[-1])
        for inside in product(*cuts):
            *first_rows, first = (cut.start for cut in inside)
            offset = rows.start * to_next_tile[0]
            offset += sum(i * s for i, s in zip(first_rows, row_strides, strict=True))
            offset += first // self.m[-1] * column
            positions = (cut.stop - cut.start for cut in inside)
            shape = (*positions, *block_shape[len(cuts) :])
            yield TileGroup(inside, shape, offset, strides)
