"""Convolution by im2col: one matrix product for each row block, and its gradients.

"Convolution" is cross-correlation, as everywhere in this field. Arrays are batch
last, ``(channels, *spatial, batch)``; kernels ``(filters, channels // groups,
*kernel_size)``.
"""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.cost_model import Im2colTerms
from skconvnet.ops.convolution.im2col_columns import BLOCK_BYTES, Block, Columns
from skconvnet.ops.layout import pad
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class Im2colConvolution(ConvolutionAlgorithm[FeatureMap]):
    """Convolution of any stride, dilation and number of groups.

    The cache is the padded map, whose columns are made again for the gradients.
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
        weights = kernel.reshape(self.groups, self.filters // self.groups, -1)
        flat = z.reshape(self.groups, self.filters // self.groups, -1)
        blocks = self._columns.blocks(self.channels, batch, x.itemsize)
        rows = self.channels * self.windows.size

        def task(i: int, workspace: Workspace) -> None:
            columns = self._gathered(padded, blocks[i], workspace)
            outputs = flat[:, :, blocks[i].start : blocks[i].stop]
            np.matmul(weights, columns, out=outputs)

        workspace.share_out(len(blocks), task, blocks[-1].stop * rows)
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
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        padded = cache
        batch = dz.shape[-1]
        weights = kernel.reshape(self.groups, self.filters // self.groups, -1)
        dweights = dkernel.reshape(weights.shape)
        flat = dz.reshape(self.groups, self.filters // self.groups, -1)
        dpadded = None
        if need_dx:
            dpadded = workspace.array("dpadded", padded.shape, dz.dtype)
            dpadded.fill(0)
        blocks = self._columns.blocks(self.channels, batch, dz.itemsize)
        rows = self.channels * self.windows.size
        # Blocks of a map overlap in the one before, and follow each other. Where no map
        # is asked for there are two sums, whatever the number of threads.
        middle = len(blocks) // 2 if dpadded is None else 0
        halves = [half for half in (blocks[middle:], blocks[:middle]) if half]
        sums = [dweights]
        if len(halves) > 1:
            sums.append(workspace.scratch("dweights", dweights.shape, dz.dtype))

        def task(i: int, workspace: Workspace) -> None:
            for number, block in enumerate(halves[i]):
                columns = self._gathered(padded, block, workspace)
                doutput = flat[:, :, block.start : block.stop]
                if number == 0:
                    np.matmul(doutput, columns.transpose(0, 2, 1), out=sums[i])
                else:
                    sums[i] += np.matmul(doutput, columns.transpose(0, 2, 1))
                if dpadded is not None:
                    self._spread(weights, doutput, block, dpadded, workspace)

        workspace.share_out(len(halves), task, blocks[-1].stop * rows)
        if len(halves) > 1:
            dweights += sums[1]
        if dpadded is None:
            return None
        return dpadded[(slice(None), *self.windows.interior)]

    def _padded(self, x: np.ndarray, workspace: Workspace) -> np.ndarray:
        """The padded map, which is `x` itself where it can be."""
        if not self.windows.is_padded and x.flags.c_contiguous:
            return x
        shape = (self.channels, *self.windows.padded_shape, x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows, padded)
        return padded

    def _gathered(
        self, padded: np.ndarray, block: Block, workspace: Workspace
    ) -> np.ndarray:
        """The columns of `block`, of shape (groups, rows, positions)."""
        length = block.stop - block.start
        if self._columns.is_pointwise:
            whole = padded.reshape(self.groups, self.channels // self.groups, -1)
            return whole[:, :, block.start : block.stop]
        size = self.windows.size
        columns = workspace.scratch(
            "columns", (self.channels, size, length), padded.dtype
        )
        self._columns.gather(padded, block, columns)
        return columns.reshape(self.groups, self.channels // self.groups * size, length)

    def _spread(
        self,
        weights: np.ndarray,
        doutput: np.ndarray,
        block: Block,
        dpadded: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Add the gradient of the columns of `block` onto that of the map."""
        rows = self.channels // self.groups * self.windows.size
        if self._columns.is_pointwise:
            whole = dpadded.reshape(self.groups, rows, -1)
            target = whole[:, :, block.start : block.stop]
            np.matmul(weights.transpose(0, 2, 1), doutput, out=target)
            return
        length = block.stop - block.start
        margin = self._columns.margin(dpadded.shape[-1])
        shape = (self.groups, rows, length + 2 * margin)
        dcolumns = workspace.scratch("dcolumns", shape, doutput.dtype)
        inner = dcolumns[:, :, margin : margin + length]
        np.matmul(weights.transpose(0, 2, 1), doutput, out=inner)
        by_cell = dcolumns.reshape(self.channels, self.windows.size, -1)
        self._columns.scatter(by_cell, block, dpadded, workspace)
