"""Winograd's transform of the tiles of a map, and the gradient of the map.

Transforms are matrix products along one axis after the other. Along all axes but the
last, a product takes its rows directly from the map, where a row of all columns and
samples is one long run. Along the last axis, runs would be as short as the batch. There
the positions of the tiles are first copied apart::

    map            (C, H, W x batch)
      | B' along H, for tiles that overlap
    wide           (i, C, tiles along H, columns x batch)
      | copy position j of each tile along W
    tiles          (j, i, C, tiles along H, tiles along W, batch)
      | B' along W
    transformed    (j, i, C, tiles along H, tiles along W, batch)

The columns of `wide` are those of the block, with zeros for padding. The gradient goes
the opposite way, with the transposed matrices. There, positions of overlapping tiles
are added up. The last m positions of all tiles do not overlap, and cover the map except
its beginning: they *overwrite* the gradient of the map. The first k - 1 positions are
*added* to those of earlier tiles, or to the beginning, which is zero at the start. So
blocks are processed from the first to the last along the first axis. Along the last
axis they are processed from the last to the first, and sums are carried over in `wide`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, Shape
from skconvnet.ops.convolution.winograd_tiles import TileAxis, TileBlock, Tiles
from skconvnet.ops.convolution.winograd_transforms import FilteringMatrices
from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace


class TileInputs:
    """Writes programs that transform the tiles of a block, and add their gradients.

    Parameters
    ----------
    tiles : Tiles
    matrices : sequence of FilteringMatrices
        The matrices of each axis.
    channels : int
    """

    def __init__(
        self, tiles: Tiles, matrices: Sequence[FilteringMatrices], channels: int
    ) -> None:
        self.tiles = tiles
        self.channels = channels
        *self._outer, self._last = tiles.axes
        *self._outer_matrices, self._last_matrix = (axis.inputs for axis in matrices)

    def transform(
        self, program: Program, x: FeatureMap, block: TileBlock, workspace: Workspace
    ) -> np.ndarray:
        """Add calls that compute B' d for the tiles d of a block.

        Returns
        -------
        transformed : ndarray of shape (positions of a tile, channels, tiles x batch)
            Scratch.
        """
        wide = self._read_wide(program, x, block, workspace)
        size = self._last.tile_size
        rows = prod(wide.shape[:-2])
        counts = self.tiles.block_counts(block)
        if size == 1:
            return wide.reshape(-1, self.channels, prod(counts) * x.shape[-1])
        shape = (size, *wide.shape[:-2], counts[-1], x.shape[-1])
        tiles = workspace.scratch("block A", shape, x.dtype)
        whole = slice(0, counts[-1]), slice(0, size)
        in_wide = replace(self._last, before=0)
        view = in_wide.view(wide, wide.ndim - 2, *whole)
        program.add_copy(tiles, np.moveaxis(view, -2, 0))
        transformed = workspace.scratch("block B", shape, x.dtype)
        matrix = self._last_matrix.astype(x.dtype)
        width = rows * counts[-1] * x.shape[-1]
        program.add(
            np.matmul,
            matrix,
            tiles.reshape(size, width),
            out=transformed.reshape(size, width),
        )
        return transformed.reshape(-1, self.channels, prod(counts) * x.shape[-1])

    def _wide_shape(self, block: TileBlock, batch: int) -> Shape:
        """Return (*positions, channels, *tiles, columns, batch)."""
        sizes = (axis.tile_size for axis in self._outer)
        *counts, n_columns = self.tiles.block_counts(block)
        width = n_columns * self._last.m + self._last.kernel - 1
        return (*sizes, self.channels, *counts, width, batch)

    def _columns_in_map(self, block: TileBlock, width: int) -> slice:
        """Return which columns of `wide` are in the map."""
        start = self._last.start(block.columns.start)
        first = min(max(-start, 0), width)
        return slice(first, max(min(width, self._last.map_size - start), first))

    def _read_wide(
        self, program: Program, x: FeatureMap, block: TileBlock, workspace: Workspace
    ) -> np.ndarray:
        """Add calls that write the columns of a block, transformed along H."""
        batch = x.shape[-1]
        shape = self._wide_shape(block, batch)
        # It is the result if there is nothing to transform along the last axis.
        name = "block B" if self._last.tile_size == 1 else "block C"
        wide = workspace.scratch(name, shape, x.dtype)
        inside = self._columns_in_map(block, shape[-2])
        for outside in (slice(inside.start), slice(inside.stop, shape[-2])):
            if len(range(*outside.indices(shape[-2]))):
                program.add(np.copyto, wide[..., outside, :], 0)
        if inside.start == inside.stop:
            return wide
        start = self._last.start(block.columns.start)
        source = _runs(x, slice(inside.start + start, inside.stop + start))
        target = _runs(wide, inside)
        if not self._outer:
            program.add_copy(target, source)
        for number, axis in enumerate(self._outer):
            out = target
            if number + 1 < len(self._outer):
                out = self._between(number, target, source, workspace)
            self._transform_along(program, number, axis, block, source, out)
            source = out
        return wide

    def _between(
        self, number: int, wide: np.ndarray, x: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Return scratch for the map, transformed along axis `number` and before."""
        n = number + 1
        shape = (
            *wide.shape[:n],
            self.channels,
            *wide.shape[len(self._outer) + 1 :][:n],
            *x.shape[-(len(self._outer) - n + 1) :],
        )
        return workspace.scratch(f"between{number}", shape, x.dtype)

    def _tiles_along(self, number: int, block: TileBlock) -> slice:
        """Return the tiles of a block along an axis other than the last."""
        return block.rows if number == 0 else slice(0, self.tiles.counts[number])

    def _transform_along(
        self,
        program: Program,
        number: int,
        axis: TileAxis,
        block: TileBlock,
        source: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Add calls that apply B' along an axis other than the last.

        Parameters
        ----------
        source : ndarray of shape (*positions, channels, *tiles, *spatial, run)
            Transformed along the axes before `number`.
        out : ndarray
            The same with one more axis of positions and of tiles.
        """
        matrix = self._outer_matrices[number].astype(source.dtype)
        tiles = self._tiles_along(number, block)
        at = 2 * number + 1  # the axis of the map in `source`
        for group in axis.groups(tiles, slice(0, axis.tile_size)):
            target = out[(slice(None),) * (at + 1) + (group.own,)]
            if not group.is_in_map:
                program.add(np.copyto, target, 0)
                continue
            program.add(
                np.matmul,
                np.ascontiguousarray(matrix[:, group.inside]),
                axis.view(source, at, group.tiles, group.inside),
                out=np.moveaxis(target, number, -2),
            )

    def add_gradient(
        self,
        program: Program,
        dtransformed: np.ndarray,
        dx: FeatureMap,
        block: TileBlock,
        workspace: Workspace,
        *,
        set_aside: bool,
    ) -> None:
        """Add calls that add the gradient of the tiles of a block to that of the map.

        Parameters
        ----------
        program : Program
        dtransformed : ndarray of shape (positions of a tile, channels, tiles x batch)
            Gradient of B' d.
        dx : ndarray of shape (channels, *in_shape, batch)
        block : TileBlock
            All blocks before it along the first axis, and all after it along the last,
            come earlier.
        workspace : Workspace
        set_aside : bool
            Whether the rows that also belong to blocks before it are not added, but
            kept for `add_rows_set_aside`.
        """
        wide = self._gradient_of_wide(program, dtransformed, dx, block, workspace)
        inside, in_map = self._own_columns(block, wide.shape[-2])
        if inside.start == inside.stop:
            return
        source, target = _runs(wide, inside), _runs(dx, in_map)
        if not self._outer:
            program.add_copy(target, source)
        for number in reversed(range(len(self._outer))):
            out = target
            if number:
                out = self._between(number - 1, wide, target, workspace)
            aside = set_aside and number == 0
            self._add_along(program, number, block, source, out, workspace, aside)
            source = out

    def add_rows_set_aside(
        self, program: Program, dx: FeatureMap, block: TileBlock, workspace: Workspace
    ) -> None:
        """Add calls that add what `add_gradient` has set aside for a block."""
        shape = self._wide_shape(block, dx.shape[-1])
        inside, in_map = self._own_columns(block, shape[-2])
        if not self._outer or inside.start == inside.stop:
            return
        target = _runs(dx, in_map)
        rows = self._rows_set_aside(target, block, workspace)
        self._add_rows(program, 0, block.rows, rows, target)

    def _own_columns(self, block: TileBlock, width: int) -> tuple[slice, slice]:
        """Return the columns of `wide` that no other block shares, and of the map."""
        inside = self._columns_in_map(block, width)
        first = block.columns.start
        if first:
            start = max(inside.start, self._last.kernel - 1)
            inside = slice(min(start, inside.stop), inside.stop)
        start = self._last.start(first)
        return inside, slice(inside.start + start, inside.stop + start)

    def _gradient_of_wide(
        self,
        program: Program,
        dtransformed: np.ndarray,
        dx: FeatureMap,
        block: TileBlock,
        workspace: Workspace,
    ) -> np.ndarray:
        """Add calls that compute the gradient of `wide`, with what is carried over."""
        batch = dx.shape[-1]
        shape = self._wide_shape(block, batch)
        wide = self._add_up_columns(program, dtransformed, shape, workspace)
        overlap = self._last.kernel - 1
        if not overlap:
            return wide
        carried = workspace.scratch("carried", (*shape[:-2], overlap, batch), dx.dtype)
        if block.columns.stop < self._last.count:
            end = _runs(wide, slice(shape[-2] - overlap, shape[-2]))
            program.add(np.add, end, _runs(carried, slice(0, overlap)), out=end)
        if block.columns.start:
            program.add_copy(carried, wide[..., :overlap, :])
        return wide

    def _add_up_columns(
        self,
        program: Program,
        dtransformed: np.ndarray,
        wide_shape: Shape,
        workspace: Workspace,
    ) -> np.ndarray:
        """Add calls that compute the gradient of `wide`."""
        axis = self._last
        size, overlap, dtype = axis.tile_size, axis.kernel - 1, dtransformed.dtype
        if size == 1:
            return dtransformed.reshape(wide_shape)
        dtiles = workspace.scratch("block C", (size, dtransformed.size // size), dtype)
        matrix = np.ascontiguousarray(self._last_matrix.T.astype(dtype))
        program.add(np.matmul, matrix, dtransformed.reshape(dtiles.shape), out=dtiles)
        n_columns = (wide_shape[-2] - overlap) // axis.m
        batch = wide_shape[-1]
        by_row = dtiles.reshape(size, prod(wide_shape[:-2]), n_columns * batch)
        if n_columns > 1:
            for some in axis.cut_overlap():
                # In the tile before, the same column is m positions later.
                later = by_row[some.start + axis.m : some.stop + axis.m, :, :-batch]
                program.add(np.add, later, by_row[some, :, batch:], out=later)
        apart = dtiles.reshape(size, *wide_shape[:-2], n_columns, batch)
        wide = workspace.scratch("block A", wide_shape, dtype)
        program.add_copy(
            np.moveaxis(wide[..., :overlap, :], -2, 0), apart[:overlap, ..., 0, :]
        )
        others = wide[..., overlap:, :]
        others = others.reshape(*wide_shape[:-2], n_columns, axis.m, batch)
        program.add_copy(np.moveaxis(others, -2, 0), apart[overlap:])
        return wide

    def _add_along(
        self,
        program: Program,
        number: int,
        block: TileBlock,
        source: np.ndarray,
        out: np.ndarray,
        workspace: Workspace,
        aside: bool,
    ) -> None:
        """Add calls that apply B along an axis and add up overlapping tiles.

        The arguments are those of `_transform_along`, with the roles exchanged.
        """
        axis, at = self._outer[number], 2 * number + 1
        matrix = self._outer_matrices[number].T.astype(source.dtype)
        tiles, overlap = self._tiles_along(number, block), axis.kernel - 1
        source = np.moveaxis(source, number, -2)
        before = (slice(None),) * at
        if tiles.start == 0 and axis.start(0) + overlap > 0:
            beginning = out[(*before, slice(axis.start(0) + overlap))]
            program.add(np.copyto, beginning, 0)
        for group in axis.groups(tiles, slice(overlap, axis.tile_size)):
            if group.is_in_map:
                program.add(
                    np.matmul,
                    np.ascontiguousarray(matrix[group.inside]),
                    source[(*before, group.own)],
                    out=axis.view(out, at, group.tiles, group.inside),
                )
        if not overlap:
            return
        if aside:
            rows = self._rows_set_aside(out, block, workspace)
        else:
            shape = (*source.shape[:-2], overlap, source.shape[-1])
            rows = workspace.scratch("block C", shape, source.dtype)
        program.add(np.matmul, np.ascontiguousarray(matrix[:overlap]), source, out=rows)
        if not aside:
            self._add_rows(program, number, tiles, rows, out)

    def _rows_set_aside(
        self, dx: np.ndarray, block: TileBlock, workspace: Workspace
    ) -> np.ndarray:
        """Return the array for rows that the tiles of a block share with others."""
        channels, _, *others, run = dx.shape
        n_tiles = block.rows.stop - block.rows.start
        shape = (channels, n_tiles, *others, self._outer[0].kernel - 1, run)
        name = f"rows set aside, {block.columns.start}"
        return workspace.array(name, shape, dx.dtype)

    def _add_rows(
        self,
        program: Program,
        number: int,
        tiles: slice,
        rows: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Add calls that add the first k - 1 positions of tiles to a map.

        Parameters
        ----------
        rows : ndarray of shape (*positions, channels, *tiles, *spatial, k - 1, run)
        out : ndarray of shape (*positions, channels, *tiles, *spatial, run)
        """
        axis, at = self._outer[number], 2 * number + 1
        for some in axis.cut_overlap():
            for group in axis.groups(tiles, some):
                if group.is_in_map:
                    target = axis.view(out, at, group.tiles, group.inside)
                    own = rows[(slice(None),) * at + (group.own,)]
                    program.add(np.add, target, own[..., group.inside, :], out=target)


def _runs(x: np.ndarray, columns: slice) -> np.ndarray:
    """View some columns of all samples as the last axis, one long run."""
    *others, _, batch = x.shape
    width = (columns.stop - columns.start) * batch
    return x[..., columns, :].reshape(*others, width)
