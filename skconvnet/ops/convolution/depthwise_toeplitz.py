"""Depthwise convolution as products with banded Toeplitz matrices.

A sum that slides along a row is a product with a matrix that has the taps on its
diagonals. For three taps and a tile of four outputs of stride 1::

    outputs           matrix                 inputs that the tile sees

    | y0 |     | w0 w1 w2  .  .  . |     | x0 |
    | y1 |  =  |  . w0 w1 w2  .  . |  @  | x1 |     each y and x is a
    | y2 |     |  .  . w0 w1 w2  . |     | x2 |     row of `batch` numbers
    | y3 |     |  .  .  . w0 w1 w2 |     | x3 |
                                         | x4 |
                                         | x5 |

With several rows of taps, or several input channels per output, their matrices stand
side by side, and their inputs below each other. Maps are batch last: once a map has
been copied into tiles, the few inputs that a tile sees lie in memory as one such matrix
(inputs, batch), and no window is written out. Most of the matrix is zero, yet for tiles
of a few outputs BLAS is faster on all of it than one pass over the map for each tap.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd
from typing import NamedTuple

import numpy as np

from skconvnet.ops.convolution.depthwise_axes import Axis, positions_inside
from skconvnet.ops.workspace import Workspace

# Outputs of a tile. With more of them, more multiplications are by zero. With fewer,
# products are too small for BLAS, and neighbouring tiles share more of their inputs.
_TILE_SIZE = 8


@dataclass(frozen=True)
class OutputPhase:
    """Outputs along one axis that take inputs by the same taps.

    They are a phase: all positions with the same remainder modulo `step`. For each, the
    t-th of `taps` takes an input `input_step` after that of the tap before::

        output i of the phase, at position  first + step * i
        takes by the t-th tap the input     input_start + input_step * (advance * i + t)

    Some of these inputs may lie outside the map, where it is zero.

    Attributes
    ----------
    first, step, count : int
    input_start, input_step, advance : int
    taps : tuple of int
        Empty where no tap meets these outputs, which are then zero.
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
    inputs, as the rows of a Toeplitz matrix do, if these are a multiple of the dilation
    apart: with stride 1 and dilation 2, even outputs take even inputs, and odd ones odd
    inputs. Hence a phase per remainder modulo ``dilation / gcd(stride, dilation)``.
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
    ``i * stride + t * dilation - before = p``. With strides, those are some taps only,
    which depend on the phase of p. They go from the last to the first as i grows.
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


class _Part(NamedTuple):
    """Tiles that have equally many outputs.

    Attributes
    ----------
    down, across : slice
        Which tiles, along either axis.
    n_outputs : int
        Of each of them.
    """

    down: slice
    across: slice
    n_outputs: int


class ToeplitzProduct:
    """The outputs of one phase of rows and one phase of columns.

    An output channel is one of `fan_out` that see the same input channels, of which
    there are `fan_in`; one of the two is 1. Here only the outputs and inputs of the two
    phases count, as if they were neighbours.

    Outputs are computed in tiles of `tile_height` by `tile_width`::

                   tiles_across = 3
                 +------+------+----+
                 | tile |      | *  |      the last tiles (*) may be
                 +------+------+----+      narrower, or less high
                 |      |      | *  |
                 +------+------+----+

    A tile sees `reach` inputs along each axis, more than it has outputs, so that the
    inputs of neighbouring tiles overlap. Tiles below each other share one copy of their
    column of the map, `n_input_rows` high; those side by side have copies of their own.

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
        self._parts = self._cut_into_parts()

    def _find_matrix_index(self, kernel: tuple[int, int]) -> np.ndarray:
        """Tell which number of a channel's kernels each entry of its matrices is.

        A channel has fan_in * fan_out kernels in a row, then a zero, which all entries
        off the band are. Rows of a matrix are the outputs of a tile, and columns the
        inputs that it sees:

            (fan_out, tile_height * tile_width, reach[0] * fan_in * reach[1])
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
            With a zero at the end.
        out : ndarray of shape (channels, fan_out, rows, columns, batch), contiguous
        workspace : Workspace
        """
        if not self.rows.taps or not self.columns.taps:
            rows = slice(self.rows.first, None, self.rows.step)
            out[:, :, rows, self.columns.first :: self.columns.step] = 0
            return
        shape = (len(x), *self._matrix_index.shape)
        matrices = workspace.scratch("matrices", shape, x.dtype)
        # No index is out of range, but without "clip" `take` fills a copy first.
        np.take(kernels, self._matrix_index, axis=1, out=matrices, mode="clip")
        inputs = self._tile_inputs(self._copy_into_tiles(x, workspace))
        for part in self._parts:
            outputs = self._tile_outputs(out, part)
            np.matmul(
                matrices[:, :, None, None, : part.n_outputs],
                inputs[:, :, part.across, part.down],
                out=outputs,
            )

    def _copy_into_tiles(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """Copy the inputs that tiles see, with zeros where they lie outside the map.

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
        reach[0] rows that a tile sees are one matrix. The next tile below starts
        tile_height outputs further down, on rows that this one may see as well.

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

    def _cut_into_parts(self) -> list[_Part]:
        """Cut the tiles into those that are whole, and the last ones if these are not.

        Tiles are of one row, or as wide as the map: they cannot be cut along both axes.
        """
        size = self.tile_height * self.tile_width
        down, across = slice(0, self.tiles_down), slice(0, self.tiles_across)
        if rest := self.columns.count % self.tile_width:
            last = self.tiles_across - 1
            return [
                _Part(down, slice(0, last), size),
                _Part(down, slice(last, last + 1), rest),
            ]
        if rest := self.rows.count % self.tile_height:
            last = self.tiles_down - 1
            rest_of_tile = _Part(slice(last, last + 1), across, rest * self.tile_width)
            whole = [_Part(slice(0, last), across, size)] if last else []
            return [*whole, rest_of_tile]
        return [_Part(down, across, size)]

    def _tile_outputs(self, out: np.ndarray, part: _Part) -> np.ndarray:
        """View the outputs of some tiles as matrices, one per tile.

        Outputs of a tile follow each other along a row, a step of the phase apart. A
        tile of several rows is one matrix too, as its rows are whole and contiguous.

        Returns
        -------
        outputs : ndarray of shape (channels, fan_out, tiles across, tiles down, \
n_outputs, batch)
        """
        channel, fan, row, column, item = out.strides
        down = self.tile_height * self.rows.step
        across = self.tile_width * self.columns.step
        first_row = self.rows.first + part.down.start * down
        first_column = self.columns.first + part.across.start * across
        counts = (
            part.across.stop - part.across.start,
            part.down.stop - part.down.start,
        )
        outputs: np.ndarray = np.ndarray(
            (len(out), self.fan_out, *counts, part.n_outputs, out.shape[-1]),
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
    """Return the tap by which each output takes each input, -1 for none.

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
