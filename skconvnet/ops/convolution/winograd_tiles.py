"""Tiles of a map that overlap by the reach of a kernel, and how to cut them fast.

A tile has m cells to itself along an axis and shares the next ones with the tile
behind it. The padded map is first split by the place of a column in its tile, into m
*phases*, so that the same cell of all tiles of a row is one run of memory. Arrays are
batch last; a block of tiles is a run of rows of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from skconvnet.ops.layout import fill_around
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.windows import Windows


class Tiles:
    """The tiles of a map for windows of stride 1.

    Parameters
    ----------
    windows : Windows
    m : tuple of int
        Windows of a tile along each axis.

    Attributes
    ----------
    shape : tuple of int
        Cells of a tile along each axis, m and the reach of a window.
    counts : tuple of int
        Tiles along each axis.
    """

    def __init__(self, windows: Windows, m: tuple[int, ...]) -> None:
        self.windows = windows
        self.m = m
        self.shape = tuple(a + k - 1 for a, k in zip(m, windows.kernel, strict=True))
        self.counts = tuple(
            -(-n // a) for n, a in zip(windows.out_shape, m, strict=True)
        )
        self._phases = list(self._find_phases())
        self._views: dict[tuple[Any, ...], list[Any]] = {}

    def phases_shape(self, channels: int, batch: int) -> tuple[int, ...]:
        *others, m = self.m
        rows = zip(self.counts[:-1], others, self.shape[:-1], strict=True)
        columns = self.counts[-1] + -(-self.shape[-1] // m) - 1
        return (m, channels, *((n - 1) * a + t for n, a, t in rows), columns, batch)

    def cells_shape(self, channels: int, rows: slice, batch: int) -> tuple[int, ...]:
        """Shape of a block: (*shape, channels, rows, *counts behind, batch)."""
        n_rows = rows.stop - rows.start
        return (*self.shape, channels, n_rows, *self.counts[1:], batch)

    def split(self, x: np.ndarray, phases: np.ndarray) -> None:
        """Write the map `x`, with zeros around it, into `phases`."""
        fill_around(phases, self.windows.interior[:-1], first=2)
        for phase, where, columns in self._phases:
            inside = where[-2]
            phases[phase, ..., : inside.start, :] = 0
            phases[phase, ..., inside.stop :, :] = 0
            copy_runs(phases[phase][where], x[columns])

    def join(self, phases: np.ndarray, x: np.ndarray) -> None:
        """Write the map that `phases` hold into `x`."""
        for phase, where, columns in self._phases:
            copy_runs(x[columns], phases[phase][where])

    def _find_phases(self) -> Iterator[tuple[int, tuple[Any, ...], tuple[Any, ...]]]:
        """For each phase its number, and where it and the map hold the same cells."""
        *others, last = self.windows.interior
        m = self.m[-1]
        for phase in range(m):
            first = -(last.start - phase) % m
            count = len(range(first, self.windows.in_shape[-1], m))
            start = (last.start + first) // m
            where = (slice(None), *others, slice(start, start + count), slice(None))
            yield phase, where, (..., slice(first, None, m), slice(None))

    def read(self, phases: np.ndarray, rows: slice, cells: np.ndarray) -> None:
        """Write the tiles of a block into `cells`."""
        for inner, place in self._places(phases, rows, whole=True):
            np.copyto(cells[inner], place)

    def clear_margins(self, phases: np.ndarray) -> None:
        """Clear what lies behind the cells that tiles have to themselves."""
        sizes = [n * m for n, m in zip(self.counts, self.m, strict=True)]
        sizes[-1] = self.counts[-1]
        fill_around(phases, [slice(0, size) for size in sizes], first=2)

    def add(self, cells: np.ndarray, rows: slice, phases: np.ndarray) -> None:
        """Add up the `cells` of a block where tiles overlap.

        Blocks come from the last to the first, after `clear_margins`: what a block has
        to itself is overwritten, before the one in front of it adds to that.
        """
        self.add_own(cells, rows, phases)
        self.add_behind(cells[self.m[0] :], rows, phases)

    def add_own(self, cells: np.ndarray, rows: slice, phases: np.ndarray) -> None:
        """Do that part of `add` which writes to the rows of the block alone."""
        (inner, place), *others = self._places(phases, rows, whole=False)
        np.copyto(place, cells[inner])
        for inner, place in others:
            if inner[0].start == 0:
                place += cells[inner]

    def add_behind(self, cells: np.ndarray, rows: slice, phases: np.ndarray) -> None:
        """Do the rest of `add`, given the cells from `m` on along the first axis."""
        m = self.m[0]
        for (first, *others), place in self._places(phases, rows, whole=False):
            if first.start:
                inner = (slice(first.start - m, first.stop - m), *others)
                place += cells[inner]

    def _places(
        self, phases: np.ndarray, rows: slice, *, whole: bool
    ) -> list[tuple[tuple[slice, ...], np.ndarray]]:
        """For groups of cells of all tiles, which they are and where they lie.

        Unless the groups go over the `whole` tile along all axes but the last, no
        place is twice in a group. The first has what tiles have to themselves.
        """
        key = (phases.shape, phases.dtype, rows.start, rows.stop, whole)
        views = self._views.get(key)
        if views is None:
            views = self._views[key] = list(self._find_views(phases, rows, whole))
        return [
            (inner, np.ndarray(shape, phases.dtype, phases, offset, strides))
            for inner, shape, offset, strides in views
        ]

    def _find_views(
        self, phases: np.ndarray, rows: slice, whole: bool
    ) -> Iterator[tuple[tuple[slice, ...], tuple[int, ...], int, tuple[int, ...]]]:
        """For each group its cells, and the shape, offset and strides of its place."""
        cuts = []
        for axis, (m, size) in enumerate(zip(self.m, self.shape, strict=True)):
            step = size if whole and axis + 1 < len(self.m) else m
            cuts.append([slice(i, min(i + step, size)) for i in range(0, size, step)])
        phase, channel, *axes, item = phases.strides
        # From cell to cell of a tile, and from tile to tile, along each axis.
        within = (*axes[:-1], phase)
        between = (*(a * m for a, m in zip(axes[:-1], self.m, strict=False)), axes[-1])
        behind = self.cells_shape(phases.shape[1], rows, phases.shape[-1])[len(cuts) :]
        for inner in product(*cuts):
            starts = [cut.start for cut in inner]
            starts[-1] = 0
            offset = sum(s * w for s, w in zip(starts, within, strict=True))
            offset += inner[-1].start // self.m[-1] * axes[-1]
            offset += rows.start * between[0]
            counts = (cut.stop - cut.start for cut in inner)
            strides = (*within, channel, *between, item)
            yield inner, (*counts, *behind), offset, strides
