"""Winograd's minimal filtering F(m, r), along one, two or three axes.

A tile of m outputs of a kernel of r cells is found with m + r - 1 multiplications in
place of m r, and tiles along several axes with the product of those numbers: 36 in
place of 144 for 4x4 outputs of a 3x3 kernel. With tile d, kernel g and the matrices of
`filtering_matrices` the outputs along an axis are ``A' [(G g) * (B' d)]`` [1]_.
Transforms are products with these small matrices, one axis after the other, for many
tiles at once; the product in the middle, summed over channels, is a GEMM for each cell
of a tile.

References
----------
.. [1] A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks",
   CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import product
from math import prod
from typing import Any

import numpy as np

from skconvnet.ops.emptiness import clear_empty_windows
from skconvnet.ops.filtering import filtering_matrices
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# The most outputs of a tile along an axis, by the number of axes. More lose too many
# digits; with 4, maps of one and two axes took two thirds of the time with 2.
_MAX_OUTPUTS = {1: 4, 2: 4, 3: 2}
# Tiles are taken in blocks whose transformed maps have about this many bytes.
_BLOCK_BYTES = 1_200_000

# The most cells of a kernel along an axis, by the number of axes, for the same reason.
MAX_KERNEL = {1: 5, 2: 5, 3: 3}


def _n_outputs(n: int, kernel: int, largest: int) -> int:
    """Return the outputs of a tile with the fewest cells in all, for n outputs."""
    if kernel == 1:
        return 1
    return min(
        range(largest, 1, -1), key=lambda m: -(-n // m) * (m + kernel - 1), default=1
    )


class WinogradConvolution:
    """Convolution with a kernel of at most `MAX_KERNEL`, stride 1 and no dilation.

    Has the methods of `Im2colConvolution`. Its surplus fills up the last tile along
    each axis. In training the transformed tiles are kept for the gradient of the
    kernel.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int

    Attributes
    ----------
    n_cells : int
        Cells of a tile, multiplications for its outputs.
    in_double : bool
        Whether kernels are transformed in double precision, as large tiles need.
    n_tiles : tuple of int
        Tiles along each axis.
    """

    def __init__(
        self, windows: Windows, channels: int, filters: int, groups: int
    ) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self.groups = groups
        self._m = tuple(
            _n_outputs(n, k, _MAX_OUTPUTS[windows.ndim])
            for n, k in zip(windows.out_shape, windows.kernel, strict=True)
        )
        self._tile = tuple(
            m + k - 1 for m, k in zip(self._m, windows.kernel, strict=True)
        )
        self.n_tiles = tuple(
            -(-n // m) for n, m in zip(windows.out_shape, self._m, strict=True)
        )
        self.shape = tuple(n * m for n, m in zip(self.n_tiles, self._m, strict=True))
        matrices = [
            filtering_matrices(m, k)
            for m, k in zip(self._m, windows.kernel, strict=True)
        ]
        self._outputs, kernel, self._inputs = zip(*matrices, strict=True)
        self._kernel = reduce(np.kron, kernel)
        self.n_cells = prod(self._tile)
        self.in_double = max(self._tile) > 6
        self.kept = prod(self._tile) * prod(self.n_tiles) * channels

    def forward(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
        batch = x.shape[-1]
        phases = workspace.array("phases", self._phases_shape(batch), x.dtype)
        self._split(x, phases)
        cells = kernel.reshape(-1, self.windows.size).T
        weights = workspace.array(
            "weights", (len(self._kernel), cells.shape[1]), x.dtype
        )
        np.copyto(weights, self._matrix(x.dtype) @ cells, casting="same_kind")
        weights = weights.reshape(
            -1, self.groups, self.filters // self.groups, self.channels // self.groups
        )
        z = workspace.array("z", (self.filters, *self.shape, batch), x.dtype)
        kept = []
        for rows in self.blocks(batch, x.itemsize):
            tiles = self._transform_input(phases, rows, workspace, keep=train)
            if train:
                kept.append(tiles)
            shape = (*weights.shape[:3], tiles.shape[-1])
            products = workspace.scratch("products", shape, x.dtype)
            np.matmul(weights, tiles, out=products)
            outputs = _apply(self._outputs, products, "outputs", workspace)
            cells = self._output_cells(z, rows)
            np.copyto(cells, outputs.reshape(cells.shape))
        inner = tuple(slice(n) for n in self.windows.out_shape)
        clear_empty_windows(z[(slice(None), *inner)], x, self.windows, workspace)
        return z, (phases, weights, kept)

    def written(self, z: np.ndarray) -> np.ndarray:
        return z.reshape(len(z), -1)

    def backward(
        self,
        dz: np.ndarray,
        cache: tuple[np.ndarray, np.ndarray, list[np.ndarray]],
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        phases, weights, kept = cache
        batch = dz.shape[-1]
        dweights = workspace.scratch("dweights", weights.shape, dz.dtype)
        dphases = None
        if need_dx:
            dphases = workspace.scratch("dphases", phases.shape, dz.dtype)
            dphases.fill(0)
        for i, rows in enumerate(self.blocks(batch, dz.itemsize)):
            if kept:
                tiles = kept[i]
            else:
                tiles = self._transform_input(phases, rows, workspace, keep=False)
            cells = self._output_cells(dz, rows)
            shape = (prod(self._m), *weights.shape[1:3], tiles.shape[-1])
            doutputs = workspace.scratch("outputs", shape, dz.dtype)
            np.copyto(doutputs.reshape(cells.shape), cells)
            dproducts = _apply(
                _transposed(self._outputs), doutputs, "products", workspace
            )
            if rows.start == 0:
                np.matmul(dproducts, tiles.swapaxes(-1, -2), out=dweights)
            else:
                dweights += np.matmul(dproducts, tiles.swapaxes(-1, -2))
            if dphases is None:
                continue
            dtiles = workspace.scratch("dtiles", tiles.shape, dz.dtype)
            np.matmul(weights.swapaxes(-1, -2), dproducts, out=dtiles)
            dcells = _apply(_transposed(self._inputs), dtiles, "cells", workspace)
            dcells = dcells.reshape(self._cells_shape(rows, batch))
            for inner, place in self._places(dphases, rows, whole=False):
                place += dcells[inner]
        dcells = dweights.reshape(len(self._kernel), -1)
        np.copyto(
            dkernel.reshape(-1, self.windows.size),
            dcells.T @ self._matrix(dz.dtype),
            casting="same_kind",
        )
        if dphases is None:
            return None
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        for where, columns in self._phase_places():
            dx[columns] = dphases[where]
        return dx

    def _matrix(self, dtype: np.dtype) -> np.ndarray:
        """The transform of a kernel, in double precision where errors need it."""
        return self._kernel if self.in_double else self._kernel.astype(dtype)

    def _split(self, x: np.ndarray, phases: np.ndarray) -> None:
        """Pad the map and split its last axis by the place in a tile.

        Runs of memory then go over all tiles of a row.
        """
        phases.fill(0)
        for where, columns in self._phase_places():
            phases[where] = x[columns]

    def _phase_places(self) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """For each place in a tile, indices of the phases and of the map."""
        *others, last = self.windows.interior
        m = self._m[-1]
        for phase in range(m):
            first = -(last.start - phase) % m
            count = len(range(first, self.windows.in_shape[-1], m))
            start = (last.start + first) // m
            columns = (..., slice(first, None, m), slice(None))
            yield (phase, slice(None), *others, slice(start, start + count)), columns

    def _phases_shape(self, batch: int) -> tuple[int, ...]:
        *others, m = self._m
        rows = zip(self.n_tiles[:-1], others, self._tile[:-1], strict=True)
        columns = self.n_tiles[-1] + -(-self._tile[-1] // m) - 1
        return (
            m,
            self.channels,
            *((n - 1) * s + t for n, s, t in rows),
            columns,
            batch,
        )

    def _transform_input(
        self, phases: np.ndarray, rows: slice, workspace: Workspace, *, keep: bool
    ) -> np.ndarray:
        """B' d, of shape (cells, groups, channels of a group, tiles x batch)."""
        shape = self._cells_shape(rows, phases.shape[-1])
        cells = workspace.scratch("cells", shape, phases.dtype)
        for inner, place in self._places(phases, rows, whole=True):
            np.copyto(cells[inner], place)
        cells = cells.reshape(
            self.n_cells, self.groups, self.channels // self.groups, -1
        )
        if not keep:
            return _apply(self._inputs, cells, "tiles", workspace)
        tiles = workspace.array(f"tiles{rows.start}", cells.shape, phases.dtype)
        return _apply(self._inputs, cells, "tiles", workspace, out=tiles)

    def _cells_shape(self, rows: slice, batch: int) -> tuple[int, ...]:
        n_rows = rows.stop - rows.start
        return (*self._tile, self.channels, n_rows, *self.n_tiles[1:], batch)

    def _places(
        self, phases: np.ndarray, rows: slice, *, whole: bool
    ) -> Iterator[tuple[tuple[slice, ...], np.ndarray]]:
        """For groups of cells of all tiles, which they are and where they lie.

        Unless the groups go over the `whole` tile along all axes but the last, no
        place is twice in a group.
        """
        cuts = []
        for axis, (m, tile) in enumerate(zip(self._m, self._tile, strict=True)):
            step = tile if whole and axis + 1 < len(self._m) else m
            cuts.append([slice(i, min(i + step, tile)) for i in range(0, tile, step)])
        phase, channel, *axes, item = phases.strides
        # From cell to cell of a tile, and from tile to tile, along each axis.
        within = (*axes[:-1], phase)
        between = (*(a * m for a, m in zip(axes[:-1], self._m, strict=False)), axes[-1])
        for inner in product(*cuts):
            starts = [cut.start for cut in inner]
            starts[-1] = 0
            offset = sum(s * w for s, w in zip(starts, within, strict=True))
            offset += inner[-1].start // self._m[-1] * axes[-1]
            offset += rows.start * between[0]
            counts = (cut.stop - cut.start for cut in inner)
            shape = (*counts, *self._cells_shape(rows, phases.shape[-1])[len(inner) :])
            yield (
                inner,
                np.ndarray(
                    shape,
                    dtype=phases.dtype,
                    buffer=phases,
                    offset=offset,
                    strides=(*within, channel, *between, item),
                ),
            )

    def _output_cells(self, z: np.ndarray, rows: slice) -> np.ndarray:
        """View of `z` as (*m, filters, rows of tiles, ..., batch)."""
        pairs = zip(self.n_tiles, self._m, strict=True)
        shape = (self.filters, *(n for pair in pairs for n in pair), z.shape[-1])
        ndim = self.windows.ndim
        inner = range(2, 2 * ndim + 1, 2)
        outer = range(1, 2 * ndim, 2)
        cells = z.reshape(shape)[:, rows]
        return cells.transpose(*inner, 0, *outer, 2 * ndim + 1)

    def blocks(self, batch: int, itemsize: int) -> Iterator[slice]:
        """Runs of rows of tiles."""
        n_rows, *others = self.n_tiles
        widest = max(self.channels, self.filters)
        row = self.n_cells * widest * prod(others) * batch * itemsize
        n_blocks = -(-n_rows // max(_BLOCK_BYTES // row, 1))
        step = -(-n_rows // n_blocks)
        for start in range(0, n_rows, step):
            yield slice(start, min(start + step, n_rows))


def _transposed(matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [matrix.T for matrix in matrices]


def _apply(
    matrices: Sequence[np.ndarray],
    cells: np.ndarray,
    name: str,
    workspace: Workspace,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Apply a matrix along each axis of the tiles, which are the first axis of `cells`.

    The result is `out`, or scratch of that name.
    """
    shape = cells.shape[1:]
    sizes = [matrix.shape[1] for matrix in matrices]
    for axis, matrix in enumerate(matrices):
        before, rest = prod(sizes[:axis]), prod(sizes[axis + 1 :]) * prod(shape)
        sizes[axis] = len(matrix)
        target = out
        if target is None or axis + 1 < len(matrices):
            own = name if axis + 1 == len(matrices) else f"half{axis}"
            target = workspace.scratch(own, (prod(sizes), *shape), cells.dtype)
        np.matmul(
            matrix.astype(cells.dtype),
            cells.reshape(before, matrix.shape[1], rest),
            out=target.reshape(before, len(matrix), rest),
        )
        cells = target
    return cells
