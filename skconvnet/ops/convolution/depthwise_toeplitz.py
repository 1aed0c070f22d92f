"""Sliding sums over the rows and columns of single channels, as products of matrices.

A sum that slides along a row is a product with a banded matrix, whose rows are the
kernel shifted by one cell each. Maps are batch last, so that the few cells a tile of
outputs sees, and those of the rows below, lie in memory as one matrix (cells, batch)
once the map has been copied into tiles: no window is written out. Most of the band is
zero, yet for tiles of a few outputs BLAS is faster on all of it than passes over the
map for each cell of the kernel are.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from skconvnet.ops.workspace import Workspace

# Outputs of a tile: more of them waste multiplications, while with fewer the products
# are too small for BLAS, and neighbouring tiles have more of the map in common.
_TILE = 8


@dataclass(frozen=True)
class Line:
    """Outputs along one axis that all take the same cells of the kernel.

    Attributes
    ----------
    first, spacing, count : int
        The outputs are ``first + spacing * i``.
    start, step : int
        Output 0 takes the inputs ``start + step * t`` for the t-th of `taps`; some
        may lie outside the map.
    advance : int
        How many steps further those of the next output are.
    taps : tuple of int
        Cells of the kernel.
    """

    first: int
    spacing: int
    count: int
    start: int
    step: int
    advance: int
    taps: tuple[int, ...]


def lines_of_outputs(
    n_out: int, kernel: int, stride: int, dilation: int, before: int
) -> list[Line]:
    """Split the outputs of a convolution: with dilation, some share no input."""
    shared = gcd(stride, dilation)
    spacing = dilation // shared
    return [
        Line(
            first,
            spacing,
            len(range(first, n_out, spacing)),
            start=first * stride - before,
            step=dilation,
            advance=stride // shared,
            taps=tuple(range(kernel)),
        )
        for first in range(min(spacing, n_out))
    ]


def lines_of_inputs(
    n_in: int, kernel: int, stride: int, dilation: int, before: int
) -> list[Line]:
    """Split the inputs, whose gradients are sums over those of the outputs.

    With strides, an input is met by some cells of the kernel only.
    """
    shared = gcd(stride, dilation)
    spacing = stride * dilation // shared
    lines = []
    for first in range(min(spacing, n_in)):
        place = first + before
        taps = [j for j in range(kernel) if (place - j * dilation) % stride == 0]
        lines.append(
            Line(
                first,
                spacing,
                len(range(first, n_in, spacing)),
                start=(place - taps[-1] * dilation) // stride if taps else 0,
                step=dilation // shared,
                advance=1,
                taps=tuple(reversed(taps)),
            )
        )
    return lines


class Band:
    """The sums of one line of rows by one line of columns.

    An output channel is one of `fan_out` that see the same input channels, of which
    there are `fan_in`; one of the two is 1.

    Parameters
    ----------
    rows, columns : Line
    kernel : tuple of int
    fan_in, fan_out : int
    """

    def __init__(
        self,
        rows: Line,
        columns: Line,
        kernel: tuple[int, int],
        fan_in: int,
        fan_out: int,
    ) -> None:
        self.rows = rows
        self.columns = columns
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.n_tiles = -(-columns.count // _TILE)
        self.width = -(-columns.count // self.n_tiles)
        self.height = 1
        if self.n_tiles == rows.spacing == columns.spacing == 1:
            # Whole rows lie behind each other: several of a narrow map are one tile.
            self.height = min(max(_TILE // self.width, 1), rows.count)
        self.n_blocks = -(-rows.count // self.height)
        self.reach = (
            (self.height - 1) * rows.advance + len(rows.taps),
            (self.width - 1) * columns.advance + len(columns.taps),
        )
        self.n_rows = (self.n_blocks * self.height - 1) * rows.advance + len(rows.taps)
        self._index = self._places(kernel)

    def _places(self, kernel: tuple[int, int]) -> np.ndarray:
        """Where each number of the banded matrices lies in the kernels of a channel.

        Those are fan_in * fan_out kernels in a row, then a zero.
        """
        size = kernel[0] * kernel[1]
        n_kernels = self.fan_in * self.fan_out
        down = _shifted(self.height, self.rows, self.reach[0])
        across = _shifted(self.width, self.columns, self.reach[1])
        cells = down[:, None, :, None] * kernel[1] + across[:, None, :]
        outside = (down < 0)[:, None, :, None] | (across < 0)[:, None, :]
        numbers = np.arange(n_kernels).reshape(self.fan_out, 1, 1, 1, self.fan_in, 1)
        # (fan_out, height, width, rows reached, fan_in, columns reached)
        places = numbers * size + cells[:, :, :, None]
        places[:, outside[:, :, :, None].repeat(self.fan_in, axis=3)] = n_kernels * size
        return places.reshape(self.fan_out, self.height * self.width, -1)

    def values_of_tiles(self, batch: int) -> int:
        """Numbers that the tiles of one channel hold."""
        return self.n_tiles * self.n_rows * self.fan_in * self.reach[1] * batch

    def apply(
        self, x: np.ndarray, kernels: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        """Write the sums of these rows and columns into `out`.

        Parameters
        ----------
        x : ndarray of shape (channels, fan_in, rows, columns, batch)
        kernels : ndarray of shape (channels, fan_in * fan_out * cells + 1), contiguous
            With a zero at the end.
        out : ndarray of shape (channels, fan_out, rows, columns, batch), contiguous
        workspace : Workspace
        """
        channels, batch = len(x), x.shape[-1]
        if not self.rows.taps or not self.columns.taps:
            rows = slice(self.rows.first, None, self.rows.spacing)
            out[:, :, rows, self.columns.first :: self.columns.spacing] = 0
            return
        shape = (channels, *self._index.shape)
        matrices = workspace.scratch("bands", shape, x.dtype)
        # Clipping is not needed, but without it `take` fills a copy first.
        np.take(kernels, self._index, axis=1, out=matrices, mode="clip")
        tiles = self._tiles(x, workspace)
        channel, tile, row = tiles.strides[:3]
        inputs: np.ndarray = np.ndarray(
            (channels, 1, self.n_tiles, self.n_blocks, shape[-1], batch),
            x.dtype,
            tiles,
            strides=(
                *(channel, 0, tile),
                self.height * self.rows.advance * row,
                *(batch * x.itemsize, x.itemsize),
            ),
        )
        for part in self._parts():
            sums = self._outputs(out, *part)
            length = sums.shape[-2]
            windows = inputs[:, :, slice(*part[0]), slice(*part[1])]
            np.matmul(matrices[:, :, None, None, :length], windows, out=sums)

    def _tiles(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Copy what each tile sees, (channels, tiles, rows, fan_in, columns, batch)."""
        width, batch = self.reach[1], x.shape[-1]
        shape = (len(x), self.n_tiles, self.n_rows, self.fan_in, width, batch)
        tiles = workspace.scratch("tiles", shape, x.dtype)
        down, across = self.rows, self.columns
        top, bottom, rows = inside(down.start, down.step, self.n_rows, x.shape[2])
        tiles[:, :, :top] = 0
        tiles[:, :, bottom:] = 0
        for i in range(self.n_tiles):
            start = across.start + i * self.width * across.advance * across.step
            left, right, columns = inside(start, across.step, width, x.shape[3])
            tile = tiles[:, i, top:bottom]
            tile[:, :, :, :left] = 0
            tile[:, :, :, right:] = 0
            np.copyto(tile[:, :, :, left:right], x[:, :, rows, columns].swapaxes(1, 2))
        return tiles

    def _parts(self) -> list[tuple[tuple[int, int], tuple[int, int], int]]:
        """Tiles and blocks of rows whose outputs are whole, and those that are not.

        Each is the first tile and that after the last, the same for blocks, and the
        outputs of a tile.
        """
        tiles, blocks = (0, self.n_tiles), (0, self.n_blocks)
        size = self.height * self.width
        if rest := self.columns.count % self.width:
            whole = self.n_tiles - 1
            return [((0, whole), blocks, size), ((whole, whole + 1), blocks, rest)]
        if rest := self.rows.count % self.height:
            whole = self.n_blocks - 1
            size_of_rest = rest * self.width
            parts = [(tiles, (0, whole), size)] if whole else []
            return [*parts, (tiles, (whole, whole + 1), size_of_rest)]
        return [(tiles, blocks, size)]

    def _outputs(
        self,
        out: np.ndarray,
        tiles: tuple[int, int],
        blocks: tuple[int, int],
        length: int,
    ) -> np.ndarray:
        """View of `out`: (channels, fan_out, tiles, blocks, tile outputs, batch)."""
        channel, fan, row, column, item = out.strides
        down = self.height * self.rows.spacing
        across = self.width * self.columns.spacing
        first_row = self.rows.first + blocks[0] * down
        first_column = self.columns.first + tiles[0] * across
        counts = (tiles[1] - tiles[0], blocks[1] - blocks[0])
        return np.ndarray(
            (len(out), self.fan_out, *counts, length, out.shape[-1]),
            out.dtype,
            out,
            offset=first_row * row + first_column * column,
            strides=(
                *(channel, fan, across * column, down * row),
                *(self.columns.spacing * column, item),
            ),
        )


def _shifted(n_outputs: int, line: Line, reach: int) -> np.ndarray:
    """The cell of the kernel by which each output takes each input; -1 for none."""
    cells = np.full((n_outputs, reach), -1)
    for i in range(n_outputs):
        start = i * line.advance
        cells[i, start : start + len(line.taps)] = line.taps
    return cells


def inside(start: int, step: int, count: int, size: int) -> tuple[int, int, slice]:
    """Which of `count` places, `step` apart, lie on an axis of so many cells.

    Returns
    -------
    first, last : int
        Those from `first` to before `last` do.
    where : slice
        Their cells.

    Examples
    --------
    >>> inside(-3, 2, 6, 5)
    (2, 4, slice(1, 5, 2))
    """
    first = min(max(-(start // step), 0), count)
    last = min(max(-((start - size) // step), first), count)
    begin = start + first * step
    return first, last, slice(begin, begin + (last - first) * step, step)
