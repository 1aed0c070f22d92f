"""Depthwise convolution as products with banded Toeplitz matrices.

A sum that slides along a row is a product with a matrix that has the taps on its
diagonals. For three taps and a tile of four outputs of stride 1::

    outputs           matrix                 inputs of the tile

    | y0 |     | w0 w1 w2  .  .  . |     | x0 |
    | y1 |  =  |  . w0 w1 w2  .  . |  @  | x1 |     each y and x is a
    | y2 |     |  .  . w0 w1 w2  . |     | x2 |     row of `batch` numbers
    | y3 |     |  .  .  . w0 w1 w2 |     | x3 |
                                         | x4 |
                                         | x5 |

If there are several rows of taps, or several input channels per output, their matrices
are concatenated side by side, and their inputs one below the other. Maps are batch
last: once a map has been copied into tiles, the few inputs of a tile are one matrix
(inputs, batch) in memory, and no window is written out. Most of the Toeplitz matrix is
zero. Yet for tiles of a few outputs, BLAS multiplies by all of it faster than passes
over the map, one for each tap, would take.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from skconvnet.ops.convolution.depthwise_axes import Axis, positions_inside
from skconvnet.ops.workspace import Workspace

# Outputs of a tile. With more outputs, more multiplications are by zero. With fewer,
# products are too small for BLAS, and neighboring tiles share more of their inputs.
_TILE_SIZE = 8


@dataclass(frozen=True)
class OutputPhase:
    """Outputs along one axis that are computed with the same taps.

    They are a phase: all positions with the same remainder modulo `step`. The inputs of
    neighboring `taps` are `input_step` positions apart::

        output i of the phase is at position     first + step * i
        its t-th tap is multiplied by the input  input_start
                                                 + input_step * (advance * i + t)

    Some of these inputs may lie outside the map, where they are zero.

    Attributes
    ----------
    first, step, count : int
    input_start, input_step, advance : int
    taps : tuple of int
        Empty if no tap contributes to these outputs, which are then zero.
    """

    first: int
    step: int
    count: int
    input_start: int
    input_step: int
    advance: int
    taps: tuple[int, ...]


def forward_phases(axis: Axis) -> list[OutputPhase]:
    """Split the outputs of a convolution along one axis.

    Output i takes the inputs ``i * stride + t * dilation - before``. Outputs share
    inputs, as the rows of a Toeplitz matrix do, if their inputs are a multiple of the
    dilation apart: with stride 1 and dilation 2, even outputs take even inputs, and odd
    outputs take odd inputs. Hence there is a phase for each remainder modulo
    ``dilation / gcd(stride, dilation)``.
    """
    shared = gcd(axis.stride, axis.dilation)
    step = axis.dilation // shared
    return [
        OutputPhase(
            first,
            step,
            len(range(first, axis.n_out, step)),
            input_start=first * axis.stride - axis.before,
            input_step=axis.dilation,
            advance=axis.stride // shared,
            taps=tuple(range(axis.kernel)),
        )
        for first in range(min(step, axis.n_out))
    ]


def backward_phases(axis: Axis) -> list[OutputPhase]:
    """Split the positions of the input, whose gradients are the outputs here.

    The gradient of input p is a sum over the taps t for which an output i has
    ``i * stride + t * dilation - before = p``. With strides, only some taps do, which
    depend on the phase of p. They go from the last to the first as i grows.
    """
    shared = gcd(axis.stride, axis.dilation)
    step = axis.stride * axis.dilation // shared
    phases = []
    for first in range(min(step, axis.n_in)):
        padded = first + axis.before
        taps = [
            t
            for t in range(axis.kernel)
            if (padded - t * axis.dilation) % axis.stride == 0
        ]
        start = (padded - taps[-1] * axis.dilation) // axis.stride if taps else 0
        phases.append(
            OutputPhase(
                first,
                step,
                len(range(first, axis.n_in, step)),
                input_start=start,
                input_step=axis.dilation // shared,
                advance=1,
                taps=tuple(reversed(taps)),
            )
        )
    return phases


class _EqualTiles(NamedTuple):
    """Tiles that have the same number of outputs.

    Attributes
    ----------
    down, across : slice
        The tiles along either axis.
    n_outputs : int
        Number of outputs of each tile.
    """

    down: slice
    across: slice
    n_outputs: int


class ToeplitzProduct:
    """The outputs of one phase of rows and one phase of columns.

    Groups of `fan_out` output channels are computed from the same `fan_in` input
    channels; one of the two numbers is 1. Only outputs and inputs of the two phases are
    counted here, as if they were adjacent.

    Outputs are computed in tiles of `tile_height` by `tile_width`::

                   tiles_across = 3
                 +------+------+----+
                 | tile |      | *  |      the last tiles (*) may be
                 +------+------+----+      narrower, or less high
                 |      |      | *  |
                 +------+------+----+

    A tile takes `reach` inputs along each axis, more than it has outputs, so that the
    inputs of neighboring tiles overlap. Tiles in the same column share one copy of
    their inputs, `n_input_rows` high. Each column of tiles has its own copy.

    Parameters
    ----------
    rows, columns : OutputPhase
    kernel : tuple of two ints
    fan_in, fan_out : int
    """

    def __init__(
        self,
        rows: OutputPhase,
        columns: OutputPhase,
        kernel: tuple[int, int],
        fan_in: int,
        fan_out: int,
    ) -> None:
        self.rows = rows
        self.columns = columns
        self.fan_in = fan_in
        self.fan_out = fan_out
        self.tiles_across = -(-columns.count // _TILE_SIZE)
        self.tile_width = -(-columns.count // self.tiles_across)
        self.tile_height = 1
        if self.tiles_across == rows.step == columns.step == 1:
            # Whole rows, contiguous in memory: several of a narrow map are one tile.
            self.tile_height = min(max(_TILE_SIZE // self.tile_width, 1), rows.count)
        self.tiles_down = -(-rows.count // self.tile_height)
        self.reach = (
            (self.tile_height - 1) * rows.advance + len(rows.taps),
            (self.tile_width - 1) * columns.advance + len(columns.taps),
        )
        last_row = self.tiles_down * self.tile_height - 1
        self.n_input_rows = last_row * rows.advance + len(rows.taps)
        self._matrix_index = self._find_matrix_index(kernel)
        self._equal_tiles = self._group_equal_tiles()

    def _find_matrix_index(self, kernel: tuple[int, int]) -> np.ndarray:
        """Return, for each entry of the matrices, its index in a channel's kernels.

        A channel has fan_in * fan_out kernels in a row, followed by a zero, which is
        taken for all entries off the band. Rows of a matrix are the outputs of a tile,
        and columns are its inputs.

        Returns
        -------
        index : ndarray of shape (fan_out, tile_height * tile_width, \
reach[0] * fan_in * reach[1])
        """
        size = kernel[0] * kernel[1]
        n_kernels = self.fan_in * self.fan_out
        down = _toeplitz_taps(self.tile_height, self.rows, self.reach[0])
        across = _toeplitz_taps(self.tile_width, self.columns, self.reach[1])
        # (tile_height, tile_width, reach[0], reach[1])
        taps = down[:, None, :, None] * kernel[1] + across[:, None, :]
        off_band = (down < 0)[:, None, :, None] | (across < 0)[:, None, :]
        numbers = np.arange(n_kernels).reshape(self.fan_out, 1, 1, 1, self.fan_in, 1)
        # (fan_out, tile_height, tile_width, reach[0], fan_in, reach[1])
        index: np.ndarray = numbers * size + taps[:, :, :, None]
        index[:, off_band[:, :, :, None].repeat(self.fan_in, axis=3)] = n_kernels * size
        return index.reshape(self.fan_out, self.tile_height * self.tile_width, -1)

    def tile_values(self, batch: int) -> int:
        """Return how many numbers the tiles of one channel hold."""
        row_values = self.fan_in * self.reach[1] * batch
        return self.tiles_across * self.n_input_rows * row_values

    def write(
        self, x: np.ndarray, kernels: np.ndarray, out: np.ndarray, workspace: Workspace
    ) -> None:
        """Write the outputs of these phases into `out`.

        Parameters
        ----------
        x : ndarray of shape (channels, fan_in, rows, columns, batch)
        kernels : ndarray of shape (channels, fan_in * fan_out * taps + 1), contiguous
            The last entry of each row is zero.
        out : ndarray of shape (channels, fan_out, rows, columns, batch), contiguous
        workspace : Workspace
        """
        if not self.rows.taps or not self.columns.taps:
            rows = slice(self.rows.first, None, self.rows.step)
            out[:, :, rows, self.columns.first :: self.columns.step] = 0
            return
        shape = (len(x), *self._matrix_index.shape)
        matrices = workspace.scratch("matrices", shape, x.dtype)
        # No index is out of range; with "clip", `take` needs no copy of its output.
        np.take(kernels, self._matrix_index, axis=1, out=matrices, mode="clip")
        inputs = self._tile_inputs(self._copy_into_tiles(x, workspace))
        for tiles in self._equal_tiles:
            np.matmul(
                matrices[:, :, None, None, : tiles.n_outputs],
                inputs[:, :, tiles.across, tiles.down],
                out=self._tile_outputs(out, tiles),
            )

    def _copy_into_tiles(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Copy the inputs of all tiles, with zeros where they lie outside the map.

        Returns
        -------
        tiles : ndarray of shape (channels, tiles_across, n_input_rows, fan_in, \
reach[1], batch)
        """
        width, batch = self.reach[1], x.shape[-1]
        shape = (
            *(len(x), self.tiles_across, self.n_input_rows),
            *(self.fan_in, width, batch),
        )
        tiles = workspace.scratch("tiles", shape, x.dtype)
        down, across = self.rows, self.columns
        top, bottom, rows = positions_inside(
            down.input_start, down.input_step, self.n_input_rows, x.shape[2]
        )
        tiles[:, :, :top] = 0
        tiles[:, :, bottom:] = 0
        tile_step = self.tile_width * across.advance * across.input_step
        for i in range(self.tiles_across):
            first = across.input_start + i * tile_step
            left, right, columns = positions_inside(
                first, across.input_step, width, x.shape[3]
            )
            tile = tiles[:, i, top:bottom]
            tile[:, :, :, :left] = 0
            tile[:, :, :, right:] = 0
            np.copyto(tile[:, :, :, left:right], x[:, :, rows, columns].swapaxes(1, 2))
        return tiles

    def _tile_inputs(self, tiles: np.ndarray) -> np.ndarray:
        """View the copies as matrices, one per tile.

        Rows of a copy, of fan_in * reach[1] inputs, are contiguous, so that the
        reach[0] rows of a tile are one matrix. The next tile below starts tile_height
        outputs further down, on rows that may belong to this tile as well.

        Returns
        -------
        inputs : ndarray of shape (channels, 1, tiles_across, tiles_down, \
reach[0] * fan_in * reach[1], batch)
        """
        channels, batch = len(tiles), tiles.shape[-1]
        channel, tile, row = tiles.strides[:3]
        n_inputs = self._matrix_index.shape[-1]
        inputs: np.ndarray = np.ndarray(
            (channels, 1, self.tiles_across, self.tiles_down, n_inputs, batch),
            tiles.dtype,
            tiles,
            strides=(
                *(channel, 0, tile),
                self.tile_height * self.rows.advance * row,
                *(batch * tiles.itemsize, tiles.itemsize),
            ),
        )
        return inputs

    def _group_equal_tiles(self) -> list[_EqualTiles]:
        """Separate whole tiles from the last ones, if these are smaller.

        Tiles have one row, or are as wide as the map, so that they are never smaller
        along both axes.
        """
        size = self.tile_height * self.tile_width
        down, across = slice(0, self.tiles_down), slice(0, self.tiles_across)
        if rest := self.columns.count % self.tile_width:
            last = self.tiles_across - 1
            return [
                _EqualTiles(down, slice(0, last), size),
                _EqualTiles(down, slice(last, last + 1), rest),
            ]
        if rest := self.rows.count % self.tile_height:
            last = self.tiles_down - 1
            smaller = slice(last, last + 1)
            whole = [_EqualTiles(slice(0, last), across, size)] if last else []
            return [*whole, _EqualTiles(smaller, across, rest * self.tile_width)]
        return [_EqualTiles(down, across, size)]

    def _tile_outputs(self, out: np.ndarray, tiles: _EqualTiles) -> np.ndarray:
        """View the outputs of some tiles as matrices, one per tile.

        Outputs of a tile follow each other along a row, a step of the phase apart. A
        tile of several rows is one matrix as well, since its rows are whole and
        contiguous.

        Returns
        -------
        outputs : ndarray of shape (channels, fan_out, tiles across, tiles down, \
n_outputs, batch)
        """
        channel, fan, row, column, item = out.strides
        down = self.tile_height * self.rows.step
        across = self.tile_width * self.columns.step
        first_row = self.rows.first + tiles.down.start * down
        first_column = self.columns.first + tiles.across.start * across
        counts = (
            tiles.across.stop - tiles.across.start,
            tiles.down.stop - tiles.down.start,
        )
        outputs: np.ndarray = np.ndarray(
            (len(out), self.fan_out, *counts, tiles.n_outputs, out.shape[-1]),
            out.dtype,
            out,
            offset=first_row * row + first_column * column,
            strides=(
                *(channel, fan, across * column, down * row),
                *(self.columns.step * column, item),
            ),
        )
        return outputs


def _toeplitz_taps(n_outputs: int, phase: OutputPhase, reach: int) -> np.ndarray:
    """Return the tap by which each output multiplies each input, or -1 for none.

    >>> phase = OutputPhase(0, 1, 3, 0, 1, advance=1, taps=(0, 1))
    >>> _toeplitz_taps(3, phase, reach=4)
    array([[ 0,  1, -1, -1],
           [-1,  0,  1, -1],
           [-1, -1,  0,  1]])
    """
    taps = np.full((n_outputs, reach), -1)
    for i in range(n_outputs):
        start = i * phase.advance
        taps[i, start : start + len(phase.taps)] = phase.taps
    return taps
