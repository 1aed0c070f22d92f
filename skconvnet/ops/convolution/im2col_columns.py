"""Columns of a convolution: every window of a map written out, and back.

Maps are batch last, ``(channels, *spatial, batch)``. Two layouts of the columns:

*wide*
    For stride 1. Windows are taken at every position of the padded row, also at
    the few where a window would wrap into the next row. One cell of all windows
    is then one shift along the flattened (spatial, batch) axis, a single long
    run a channel, and the surplus outputs are never read.
*exact*
    Any stride, and maps so small that the surplus would cost more than it saves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# Beyond this share of surplus outputs the exact layout is faster.
_MAX_SURPLUS = 1.25


# Columns are made and multiplied in blocks of about this many bytes: large enough
# for the GEMM to run at full speed, small enough to stay in the cache meanwhile.
BLOCK_BYTES = 2_500_000


@dataclass(frozen=True)
class Block:
    """A run of output positions: ``start`` to ``stop`` along the flattened outputs."""

    rows: slice
    start: int
    stop: int


class Columns:
    """How the columns of one layer are laid out.

    Parameters
    ----------
    windows : Windows
    may_be_wide : bool
        Where False, the layout is exact.
    block_bytes : int
        Columns are made in row blocks of about this many bytes.

    Attributes
    ----------
    shape : tuple of int
        Spatial shape of the outputs as they lie in memory, surplus included.
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
            and all(s == 1 for s in windows.strides)
            and prod(wide) <= _MAX_SURPLUS * prod(windows.out_shape)
        )
        self.shape = wide if self.is_wide else windows.out_shape
        row = prod(self.shape[1:])
        self._row = row
        pitches = self._pitches()
        # Positions up to the last true output; what is behind it is never written.
        outputs = zip(windows.out_shape, pitches, strict=True)
        self.length = 1 + sum((n - 1) * pitch for n, pitch in outputs)
        reach = zip(windows.kernel, windows.dilation, pitches, strict=True)
        self._reach = sum((k - 1) * d * pitch for k, d, pitch in reach)
        self._blocks: dict[tuple[int, ...], list[Block]] = {}

    def _pitches(self) -> list[int]:
        return [prod(self.shape[axis + 1 :]) for axis in range(len(self.shape))]

    @property
    def is_pointwise(self) -> bool:
        """Whether the padded map is its own columns (a 1x1 kernel, stride 1)."""
        return self.windows.size == 1 and all(s == 1 for s in self.windows.strides)

    def blocks(self, channels: int, batch: int, itemsize: int) -> list[Block]:
        """Cut the outputs into runs of whole rows whose columns fit the cache."""
        key = (channels, batch, itemsize)
        if key not in self._blocks:
            self._blocks[key] = list(self._cut(*key))
        return self._blocks[key]

    def _cut(self, channels: int, batch: int, itemsize: int) -> Iterator[Block]:
        n_rows = self.windows.out_shape[0]
        row_bytes = channels * self.windows.size * self._row * batch * itemsize
        n_blocks = min(n_rows, max(-(-row_bytes * n_rows // self._block_bytes), 1))
        step = -(-n_rows // n_blocks)
        for first in range(0, n_rows, step):
            last = min(first + step, n_rows)
            stop = min(last * self._row, self.length)
            yield Block(slice(first, last), first * self._row * batch, stop * batch)

    def gather(self, padded: np.ndarray, block: Block, out: np.ndarray) -> None:
        """Write the columns of `block` into `out`.

        Parameters
        ----------
        padded : ndarray of shape (channels, *padded, batch), contiguous
        block : Block
        out : ndarray of shape (channels, kernel cells, block.stop - block.start)
        """
        batch = padded.shape[-1]
        itemsize = padded.itemsize
        channel, *spatial, _ = padded.strides
        # A view with an axis for each axis of the kernel: copied by a single call.
        cells = [s * d for s, d in zip(spatial, self.windows.dilation, strict=True)]
        if self.is_wide:
            shape: tuple[int, ...] = (block.stop - block.start,)
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
            strides=(channel, *cells, *strides),
        )
        np.copyto(out.reshape(view.shape), view)

    def margin(self, batch: int) -> int:
        """Zeros that `scatter` needs before and after each row of its columns."""
        return self._reach * batch if self.is_wide else 0

    def scatter(
        self,
        columns: np.ndarray,
        block: Block,
        padded: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Add the columns of `block` onto the cells of `padded` they came from.

        Parameters
        ----------
        columns : ndarray of shape (channels, kernel cells, margin + length + margin)
            Contiguous. The margins are overwritten with zeros.
        block : Block
        padded : ndarray of shape (channels, *padded, batch), contiguous
        workspace : Workspace
        """
        batch = padded.shape[-1]
        if not self.is_wide:
            cells = columns.reshape(
                *columns.shape[:2],
                block.rows.stop - block.rows.start,
                *self.windows.out_shape[1:],
                batch,
            )
            for cell, where in enumerate(self._windows(block)):
                padded[where] += cells[:, cell]
            return
        margin = self.margin(batch)
        length = block.stop - block.start
        columns[:, :, :margin] = 0
        columns[:, :, margin + length :] = 0
        # In this view all cells that came from one place stand in one line, so that
        # adding them up is a single reduction.
        channel, cell, item = columns.strides
        pitches = zip(self.windows.dilation, self._pitches(), strict=True)
        shifts = [d * pitch * batch * item for d, pitch in pitches]
        steps = [prod(self.windows.kernel[axis + 1 :]) for axis in range(len(shifts))]
        view: np.ndarray = np.ndarray(
            (len(columns), *self.windows.kernel, length + margin),
            dtype=columns.dtype,
            buffer=columns,
            offset=margin * item,
            strides=(
                channel,
                *(n * cell - shift for n, shift in zip(steps, shifts, strict=True)),
                item,
            ),
        )
        axes = tuple(range(1, 1 + self.windows.ndim))
        flat = padded.reshape(len(padded), -1)
        shape = (len(columns), length + margin)
        sums = workspace.scratch("sums", shape, columns.dtype)
        np.add.reduce(view, axis=axes, out=sums)
        flat[:, block.start : block.stop + margin] += sums

    def _windows(self, block: Block) -> Iterator[tuple[slice, ...]]:
        """Where each cell of the windows of `block` lies in the padded map."""
        stride = self.windows.strides[0]
        for rows, *others in self.windows.cells:
            first = rows.start + block.rows.start * stride
            last = rows.start + (block.rows.stop - 1) * stride + 1
            yield (slice(None), slice(first, last, stride), *others)
