"""Convolution by im2col, with one matrix product for each row block."""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import Im2colTerms
from skconvnet.ops.convolution.im2col_columns import BLOCK_BYTES, Block, Columns
from skconvnet.ops.convolution.weight_gradient import add_product
from skconvnet.ops.padding import pad
from skconvnet.ops.program import Program
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class Im2colConvolution(ConvolutionAlgorithm[FeatureMap]):
    """Convolution of any stride, dilation and number of groups.

    The cache is the padded map. Its columns are written out again for the gradients.
    """

    block_bytes = BLOCK_BYTES

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int = 1,
        *,
        block_bytes: int | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups, block_bytes=block_bytes)
        self._columns = Columns(windows, block_bytes=self.block_bytes)
        self.stored_shape = self._columns.shape

    @override
    def cost_terms(self, batch: int) -> Im2colTerms:
        windows, channels, filters = self.windows, self.channels, self.filters
        columns = windows.size * prod(self.stored_shape)
        maps = channels * prod(windows.in_shape) + filters * prod(windows.out_shape)
        is_strided = max(windows.strides) > 1
        is_exact = self.stored_shape == windows.out_shape
        return Im2colTerms(
            flops=6 * channels * max(filters, 8) // self.groups * columns * batch,
            column_values=(windows.size > 1) * channels * columns * batch,
            map_values=maps * batch,
            strided_runs=is_strided * channels * columns,
            row_runs=is_exact * channels * columns / windows.out_shape[-1],
            taps=windows.size,
        )

    @override
    def forward(
        self, x: FeatureMap, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[FeatureMap, FeatureMap]:
        batch = x.shape[-1]
        padded = self._padded(x, workspace)
        shape = (self.filters, *self.stored_shape, batch)
        z = workspace.array("z", shape, kernel.dtype)
        weights, outputs = self._by_group(kernel), self._by_group(z)
        blocks = self._columns.blocks(self.channels, batch, x.itemsize)
        parts = [[block] for block in blocks] if workspace.run else [blocks]

        def task(i: int, workspace: Workspace) -> None:
            def write(program: Program) -> None:
                for block in parts[i]:
                    columns = self._im2col(program, padded, block, workspace)
                    own = outputs[:, :, block.start : block.stop]
                    program.add(np.matmul, weights, columns, out=own)

            key = (self, "forward", i, len(parts), batch)
            workspace.program(key, (padded, kernel, z), write).run()

        workspace.share_out(len(parts), task, self._n_values(blocks))
        return z, padded

    @override
    def flat_outputs(self, z: FeatureMap) -> np.ndarray:
        return z.reshape(len(z), -1)[:, : self._columns.length * z.shape[-1]]

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: FeatureMap,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        padded, batch = cache, dz.shape[-1]
        weights, doutputs = self._by_group(kernel), self._by_group(dz)
        dpadded = None
        if need_dx:
            dpadded = workspace.array("dpadded", padded.shape, dz.dtype)
            dpadded.fill(0)
        blocks = self._columns.blocks(self.channels, batch, dz.itemsize)
        runs = _cut_into_runs(blocks, sharing_positions=need_dx)
        shape = (len(runs), *weights.shape)
        dweights = workspace.scratch("dweights", shape, dz.dtype)

        def task(i: int, workspace: Workspace) -> None:
            def write(program: Program) -> None:
                for number, block in enumerate(runs[i]):
                    own = doutputs[:, :, block.start : block.stop]
                    if dkernel is not None:
                        columns = self._im2col(program, padded, block, workspace)
                        add_product(
                            program,
                            own,
                            columns,
                            dweights[i],
                            workspace,
                            overwrite=number == 0,
                        )
                    if dpadded is not None:
                        self._col2im(program, weights, own, block, dpadded, workspace)

            key = (self, "backward", i, len(runs), batch, dkernel is None)
            arrays = (padded, kernel, dz, dpadded, dweights)
            workspace.program(key, arrays, write).run()

        workspace.share_out(len(runs), task, self._n_values(blocks))
        if dkernel is not None:
            np.copyto(dkernel.reshape(weights.shape), dweights[0])
            if len(runs) > 1:
                dkernel += dweights[1].reshape(dkernel.shape)
        if dpadded is None:
            return None
        return dpadded[(slice(None), *self.windows.interior)]

    def _by_group(self, rows: np.ndarray) -> np.ndarray:
        """View an array of one row per filter as (groups, filters of a group, -1)."""
        return rows.reshape(self.groups, self.filters // self.groups, -1)

    def _n_values(self, blocks: list[Block]) -> int:
        """Return how many numbers all columns have."""
        return blocks[-1].stop * self.channels * self.windows.size

    def _padded(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the padded map, which is `x` itself if no copy is needed."""
        if not self.windows.is_padded and x.flags.c_contiguous:
            return x
        shape = (self.channels, *self.windows.padded_shape, x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows.interior, padded)
        return padded

    def _im2col(
        self, program: Program, padded: FeatureMap, block: Block, workspace: Workspace
    ) -> np.ndarray:
        """Add calls that write the columns of a block.

        Returns
        -------
        columns : ndarray of shape (groups, channels of a group x taps, block.length)
        """
        per_group = self.channels // self.groups
        if self._columns.is_pointwise:
            whole = padded.reshape(self.groups, per_group, -1)
            return whole[:, :, block.start : block.stop]
        shape = (self.channels, self.windows.size, block.length)
        columns = workspace.scratch("columns", shape, padded.dtype)
        self._columns.im2col(program, padded, block, columns)
        return columns.reshape(self.groups, per_group * self.windows.size, block.length)

    def _col2im(
        self,
        program: Program,
        weights: np.ndarray,
        doutputs: np.ndarray,
        block: Block,
        dpadded: FeatureMap,
        workspace: Workspace,
    ) -> None:
        """Add calls that add the gradient of the columns of a block to `dpadded`."""
        n_rows = self.channels // self.groups * self.windows.size
        if self._columns.is_pointwise:
            whole = dpadded.reshape(self.groups, n_rows, -1)
            target = whole[:, :, block.start : block.stop]
            program.add(np.matmul, weights.transpose(0, 2, 1), doutputs, out=target)
            return
        reach = self._columns.reach(dpadded.shape[-1])
        shape = (self.groups, n_rows, reach + block.length + reach)
        dcolumns = workspace.scratch("dcolumns", shape, doutputs.dtype)
        inner = dcolumns[:, :, reach : reach + block.length]
        program.add(np.matmul, weights.transpose(0, 2, 1), doutputs, out=inner)
        by_tap = dcolumns.reshape(self.channels, self.windows.size, -1)
        self._columns.col2im(program, by_tap, block, dpadded, workspace)


def _cut_into_runs(
    blocks: list[Block], *, sharing_positions: bool
) -> list[list[Block]]:
    """Cut the blocks into runs that threads may process at the same time.

    Windows of neighboring blocks share positions of the map. If blocks add to these
    positions, there is one run. Otherwise there are two runs, with a sum each, whatever
    the number of threads, so that the bits do not depend on it.
    """
    middle = 0 if sharing_positions else len(blocks) // 2
    return [run for run in (blocks[middle:], blocks[:middle]) if run]
