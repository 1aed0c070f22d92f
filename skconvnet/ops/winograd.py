"""Winograd's minimal filtering F(2x2, 3x3): 16 multiplications in place of 36.

Each 2x2 tile of outputs needs a 4x4 tile of inputs, which overlaps its neighbours by
two cells. With input tile d, kernel g and the matrices B, G and A of [1]_, the outputs
are ``A' [(G g G') * (B' d B)] A``; the product in the middle, summed over channels,
is one GEMM for each of the 16 cells of a tile. B and A hold only 0, 1 and -1, so all
transforms of maps are additions of long contiguous runs: rows are taken with a step
of two whole rows, and columns are split by parity when the map is padded.

References
----------
.. [1] A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks",
   CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

_G = np.array([[1, 0, 0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0, 0, 1]])
_KERNEL_TRANSFORM = np.kron(_G, _G)

# Rows of tiles are taken in blocks whose transformed maps have about this many bytes.
_BLOCK_BYTES = 2_200_000


class WinogradConvolution:
    """Convolution with a 3x3 kernel, stride 1, no dilation, no groups.

    In training the transformed map, four times the size of the map, is kept for the
    gradient of the kernel.

    Has the methods of `Im2colConvolution`. Its surplus is the last row or column of
    tiles where the number of outputs is odd.

    Parameters
    ----------
    windows : Windows
    channels, filters : int
    """

    def __init__(self, windows: Windows, channels: int, filters: int) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        rows, columns = windows.out_shape
        self._n_tiles = ((rows + 1) // 2, (columns + 1) // 2)
        self.shape = (2 * self._n_tiles[0], 2 * self._n_tiles[1])
        self.kept = 16 * channels * self._n_tiles[0] * self._n_tiles[1]

    def forward(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
        batch = x.shape[-1]
        halves = workspace.array("halves", self._halves_shape(batch), x.dtype)
        self._split(x, halves)
        transformed = workspace.array("kernel", (16, kernel[..., 0, 0].size), x.dtype)
        np.matmul(
            _KERNEL_TRANSFORM.astype(x.dtype), kernel.reshape(-1, 9).T, out=transformed
        )
        transformed = transformed.reshape(16, self.filters, self.channels)
        z = workspace.array("z", (self.filters, *self.shape, batch), x.dtype)
        kept = []
        for rows in self._blocks(batch, x.itemsize):
            n_rows = rows.stop - rows.start
            tiles = self._transform_input(halves, rows, workspace, keep=train)
            if train:
                kept.append(tiles)
            shape = (4, 4, self.filters, n_rows, self._n_tiles[1], batch)
            products = workspace.scratch("products", shape, x.dtype)
            np.matmul(transformed, _by_cell(tiles), out=_by_cell(products))
            self._transform_output(products, z, rows, workspace)
        return z, (halves, transformed, kept)

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
        halves, transformed, kept = cache
        batch = dz.shape[-1]
        dtransformed = workspace.scratch("dkernel", transformed.shape, dz.dtype)
        dhalves = None
        if need_dx:
            shape = self._halves_shape(batch)
            dhalves = workspace.scratch("dhalves", shape, dz.dtype)
            dhalves.fill(0)
        for i, rows in enumerate(self._blocks(batch, dz.itemsize)):
            if kept:
                tiles = kept[i]
            else:
                tiles = self._transform_input(halves, rows, workspace, keep=False)
            dproducts = self._spread_output(dz, rows, workspace)
            by_tile = _by_cell(tiles).transpose(0, 2, 1)
            if rows.start == 0:
                np.matmul(_by_cell(dproducts), by_tile, out=dtransformed)
            else:
                dtransformed += np.matmul(_by_cell(dproducts), by_tile)
            if dhalves is None:
                continue
            dtiles = workspace.scratch("dtiles", tiles.shape, dz.dtype)
            np.matmul(
                transformed.transpose(0, 2, 1),
                _by_cell(dproducts),
                out=_by_cell(dtiles),
            )
            self._spread_input(dtiles, dhalves, rows, workspace)
        np.matmul(
            dtransformed.reshape(16, -1).T,
            _KERNEL_TRANSFORM.astype(dz.dtype),
            out=dkernel.reshape(-1, 9),
        )
        if dhalves is None:
            return None
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        for half, inside, columns in self._column_halves():
            np.copyto(dx[:, :, columns], dhalves[half, :, self._map_rows, inside])
        return dx

    def _halves_shape(self, batch: int) -> tuple[int, ...]:
        """Even and odd columns of the padded map, each with all rows."""
        n_rows, n_columns = self._n_tiles
        return (2, self.channels, 2 * n_rows + 2, n_columns + 1, batch)

    @property
    def _map_rows(self) -> slice:
        before = self.windows.pads[0][0]
        return slice(before, before + self.windows.in_shape[0])

    def _column_halves(self) -> Iterator[tuple[int, slice, slice]]:
        """For either parity: where its columns of the map lie, and which they are."""
        before, width = self.windows.pads[1][0], self.windows.in_shape[1]
        for half in (0, 1):
            first = (half - before) % 2
            count = (width - first + 1) // 2
            start = (first + before) // 2
            yield half, slice(start, start + count), slice(first, None, 2)

    def _split(self, x: np.ndarray, halves: np.ndarray) -> None:
        """Pad the map and split its columns by parity."""
        rows = self._map_rows
        halves[:, :, : rows.start] = 0
        halves[:, :, rows.stop :] = 0
        for half, inside, columns in self._column_halves():
            halves[half, :, :, : inside.start] = 0
            halves[half, :, :, inside.stop :] = 0
            halves[half, :, rows, inside] = x[:, :, columns]

    def _blocks(self, batch: int, itemsize: int) -> Iterator[slice]:
        """Runs of rows of tiles."""
        n_rows, n_columns = self._n_tiles
        widest = max(self.channels, self.filters)
        step = max(_BLOCK_BYTES // (16 * widest * n_columns * batch * itemsize), 1)
        n_blocks = -(-n_rows // step)
        step = -(-n_rows // n_blocks)
        for start in range(0, n_rows, step):
            yield slice(start, min(start + step, n_rows))

    def _transform_input(
        self, halves: np.ndarray, rows: slice, workspace: Workspace, *, keep: bool
    ) -> np.ndarray:
        """B' d B for the tiles in `rows`: (4, 4, channels, rows, columns, batch)."""
        n_rows, batch = rows.stop - rows.start, halves.shape[-1]
        n_columns = self._n_tiles[1]
        shape = (4, 4, self.channels, n_rows, n_columns, batch)
        if keep:
            tiles = workspace.array(f"tiles{rows.start}", shape, halves.dtype)
        else:
            tiles = workspace.scratch("tiles", shape, halves.dtype)
        shape = (4, 2, self.channels, n_rows, n_columns + 1, batch)
        mid = workspace.scratch("mid", shape, halves.dtype)
        d = _tile_rows(halves, rows)
        np.subtract(d[:2], d[2:], out=mid[0::3])
        np.add(d[1], d[2], out=mid[1])
        np.subtract(d[2], d[1], out=mid[2])
        near, far = mid[..., :-1, :], mid[..., 1:, :]
        np.subtract(near, far, out=tiles[:, 0::3])
        np.add(near[:, 1], far[:, 0], out=tiles[:, 1])
        np.subtract(far[:, 0], near[:, 1], out=tiles[:, 2])
        return tiles

    def _spread_input(
        self,
        dtiles: np.ndarray,
        dhalves: np.ndarray,
        rows: slice,
        workspace: Workspace,
    ) -> None:
        """Add B dV B', the transpose of `_transform_input`, onto `dhalves`."""
        n_rows, batch = rows.stop - rows.start, dhalves.shape[-1]
        shape = (4, 2, self.channels, n_rows, self._n_tiles[1] + 1, batch)
        dmid = workspace.scratch("mid", shape, dhalves.dtype)
        near, far = dmid[..., :-1, :], dmid[..., 1:, :]
        dmid[:, 0, ..., 0, :] = 0
        dmid[:, 1, ..., -1, :] = 0
        np.add(dtiles[:, 1], dtiles[:, 2], out=far[:, 0])
        np.subtract(dtiles[:, 1], dtiles[:, 2], out=near[:, 1])
        near += dtiles[:, 0::3]
        far -= dtiles[:, 0::3]
        d = _tile_rows(dhalves, rows)
        d[:2] += dmid[0::3]
        d[2:] -= dmid[0::3]
        d[1] += dmid[1]
        d[1] -= dmid[2]
        dmid[1] += dmid[2]
        d[2] += dmid[1]

    def _transform_output(
        self, products: np.ndarray, z: np.ndarray, rows: slice, workspace: Workspace
    ) -> None:
        """Write A' m A into the tiles of `z` in `rows`."""
        mid = workspace.scratch("outputs", (2, *products.shape[1:]), z.dtype)
        np.add(products[1], products[2], out=mid[0])
        mid[0] += products[0]
        np.subtract(products[1], products[2], out=mid[1])
        mid[1] -= products[3]
        left, right = self._tile_columns(z, rows)
        m0, m1, m2, m3 = np.swapaxes(mid, 0, 1)
        m0 += m1
        np.add(m0, m2, out=left)
        m1 -= m2
        np.subtract(m1, m3, out=right)

    def _spread_output(
        self, dz: np.ndarray, rows: slice, workspace: Workspace
    ) -> np.ndarray:
        """A dy A', the transpose of `_transform_output`, for the tiles in `rows`."""
        n_rows, batch = rows.stop - rows.start, dz.shape[-1]
        shape = (4, 4, self.filters, n_rows, self._n_tiles[1], batch)
        dproducts = workspace.scratch("products", shape, dz.dtype)
        left, right = self._tile_columns(dz, rows)
        # The first and last row of m are used for the two rows of the tile: what is
        # between them is their sum and their difference.
        m0, m1, m2, m3 = np.swapaxes(dproducts[0::3], 0, 1)
        np.copyto(m0, left)
        np.negative(right, out=m3)
        np.subtract(m0, m3, out=m1)
        np.add(m0, m3, out=m2)
        np.add(dproducts[0], dproducts[3], out=dproducts[1])
        np.subtract(dproducts[0], dproducts[3], out=dproducts[2])
        np.negative(dproducts[3], out=dproducts[3])
        return dproducts

    def _tile_columns(self, z: np.ndarray, rows: slice) -> tuple[np.ndarray, ...]:
        """Left and right cells of the tiles in `rows`, the tile's rows first."""
        n_rows, n_columns = self._n_tiles
        cells = z.reshape(self.filters, n_rows, 2, n_columns, 2, z.shape[-1])
        cells = cells[:, rows].transpose(4, 2, 0, 1, 3, 5)
        return cells[0], cells[1]


def _tile_rows(halves: np.ndarray, rows: slice) -> np.ndarray:
    """View of the four rows of every tile in `rows`: (4, 2, channels, rows, ...)."""
    n = rows.stop - rows.start
    half, channel, row, column, item = halves.strides
    shape = (4, *halves.shape[:2], n, *halves.shape[3:])
    strides = (row, half, channel, 2 * row, column, item)
    offset = 2 * rows.start * row
    return np.ndarray(
        shape, dtype=halves.dtype, buffer=halves, offset=offset, strides=strides
    )


def _by_cell(tiles: np.ndarray) -> np.ndarray:
    """View (4, 4, channels, rows, columns, batch) as 16 matrices for a GEMM each."""
    return tiles.reshape(16, tiles.shape[2], -1)
