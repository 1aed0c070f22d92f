"""Winograd's minimal filtering F(m, r), along one, two or three axes.

A tile of m outputs of a kernel of r taps takes m + r - 1 multiplications instead of
m r, and a tile along several axes takes the product of these numbers: 36 instead of 144
for 4x4 outputs of a 3x3 kernel. With tile d, kernel g and the matrices of
`filtering_matrices`, the outputs along an axis are ``A' [(G g) * (B' d)]`` [1]_.

A forward pass, with the names of the arrays::

    x --> phases --> tiles d --B'--> transformed --+
                                                   +--> products --A'--> outputs --> z
                     kernel g --G--> weights ------+

`winograd_tiles.py` cuts the map into tiles, `winograd_transforms.py` has the matrices,
and `winograd_max_pool.py` has an optional max pool of the outputs. The steps from the
tiles to the outputs, and their gradients, are in `winograd_row_block.py`. They are
computed in row blocks, sized for the cache. `winograd_overlap_add.py` adds up the
gradients of overlapping tiles.

References
----------
.. [1] A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks",
   CVPR 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import WinogradTerms
from skconvnet.ops.convolution.winograd_max_pool import TilePool
from skconvnet.ops.convolution.winograd_overlap_add import OverlapAdd, cut_into_runs
from skconvnet.ops.convolution.winograd_row_block import (
    BlockCache,
    PassArrays,
    RowBlock,
)
from skconvnet.ops.convolution.winograd_tiles import Tiles, outputs_per_tile
from skconvnet.ops.convolution.winograd_transforms import (
    KernelTransform,
    filtering_matrices,
)
from skconvnet.ops.convolution.zero_windows import occupied_windows
from skconvnet.ops.layout import tiled
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# The most taps of a kernel along an axis, by the number of axes. With larger tiles,
# rounding errors are too large.
MAX_KERNEL = {1: 5, 2: 5, 3: 3}


@dataclass
class _Cache:
    """What the backward pass needs.

    `blocks` has the caches of row blocks by their first row. It is empty unless the
    pass is for training.
    """

    arrays: PassArrays
    blocks: dict[int, BlockCache] = field(default_factory=dict)


class WinogradConvolution(ConvolutionAlgorithm[_Cache]):
    """Convolution with a kernel of at most `MAX_KERNEL`, stride 1 and no dilation.

    The row padding fills up the last tile along each axis. In training, the transformed
    tiles are kept for the gradient of the kernel.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
    block_bytes : int, optional
        About how many bytes the transformed maps of a row block have.
    pool : tuple of int, optional
        Window sizes of a max pool after the convolution, whose windows are adjacent.
        Each divides the number of outputs of a tile along its axis.

    Attributes
    ----------
    n_tiles : tuple of int
        Number of tiles along each axis.
    tile_size : int
        Number of positions of a tile, which is also the number of multiplications for
        its outputs, per pair of channels.
    """

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
        self._m = outputs_per_tile(windows)
        self._tiles = Tiles(windows, self._m)
        self.n_tiles = self._tiles.counts
        self.tile_size = prod(self._tiles.shape)
        pool = (1,) * windows.ndim if pool is None else pool
        self._pool = TilePool(self._m, pool)
        matrices = [
            filtering_matrices(m, k)
            for m, k in zip(self._m, windows.kernel, strict=True)
        ]
        self._kernels = KernelTransform([axis.kernels for axis in matrices])
        self._row_block = RowBlock(
            self._tiles, self._pool, matrices, channels, filters, groups
        )
        self.stored_shape = tuple(
            n * m for n, m in zip(self.n_tiles, self._pool.m, strict=True)
        )
        self.out_shape = tuple(
            n // p for n, p in zip(windows.out_shape, pool, strict=True)
        )
        self.cached_values = self.tile_size * prod(self.n_tiles) * channels

    @classmethod
    @override
    def supports(cls, windows: Windows) -> bool:
        steps = (*windows.strides, *windows.dilation)
        return max(steps) == 1 and max(windows.kernel) <= MAX_KERNEL[windows.ndim]

    @override
    def cost_terms(self, batch: int) -> WinogradTerms:
        windows, channels, filters = self.windows, self.channels, self.filters
        positions = self.tile_size * prod(self.n_tiles)
        maps = channels * prod(windows.in_shape) + filters * prod(windows.out_shape)
        n_blocks = len(self.row_blocks(batch, itemsize=4))
        n_passes = n_blocks + (5 if self._kernels.in_double else 1)
        return WinogradTerms(
            flops=6 * max(channels, 8) * max(filters, 8) * positions * batch,
            transformed_values=(channels + filters) * positions * windows.ndim * batch,
            map_values=maps * batch,
            kernel_values=channels * filters * self.tile_size * n_passes,
            matrix_products=self.tile_size * n_blocks,
            row_blocks=n_blocks,
        )

    @override
    def with_max_pool(self, pool: Windows) -> WinogradConvolution | None:
        is_adjacent = pool.strides == pool.kernel and not pool.is_padded
        if not is_adjacent or any(
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

    def row_blocks(self, batch: int, itemsize: int) -> list[slice]:
        """Cut the rows of tiles into blocks that fit the cache."""
        n_rows = self.n_tiles[0]
        row_bytes = self._n_transformed(batch) // n_rows * itemsize
        n_blocks = -(-n_rows // max(self.block_bytes // row_bytes, 1))
        step = -(-n_rows // n_blocks)
        return [slice(i, min(i + step, n_rows)) for i in range(0, n_rows, step)]

    def _n_transformed(self, batch: int) -> int:
        """Return the size of the larger of the transformed maps."""
        widest = max(self.channels, self.filters)
        return self.tile_size * widest * prod(self.n_tiles) * batch

    @override
    def forward(
        self, x: FeatureMap, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[FeatureMap, _Cache]:
        batch = x.shape[-1]
        shape = self._tiles.phases_shape(self.channels, batch)
        phases = workspace.array("phases", shape, x.dtype)
        workspace.share_out_channels(
            x, lambda some, _: self._tiles.split(x[some], phases[:, some])
        )
        per_group = (self.filters // self.groups, self.channels // self.groups)
        weights = self._kernels.forward(kernel, (self.groups, *per_group), workspace)
        z = workspace.array("z", (self.filters, *self.stored_shape, batch), x.dtype)
        cache = _Cache(PassArrays(phases, weights, self._mask(x, workspace)))
        blocks = self.row_blocks(batch, x.itemsize)

        def task(i: int, workspace: Workspace) -> None:
            rows = blocks[i]
            outputs, block = self._row_block.forward(
                cache.arrays, rows, workspace, keep=train, find_wins=train
            )
            target = tiled(z, self._pool.m, self.n_tiles, rows)
            copy_runs(target, outputs.reshape(target.shape))
            if train:
                cache.blocks[rows.start] = block

        workspace.share_out(len(blocks), task, self._n_transformed(batch))
        return z, cache

    def _mask(self, x: FeatureMap, workspace: Workspace) -> np.ndarray | None:
        """Return the `mask` of `PassArrays`."""
        occupied = occupied_windows(x, self.windows, workspace)
        if occupied is None:
            return None
        whole = (n * m for n, m in zip(self.n_tiles, self._m, strict=True))
        mask = workspace.array("mask", (1, *whole, x.shape[-1]), x.dtype)
        mask.fill(0)
        mask[0][tuple(slice(n) for n in self.windows.out_shape)] = occupied
        return mask

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: _Cache,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        batch, weights = dz.shape[-1], cache.arrays.weights
        overlap_add = None
        if need_dx:
            dphases = workspace.scratch("dphases", cache.arrays.phases.shape, dz.dtype)
            overlap_add = OverlapAdd(self._tiles, dphases, workspace)
        runs = cut_into_runs(self.row_blocks(batch, dz.itemsize), self._tiles)
        shape = (len(runs), *weights.shape)
        dweights = workspace.scratch("dweights", shape, dz.dtype)

        def task(i: int, workspace: Workspace) -> None:
            for number, rows in enumerate(reversed(runs[i])):
                block = cache.blocks.get(rows.start)
                if block is None:
                    _, block = self._row_block.forward(
                        cache.arrays, rows, workspace, keep=False, find_wins=True
                    )
                dproducts = self._row_block.gradient_of_products(
                    dz, rows, block.wins, workspace
                )
                inputs = block.transformed.swapaxes(-1, -2)
                if number == 0:
                    np.matmul(dproducts, inputs, out=dweights[i])
                else:
                    dweights[i] += np.matmul(dproducts, inputs)
                if overlap_add is not None:
                    dtiles = self._row_block.gradient_of_tiles(
                        dproducts, rows, weights, batch, workspace
                    )
                    at_boundary = i == 1 and number == 0
                    overlap_add.add(dtiles, rows, at_boundary=at_boundary)

        workspace.share_out(len(runs), task, self._n_transformed(batch))
        if len(runs) > 1:
            dweights[0] += dweights[1]
        self._kernels.backward(dweights[0], dkernel, workspace)
        if overlap_add is None:
            return None
        overlap_add.finish()
        return self._join(overlap_add.phases, workspace)

    def _join(self, dphases: np.ndarray, workspace: Workspace) -> FeatureMap:
        """Return the map that the phases hold."""
        shape = (self.channels, *self.windows.in_shape, dphases.shape[-1])
        dx = workspace.array("dx", shape, dphases.dtype)
        workspace.share_out_channels(
            dx, lambda some, _: self._tiles.join(dphases[:, some], dx[some])
        )
        return dx
