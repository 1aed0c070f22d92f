"""Winograd's minimal filtering F(m, r), along one, two or three axes.

A tile of m outputs of a kernel of r taps takes m + r - 1 multiplications instead of
m r, and a tile along several axes takes the product of these numbers: 36 instead of 144
for 4x4 outputs of a 3x3 kernel. With tile d, kernel g and the matrices of
`filtering_matrices`, the outputs along an axis are ``A' [(G g) * (B' d)]`` [1]_.
Summed over channels, the elementwise product is a matrix product for each position of a
tile::

    x --> tiles d --B'--> transformed --+
                                        +--> products --A'--> outputs --> z
          kernel g --G--> weights ------+

Blocks of tiles are sized so that all of this happens in the cache of a processor core.
`winograd_tiles.py` finds the tiles and blocks, `winograd_blocks.py` has the steps for a
block, `winograd_inputs.py` computes B' d, `winograd_outputs.py` computes the outputs,
with an optional max pool of `winograd_max_pool.py`, and `winograd_transforms.py` has
the matrices. The backward pass applies the transposed matrices in reverse order. It
computes B' d again, which takes less time than to write it to memory and read it.

References
----------
.. [1] A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks",
   CVPR 2016.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import WinogradTerms
from skconvnet.ops.convolution.winograd_blocks import BlockPrograms
from skconvnet.ops.convolution.winograd_inputs import TileInputs
from skconvnet.ops.convolution.winograd_outputs import TileOutputs
from skconvnet.ops.convolution.winograd_tiles import TileBlock, Tiles, outputs_per_tile
from skconvnet.ops.convolution.winograd_transforms import (
    KernelTransform,
    filtering_matrices,
)
from skconvnet.ops.convolution.zero_windows import occupied_windows
from skconvnet.ops.program import Program
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# The most taps of a kernel along an axis, by the number of axes. With larger tiles,
# rounding errors are too large.
MAX_KERNEL = {1: 5, 2: 5, 3: 3}

# The fewest columns of the matrix products of a block, if there are as many.
_MIN_COLUMNS = 64


class _Cache(NamedTuple):
    """What the backward pass needs.

    Attributes
    ----------
    x : ndarray
        The map.
    weights : ndarray of shape (positions of a tile, groups, filters of a group, \
channels of a group)
        The transformed kernels.
    found_wins : bool
        Whether the pass found out which outputs of each pool window were the largest.
    """

    x: FeatureMap
    weights: np.ndarray
    found_wins: bool


class WinogradConvolution(ConvolutionAlgorithm[_Cache]):
    """Convolution with a kernel of at most `MAX_KERNEL`, stride 1 and no dilation.

    The row padding fills up the last tile along each axis.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
    block_bytes : int, optional
        About how many bytes the transformed values of a block have.
    pool : tuple of int, optional
        Window sizes of a max pool after the convolution, whose windows are adjacent.
        Each divides the number of outputs of a tile along its axis.
    """

    block_bytes = 600_000

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
        pool = (1,) * windows.ndim if pool is None else pool
        matrices = [
            filtering_matrices(m, k)
            for m, k in zip(self._m, windows.kernel, strict=True)
        ]
        self._kernels = KernelTransform([axis.kernels for axis in matrices])
        inputs = TileInputs(self._tiles, matrices, channels)
        outputs = TileOutputs(self._tiles, matrices, filters, pool)
        self._programs = BlockPrograms(inputs, outputs, groups)
        self._is_pooled = max(pool) > 1
        self._blocks: dict[tuple[int, int], list[list[TileBlock]]] = {}
        self.stored_shape = tuple(
            n * m for n, m in zip(self._tiles.counts, outputs.m, strict=True)
        )
        self.out_shape = tuple(
            n // p for n, p in zip(windows.out_shape, pool, strict=True)
        )

    @classmethod
    @override
    def supports(cls, windows: Windows) -> bool:
        steps = (*windows.strides, *windows.dilation)
        return max(steps) == 1 and max(windows.kernel) <= MAX_KERNEL[windows.ndim]

    @override
    def cost_terms(self, batch: int) -> WinogradTerms:
        windows, channels, filters = self.windows, self.channels, self.filters
        positions = self._tiles.size * prod(self._tiles.counts)
        maps = channels * prod(windows.in_shape) + filters * prod(windows.out_shape)
        n_blocks = sum(map(len, self.blocks(batch, itemsize=4)))
        n_passes = n_blocks + (5 if self._kernels.in_double else 1)
        return WinogradTerms(
            flops=6 * max(channels, 8) * max(filters, 8) * positions * batch,
            transformed_values=(channels + filters) * positions * windows.ndim * batch,
            map_values=maps * batch,
            kernel_values=channels * filters * self._tiles.size * n_passes,
            matrix_products=self._tiles.size * n_blocks,
            blocks=n_blocks,
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

    def blocks(self, batch: int, itemsize: int) -> list[list[TileBlock]]:
        """Cut the tiles into blocks that fit the cache, row by row of blocks."""
        blocks = self._blocks.get((batch, itemsize))
        if blocks is None:
            widest = max(self.channels, self.filters)
            tile_bytes = self._tiles.size * widest * batch * itemsize
            # With fewer columns, most of the time would go into reading the weights and
            # adding up their gradient.
            pairs, both = self.channels * self.filters, self.channels + self.filters
            min_tiles = -(-max(_MIN_COLUMNS, 2 * pairs // both) // batch)
            blocks = self._tiles.cut(tile_bytes, min_tiles, self.block_bytes)
            self._blocks[batch, itemsize] = blocks
        return blocks

    def _n_transformed(self, batch: int) -> int:
        """Return the size of the larger of the transformed maps."""
        widest = max(self.channels, self.filters)
        return self._tiles.size * widest * prod(self._tiles.counts) * batch

    @override
    def forward(
        self, x: FeatureMap, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[FeatureMap, _Cache]:
        batch = x.shape[-1]
        x = self._with_long_runs(x, workspace)
        per_group = (self.filters // self.groups, self.channels // self.groups)
        weights = self._kernels.forward(kernel, (self.groups, *per_group), workspace)
        z = workspace.array("z", (self.filters, *self.stored_shape, batch), x.dtype)
        mask = self._mask(x, workspace)
        find_wins = train and self._is_pooled
        cache = _Cache(x, weights, find_wins)
        rows = self.blocks(batch, x.itemsize)
        parts = rows if workspace.run else [[block for row in rows for block in row]]

        def task(i: int, workspace: Workspace) -> None:
            def write(program: Program) -> None:
                for block in parts[i]:
                    self._programs.write_forward(
                        program,
                        x,
                        weights,
                        z,
                        mask,
                        block,
                        workspace,
                        find_wins=find_wins,
                    )

            key = (self, "forward", i, len(parts), batch, find_wins, mask is None)
            workspace.program(key, (x, weights, z, mask), write).run()

        workspace.share_out(len(parts), task, self._n_transformed(batch))
        return z, cache

    def _with_long_runs(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return `x`, or a copy if columns and samples are not one run of memory."""
        item, column = x.strides[-1], x.strides[-2]
        if item == x.itemsize and column == item * x.shape[-1]:
            return x
        copy = workspace.array("x", x.shape, x.dtype)
        np.copyto(copy, x)
        return copy

    def _mask(self, x: FeatureMap, workspace: Workspace) -> np.ndarray | None:
        """Return an array that is zero where a window holds nothing but zeros.

        Its shape is (1, *(counts * m), batch). None means that there is no such window.
        """
        occupied = occupied_windows(x, self.windows, workspace)
        if occupied is None:
            return None
        whole = (n * m for n, m in zip(self._tiles.counts, self._m, strict=True))
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
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        if self._is_pooled and not cache.found_wins:
            _, cache = self.forward(cache.x, kernel, workspace, train=True)
        x, weights, _ = cache
        batch = x.shape[-1]
        dx = workspace.array("dx", x.shape, x.dtype) if need_dx else None
        parts = self._cut_in_two(self.blocks(batch, x.itemsize))
        shape = (len(parts), *weights.shape)
        dweights = workspace.scratch("dweights", shape, dz.dtype)

        def task(i: int, workspace: Workspace) -> None:
            def write(program: Program) -> None:
                for number, row in enumerate(parts[i]):
                    # At the boundary of the parts, rows of the map are shared.
                    at_boundary = i == 1 and number == 0
                    for block in reversed(row):
                        is_first = number == 0 and block is row[-1]
                        dproducts = self._programs.write_weight_gradient(
                            program,
                            x,
                            dz,
                            None if dkernel is None else dweights[i],
                            block,
                            workspace,
                            overwrite=is_first,
                        )
                        if dx is not None:
                            self._programs.write_map_gradient(
                                program,
                                dproducts,
                                weights,
                                dx,
                                block,
                                workspace,
                                set_aside=at_boundary,
                            )

            key = (self, "backward", i, batch, need_dx, dkernel is None)
            workspace.program(key, (x, weights, dz, dx, dweights), write).run()

        workspace.share_out(len(parts), task, self._n_transformed(batch))
        if dx is not None and len(parts) > 1:
            self._finish(dx, parts[1][0], workspace)
        if dkernel is not None:
            if len(parts) > 1:
                dweights[0] += dweights[1]
            self._kernels.backward(dweights[0], dkernel, workspace)
        return dx

    def _cut_in_two(self, rows: list[list[TileBlock]]) -> list[list[list[TileBlock]]]:
        """Return the two halves of rows of blocks, which can be computed at once.

        There is one part only if a tile would reach beyond a row of blocks, since then
        several rows would share positions of the map with the other part.
        """
        middle, axis = len(rows) // 2, self._tiles.axes[0]
        first = rows[0][0].rows
        if not middle or (first.stop - first.start) * axis.m < axis.kernel - 1:
            return [rows]
        return [rows[:middle], rows[middle:]]

    def _finish(
        self, dx: FeatureMap, row: list[TileBlock], workspace: Workspace
    ) -> None:
        """Add what the first row of blocks of the second part has set aside."""

        def write(program: Program) -> None:
            for block in row:
                self._programs.write_rows_set_aside(program, dx, block, workspace)

        workspace.program((self, "finish", dx.shape[-1]), (dx,), write).run()
