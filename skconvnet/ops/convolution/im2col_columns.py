"""The columns of im2col, which are the windows of a map, and their sum, col2im.

The matrix of columns has a row for each channel and tap, and a column for each output
position and sample. Its product with the kernel, as a matrix, is the convolution. Maps
are batch last, ``(channels, *spatial, batch)``. There are two layouts:

*wide*
    For stride 1. There is a window at every position of a padded row, even at the last
    few, at which a window wraps around into the next row. Their outputs are the row
    padding, which is never read. Each row of the matrix is then the padded map itself,
    shifted by its tap along the flattened (spatial, batch) axis: one long run.
*exact*
    For any stride, and for maps so small that the row padding would cost more than it
    saves.

For a map of 2 x 4 positions, padding included, and a kernel of 1 x 3 taps::

    map           0  1  2  3            outputs of the wide layout    o  o  .  .
                  4  5  6  7            (. is row padding)            o  o  .  .

    tap 0, wide   0  1  2  3  4  5      exact    0  1  4  5
    tap 1         1  2  3  4  5  6               1  2  5  6
    tap 2         2  3  4  5  6  7               2  3  6  7
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, Shape
from skconvnet.ops.program import Program
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# With more stored positions per output than this, the exact layout is faster.
_MAX_STORED_PER_OUTPUT = 1.25

# With more taps, the zeros at both ends of each row of columns, which `col2im` needs in
# the wide layout, would take more memory than the columns.
_MAX_WIDE_TAPS = 64

# Columns are written out and multiplied in row blocks of about this many bytes: large
# enough for the matrix product to run at full speed, small enough to stay in the cache.
BLOCK_BYTES = 2_500_000


@dataclass(frozen=True)
class Block:
    """A row block of outputs.

    Attributes
    ----------
    rows : slice
        Range along the first spatial axis.
    start, stop : int
        Range along the flattened (spatial, batch) axis of the stored outputs.
    """

    rows: slice
    start: int
    stop: int

    @property
    def length(self) -> int:
        """Number of columns of the block."""
        return self.stop - self.start


class Columns:
    """The layout of the columns of one layer.

    Parameters
    ----------
    windows : Windows
    may_be_wide : bool
        If False, the layout is exact.
    block_bytes : int
        Columns are written out in row blocks of about this many bytes.

    Attributes
    ----------
    shape : tuple of int
        Spatial shape of the outputs as they lie in memory, with row padding.
    length : int
        Number of stored positions up to the last output. Later ones are never written.
    """

    def __init__(
        self,
        windows: Windows,
        *,
        may_be_wide: bool = True,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.windows = windows
        self._block_bytes = block_bytes
        wide = (windows.out_shape[0], *windows.padded_shape[1:])
        self.is_wide = (
            may_be_wide
            and windows.size <= _MAX_WIDE_TAPS
            and all(s == 1 for s in windows.strides)
            and prod(wide) <= _MAX_STORED_PER_OUTPUT * prod(windows.out_shape)
        )
        self.shape = wide if self.is_wide else windows.out_shape
        # Stored positions from one position to the next along each axis.
        self._pitches = [prod(self.shape[axis + 1 :]) for axis in range(windows.ndim)]
        outputs = zip(windows.out_shape, self._pitches, strict=True)
        self.length = 1 + sum((n - 1) * pitch for n, pitch in outputs)
        # Stored positions from the first tap of a window to its last one.
        taps = zip(windows.kernel, windows.dilation, self._pitches, strict=True)
        self._reach = sum((k - 1) * d * pitch for k, d, pitch in taps)
        self._blocks: dict[tuple[int, int, int], list[Block]] = {}

    @property
    def is_pointwise(self) -> bool:
        """Whether the columns are the padded map itself (one tap, stride 1)."""
        return self.windows.size == 1 and all(s == 1 for s in self.windows.strides)

    def blocks(self, channels: int, batch: int, itemsize: int) -> list[Block]:
        """Cut the outputs into row blocks whose columns fit the cache."""
        key = (channels, batch, itemsize)
        if key not in self._blocks:
            self._blocks[key] = list(self._cut(*key))
        return self._blocks[key]

    def _cut(self, channels: int, batch: int, itemsize: int) -> Iterator[Block]:
        n_rows, row = self.windows.out_shape[0], self._pitches[0]
        row_bytes = channels * self.windows.size * row * batch * itemsize
        n_blocks = min(n_rows, max(-(-row_bytes * n_rows // self._block_bytes), 1))
        step = -(-n_rows // n_blocks)
        for first in range(0, n_rows, step):
            last = min(first + step, n_rows)
            stop = min(last * row, self.length)
            yield Block(slice(first, last), first * row * batch, stop * batch)

    def im2col(
        self, program: Program, padded: FeatureMap, block: Block, out: np.ndarray
    ) -> None:
        """Add calls that write the columns of `block` into `out`.

        Parameters
        ----------
        program : Program
        padded : ndarray of shape (channels, *padded_shape, batch), contiguous
        block : Block
        out : ndarray of shape (channels, taps, block.length)
        """
        batch = padded.shape[-1]
        itemsize = padded.itemsize
        channel, *spatial, _ = padded.strides
        # A view with an axis for each axis of the kernel is copied by a single call.
        taps = [s * d for s, d in zip(spatial, self.windows.dilation, strict=True)]
        if self.is_wide:
            shape: Shape = (block.length,)
            strides: tuple[int, ...] = (itemsize,)
            offset = block.start * itemsize
        else:
            rows = block.rows.stop - block.rows.start
            shape = (rows, *self.windows.out_shape[1:], batch)
            steps = zip(spatial, self.windows.strides, strict=True)
            strides = (*(s * step for s, step in steps), itemsize)
            offset = block.rows.start * strides[0]
        view: np.ndarray = np.ndarray(
            (len(padded), *self.windows.kernel, *shape),
            dtype=padded.dtype,
            buffer=padded,
            offset=offset,
            strides=(channel, *taps, *strides),
        )
        program.add_copy(out.reshape(view.shape), view)

    def reach(self, batch: int) -> int:
        """Return how many zeros `col2im` needs at either end of each row."""
        return self._reach * batch if self.is_wide else 0

    def col2im(
        self,
        program: Program,
        columns: np.ndarray,
        block: Block,
        padded: FeatureMap,
        workspace: Workspace,
    ) -> None:
        """Add calls that add the columns to the positions that they came from.

        Parameters
        ----------
        program : Program
        columns : ndarray of shape (channels, taps, reach + block.length + reach)
            Contiguous array. Zeros are written to both ends of the last axis.
        block : Block
        padded : ndarray of shape (channels, *padded_shape, batch), contiguous
        workspace : Workspace
        """
        if self.is_wide:
            self._col2im_wide(program, columns, block, padded, workspace)
        else:
            self._col2im_exact(program, columns, block, padded)

    def _col2im_exact(
        self, program: Program, columns: np.ndarray, block: Block, padded: FeatureMap
    ) -> None:
        """Add tap by tap, since two windows never have the same tap at one position."""
        rows = block.rows.stop - block.rows.start
        outputs = (rows, *self.windows.out_shape[1:], padded.shape[-1])
        by_tap = columns.reshape(*columns.shape[:2], *outputs)
        for tap, where in enumerate(self._positions(block)):
            program.add(np.add, padded[where], by_tap[:, tap], out=padded[where])

    def _positions(self, block: Block) -> Iterator[tuple[slice, ...]]:
        """Yield, for each tap, its positions in the windows of `block`."""
        stride = self.windows.strides[0]
        for rows, *others in self.windows.taps:
            first = rows.start + block.rows.start * stride
            last = rows.start + (block.rows.stop - 1) * stride + 1
            yield (slice(None), slice(first, last, stride), *others)

    def _col2im_wide(
        self,
        program: Program,
        columns: np.ndarray,
        block: Block,
        padded: FeatureMap,
        workspace: Workspace,
    ) -> None:
        """Add all taps in a single reduction over a slanted view of the columns.

        Position q of the padded map receives the sum of columns[t, q - t] over the taps
        t. With zeros around each row, and each row of the view starting one position
        earlier, these values are in one column of the view. For 3 taps along one axis::

            columns    0 0 a b c d 0 0         view    a b c d 0 0
                       0 0 e f g h 0 0                 0 e f g h 0
                       0 0 i j k l 0 0                 0 0 i j k l
                                               sums    the padded map, from q = 0 on
        """
        batch = padded.shape[-1]
        reach = self.reach(batch)
        program.add(np.copyto, columns[:, :, :reach], 0)
        program.add(np.copyto, columns[:, :, reach + block.length :], 0)
        channel, tap, item = columns.strides
        pitches = zip(self.windows.dilation, self._pitches, strict=True)
        shifts = [d * pitch * batch * item for d, pitch in pitches]
        # Taps are a single axis of the columns: the steps between taps along each axis.
        steps = [prod(self.windows.kernel[axis + 1 :]) for axis in range(len(shifts))]
        view: np.ndarray = np.ndarray(
            (len(columns), *self.windows.kernel, block.length + reach),
            dtype=columns.dtype,
            buffer=columns,
            offset=reach * item,
            strides=(
                channel,
                *(n * tap - shift for n, shift in zip(steps, shifts, strict=True)),
                item,
            ),
        )
        axes = tuple(range(1, 1 + self.windows.ndim))
        flat = padded.reshape(len(padded), -1)
        shape = (len(columns), block.length + reach)
        sums = workspace.scratch("sums", shape, columns.dtype)
        program.add(np.add.reduce, view, axis=axes, out=sums)
        target = flat[:, block.start : block.stop + reach]
        program.add(np.add, target, sums, out=target)
