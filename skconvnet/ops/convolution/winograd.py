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

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import WinogradTerms
from skconvnet.ops.convolution.winograd_max_pool import TilePool
from skconvnet.ops.convolution.winograd_tiles import Tiles
from skconvnet.ops.convolution.winograd_transforms import (
    filtering_matrices,
    transform,
    transposed,
)
from skconvnet.ops.convolution.zero_windows import occupied_windows
from skconvnet.ops.layout import tiled
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# The most outputs of a tile along an axis, by the number of axes. More lose too many
# digits; with 4, maps of one and two axes took two thirds of the time with 2.
_MAX_OUTPUTS = {1: 4, 2: 4, 3: 2}


# The most cells of a kernel along an axis, by the number of axes, for the same reason.
MAX_KERNEL = {1: 5, 2: 5, 3: 3}


def _n_outputs(n: int, kernel: int, largest: int) -> int:
    """Return the outputs of a tile with the fewest cells in all, for n outputs."""
    if kernel == 1:
        return 1
    return min(
        range(largest, 1, -1), key=lambda m: -(-n // m) * (m + kernel - 1), default=1
    )


@dataclass
class _Cache:
    """What the backward pass needs; of the tiles only in training.

    `kept` has for each block, by its first row, the transformed tiles, and which cells
    of the pool's windows won.
    """

    phases: np.ndarray
    weights: np.ndarray
    mask: np.ndarray | None
    kept: dict[int, tuple[np.ndarray, np.ndarray | None]] = field(default_factory=dict)


class WinogradConvolution(ConvolutionAlgorithm[_Cache]):
    """Convolution with a kernel of at most `MAX_KERNEL`, stride 1 and no dilation.

    Has the methods of `Im2colConvolution`. Its surplus fills up the last tile along
    each axis. In training the transformed tiles are kept for the gradient of the
    kernel.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
    pool : tuple of int, optional
        Sizes of the windows, side by side, of a max pool behind the convolution; each
        divides the outputs of a tile along its axis.

    Attributes
    ----------
    n_cells : int
        Cells of a tile, multiplications for its outputs.
    in_double : bool
        Whether kernels are transformed in double precision, as large tiles need.
    n_tiles : tuple of int
        Tiles along each axis.
    """

    # Of the transformed maps of a row block.
    block_bytes = 1_200_000

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int = 1,
        *,
        block_bytes: int | None = None,
        pool: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups, block_bytes=block_bytes)
        self._m = tuple(
            _n_outputs(n, k, _MAX_OUTPUTS[windows.ndim])
            for n, k in zip(windows.out_shape, windows.kernel, strict=True)
        )
        self._tiles = Tiles(windows, self._m)
        self.n_tiles = self._tiles.counts
        pool = (1,) * windows.ndim if pool is None else pool
        self._pool = TilePool(self._m, pool)
        self.stored_shape = tuple(
            n * m for n, m in zip(self.n_tiles, self._pool.m, strict=True)
        )
        self.out_shape = tuple(
            n // p for n, p in zip(windows.out_shape, pool, strict=True)
        )
        matrices = [
            filtering_matrices(m, k)
            for m, k in zip(self._m, windows.kernel, strict=True)
        ]
        self._outputs, self._kernels, self._inputs = zip(*matrices, strict=True)
        self.n_cells = prod(self._tiles.shape)
        self.in_double = max(self._tiles.shape) > 6
        self.cached_values = self.n_cells * prod(self.n_tiles) * channels

    @classmethod
    @override
    def supports(cls, windows: Windows) -> bool:
        steps = (*windows.strides, *windows.dilation)
        return max(steps) == 1 and max(windows.kernel) <= MAX_KERNEL[windows.ndim]

    @override
    def cost_terms(self, batch: int) -> WinogradTerms:
        windows, channels, filters = self.windows, self.channels, self.filters
        cells = self.n_cells * prod(self.n_tiles)
        maps = channels * prod(windows.in_shape) + filters * prod(windows.out_shape)
        n_blocks = len(list(self.blocks(batch, 4)))
        # The kernels of large tiles are transformed in double precision.
        precision = 5 if self.in_double else 1
        return WinogradTerms(
            flops=6 * max(channels, 8) * max(filters, 8) * cells * batch,
            transformed_values=(channels + filters) * cells * windows.ndim * batch,
            map_values=maps * batch,
            kernel_values=channels * filters * self.n_cells * (precision + n_blocks),
            matrix_products=self.n_cells * n_blocks,
            row_blocks=n_blocks,
        )

    @override
    def with_max_pool(self, pool: Windows) -> WinogradConvolution | None:
        is_apart = pool.strides == pool.kernel and not pool.is_padded
        if not is_apart or any(
            m % p for m, p in zip(self._m, pool.kernel, strict=True)
        ):
            return None
        return WinogradConvolution(
            self.windows,
            self.channels,
            self.filters,
            self.groups,
            block_bytes=self.block_bytes,
            pool=pool.kernel,
        )

    @override
    def forward(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[np.ndarray, _Cache]:
        batch = x.shape[-1]
        shape = self._tiles.phases_shape(self.channels, batch)
        phases = workspace.array("phases", shape, x.dtype)
        workspace.share_out_channels(
            x, lambda some, _: self._tiles.split(x[some], phases[:, some])
        )
        weights = self._transform_kernel(kernel, workspace)
        z = workspace.array("z", (self.filters, *self.stored_shape, batch), x.dtype)
        cache = _Cache(phases, weights, self._mask(x, workspace))
        blocks = list(self.blocks(batch, x.itemsize))

        def task(i: int, workspace: Workspace) -> None:
            rows = blocks[i]
            tiles = self._transform_input(phases, rows, workspace, keep=train)
            outputs = self._outputs_of(tiles, rows, cache, workspace)
            name = f"wins{rows.start}" if train else None
            largest, wins = self._pool.forward(outputs, workspace, name)
            cells = tiled(z, self._pool.m, self.n_tiles, rows)
            copy_runs(cells, largest.reshape(cells.shape))
            if train:
                cache.kept[rows.start] = tiles, wins

        workspace.share_out(len(blocks), task, self._n_transformed(batch))
        return z, cache

    def _mask(self, x: np.ndarray, workspace: Workspace) -> np.ndarray | None:
        """Zeros where a window has nothing but zeros, of the shape of a map."""
        occupied = occupied_windows(x, self.windows, workspace)
        if occupied is None:
            return None
        whole = (n * m for n, m in zip(self.n_tiles, self._m, strict=True))
        mask = workspace.array("mask", (1, *whole, x.shape[-1]), x.dtype)
        mask.fill(0)
        mask[0][tuple(slice(n) for n in self.windows.out_shape)] = occupied
        return mask

    def _outputs_of(
        self, tiles: np.ndarray, rows: slice, cache: _Cache, workspace: Workspace
    ) -> np.ndarray:
        """A' [...], of shape (outputs of a tile, filters, tiles x batch)."""
        shape = (*cache.weights.shape[:3], tiles.shape[-1])
        products = workspace.scratch("products", shape, tiles.dtype)
        np.matmul(cache.weights, tiles, out=products)
        outputs = transform(self._outputs, products, "outputs", workspace)
        outputs = outputs.reshape(prod(self._m), self.filters, -1)
        if cache.mask is not None:
            mask = tiled(cache.mask, self._m, self.n_tiles, rows)
            outputs *= mask.reshape(len(outputs), 1, -1)
        return outputs

    @override
    def backward(
        self,
        dz: np.ndarray,
        cache: _Cache,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        batch = dz.shape[-1]
        dphases = None
        if need_dx:
            dphases = workspace.scratch("dphases", cache.phases.shape, dz.dtype)
            self._tiles.clear_margins(dphases)
        blocks = list(self.blocks(batch, dz.itemsize))
        halves = self._halves(blocks)
        shape = (len(halves), *cache.weights.shape)
        dweights = workspace.scratch("dweights", shape, dz.dtype)
        behind: np.ndarray | None = None

        def task(i: int, workspace: Workspace) -> None:
            for number, rows in enumerate(reversed(halves[i])):
                dcells = self._backward_of_block(
                    dz, rows, cache, dweights[i], number == 0, workspace, need_dx
                )
                if dphases is None or dcells is None:
                    continue
                if i == 0 or number > 0:
                    self._tiles.add(dcells, rows, dphases)
                else:
                    # The rows behind these are the other half's to write first.
                    self._tiles.add_own(dcells, rows, dphases)
                    keep(dcells[self._m[0] :])

        def keep(cells: np.ndarray) -> None:
            nonlocal behind
            behind = workspace.array("behind", cells.shape, cells.dtype)
            np.copyto(behind, cells)

        workspace.share_out(len(halves), task, self._n_transformed(batch))
        if len(halves) > 1:
            dweights[0] += dweights[1]
        self._gradient_of_kernel(dweights[0], dkernel, workspace)
        if dphases is None:
            return None
        if behind is not None:
            self._tiles.add_behind(behind, halves[1][-1], dphases)
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        whole = dphases
        workspace.share_out_channels(
            dx, lambda some, _: self._tiles.join(whole[:, some], dx[some])
        )
        return dx

    def _halves(self, blocks: list[slice]) -> list[list[slice]]:
        """Cut the blocks for two threads, and as well for one: sums are the same.

        The later ones come first. Where tiles reach over a whole block there is no cut.
        """
        middle = len(blocks) // 2
        n_rows = blocks[0].stop - blocks[0].start
        if not middle or n_rows * self._m[0] < self.windows.kernel[0] - 1:
            return [blocks]
        return [blocks[middle:], blocks[:middle]]

    def _backward_of_block(
        self,
        dz: np.ndarray,
        rows: slice,
        cache: _Cache,
        dweights: np.ndarray,
        is_first: bool,
        workspace: Workspace,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Add to `dweights`, or begin it, and return the gradient of the cells."""
        phases, weights = cache.phases, cache.weights
        if cache.kept:
            tiles, wins = cache.kept[rows.start]
        else:
            tiles = self._transform_input(phases, rows, workspace, keep=False)
            outputs = self._outputs_of(tiles, rows, cache, workspace)
            _, wins = self._pool.forward(outputs, workspace, f"wins{rows.start}")
        doutputs = self._gradient_of_outputs(dz, rows, wins, workspace)
        doutputs = doutputs.reshape(-1, *weights.shape[1:3], tiles.shape[-1])
        dproducts = transform(
            transposed(self._outputs), doutputs, "products", workspace
        )
        if is_first:
            np.matmul(dproducts, tiles.swapaxes(-1, -2), out=dweights)
        else:
            dweights += np.matmul(dproducts, tiles.swapaxes(-1, -2))
        if not need_dx:
            return None
        dtiles = workspace.scratch("dtiles", tiles.shape, dz.dtype)
        np.matmul(weights.swapaxes(-1, -2), dproducts, out=dtiles)
        dcells = transform(transposed(self._inputs), dtiles, "cells", workspace)
        return dcells.reshape(
            self._tiles.cells_shape(self.channels, rows, dz.shape[-1])
        )

    def _gradient_of_outputs(
        self,
        dz: np.ndarray,
        rows: slice,
        wins: np.ndarray | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """The gradient of `_outputs_of`, given that of what `forward` returned."""
        cells = tiled(dz, self._pool.m, self.n_tiles, rows)
        name = "outputs" if wins is None else "largest"
        given = workspace.scratch(name, cells.shape, dz.dtype)
        copy_runs(given, cells)
        given = given.reshape(*self._pool.m, self.filters, -1)
        return self._pool.backward(given, wins, workspace)

    def _transform_kernel(self, kernel: np.ndarray, workspace: Workspace) -> np.ndarray:
        """G g, of shape (cells, groups, filters and channels of a group)."""
        n = kernel.size // self.windows.size
        dtype = self._kernel_dtype(kernel.dtype)
        name = f"kernels in {dtype}"
        cells = workspace.scratch(f"{name}, cells", (self.windows.size, n), dtype)
        np.copyto(cells, kernel.reshape(n, -1).T)
        weights = workspace.array("weights", (self.n_cells, n), kernel.dtype)
        if dtype == weights.dtype:
            transform(self._kernels, cells, name, workspace, out=weights)
        else:
            transformed = transform(self._kernels, cells, name, workspace)
            np.copyto(weights, transformed, casting="same_kind")
        shape = (self.groups, self.filters // self.groups, self.channels // self.groups)
        return weights.reshape(-1, *shape)

    def _gradient_of_kernel(
        self, dweights: np.ndarray, dkernel: np.ndarray, workspace: Workspace
    ) -> None:
        n = dkernel.size // self.windows.size
        dcells = dweights.reshape(self.n_cells, n)
        dtype = self._kernel_dtype(dkernel.dtype)
        name = f"kernels in {dtype}"
        if dtype != dcells.dtype:
            exact = workspace.scratch(f"{name}, cells", dcells.shape, dtype)
            np.copyto(exact, dcells)
            dcells = exact
        cells = transform(transposed(self._kernels), dcells, name, workspace)
        np.copyto(dkernel.reshape(n, -1), cells.T, casting="same_kind")

    def _kernel_dtype(self, dtype: np.dtype) -> np.dtype:
        """That of a kernel's transform: double where errors need it."""
        return np.dtype(np.float64) if self.in_double else dtype

    def _transform_input(
        self, phases: np.ndarray, rows: slice, workspace: Workspace, *, keep: bool
    ) -> np.ndarray:
        """B' d, of shape (cells, groups, channels of a group, tiles x batch)."""
        shape = self._tiles.cells_shape(self.channels, rows, phases.shape[-1])
        cells = workspace.scratch("cells", shape, phases.dtype)
        self._tiles.read(phases, rows, cells)
        cells = cells.reshape(
            self.n_cells, self.groups, self.channels // self.groups, -1
        )
        if not keep:
            return transform(self._inputs, cells, "tiles", workspace)
        tiles = workspace.array(f"tiles{rows.start}", cells.shape, phases.dtype)
        return transform(self._inputs, cells, "tiles", workspace, out=tiles)

    def blocks(self, batch: int, itemsize: int) -> Iterator[slice]:
        """Runs of rows of tiles."""
        n_rows = self.n_tiles[0]
        row = self._n_transformed(batch) // n_rows * itemsize
        n_blocks = -(-n_rows // max(self.block_bytes // row, 1))
        step = -(-n_rows // n_blocks)
        for start in range(0, n_rows, step):
            yield slice(start, min(start + step, n_rows))

    def _n_transformed(self, batch: int) -> int:
        """Numbers of the larger of the transformed maps."""
        widest = max(self.channels, self.filters)
        return self.n_cells * widest * prod(self.n_tiles) * batch
