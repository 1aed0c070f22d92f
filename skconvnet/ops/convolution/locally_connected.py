"""Convolution with different kernels at every position, as a batched matrix product.

Maps are batch last, ``(channels, *spatial, batch)``; kernels are ``(*out_spatial,
filters, channels, *kernel_size)``.
"""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.padding import pad
from skconvnet.ops.workspace import Workspace


class LocallyConnectedConvolution(ConvolutionAlgorithm[FeatureMap]):
    """Convolution without shared weights, over any number of spatial axes.

    Unlike in other algorithms, the first axes of the kernel are the spatial axes of the
    output. Windows are written out as columns and multiplied in row blocks of outputs.
    The cache of a pass is the padded map.
    """

    @override
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, FeatureMap]:
        windows, batch = self.windows, x.shape[-1]
        padded = x
        if windows.is_padded:
            shape = (self.channels, *windows.padded_shape, batch)
            padded = workspace.array("padded", shape, x.dtype)
            pad(x, windows.interior, padded)
        z = workspace.array("z", (self.filters, *self.out_shape, batch), x.dtype)
        weights, outputs = self._matrices(kernel), _positions_first(z)
        for rows in self._row_blocks(batch, x.itemsize):
            columns = self._im2col(padded, rows, workspace)
            np.matmul(weights[rows], columns, out=outputs[rows])
        return z, padded

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
        padded = cache
        weights = self._matrices(kernel)
        dweights = None if dkernel is None else self._matrices(dkernel)
        doutputs = _positions_first(dz)
        dpadded = None
        if need_dx:
            dpadded = workspace.array("dpadded", padded.shape, dz.dtype)
            dpadded.fill(0)
        for rows in self._row_blocks(dz.shape[-1], dz.itemsize):
            columns = self._im2col(padded, rows, workspace)
            if dweights is not None:
                np.matmul(doutputs[rows], columns.swapaxes(-1, -2), out=dweights[rows])
            if dpadded is not None:
                # The gradient of the columns overwrites them.
                transposed = weights[rows].swapaxes(-1, -2)
                np.matmul(transposed, doutputs[rows], out=columns)
                self._col2im(columns, rows, dpadded)
        if dpadded is None:
            return None
        return dpadded[(slice(None), *self.windows.interior)]

    @property
    def _window_size(self) -> int:
        """Number of inputs of one output position, over all channels."""
        return self.channels * self.windows.size

    def _matrices(self, kernel: np.ndarray) -> np.ndarray:
        """View a kernel as (*out_spatial, filters, channels x taps)."""
        return kernel.reshape(*self.out_shape, self.filters, self._window_size)

    def _row_blocks(self, batch: int, itemsize: int) -> list[slice]:
        n_rows, *others = self.out_shape
        row_bytes = prod(others) * self._window_size * batch * itemsize
        step = max(self.block_bytes // row_bytes, 1)
        return [slice(i, min(i + step, n_rows)) for i in range(0, n_rows, step)]

    def _im2col(
        self, padded: FeatureMap, rows: slice, workspace: Workspace
    ) -> np.ndarray:
        """Write out the windows of some rows of outputs.

        Returns
        -------
        columns : ndarray of shape (rows, *other out_spatial, channels x taps, batch)
        """
        windows = self.windows
        positions = (rows.stop - rows.start, *windows.out_shape[1:])
        shape = (*positions, self.channels, *windows.kernel, padded.shape[-1])
        columns = workspace.scratch("columns", shape, padded.dtype)
        channel, *spatial, item = padded.strides
        # Bytes from one window to the next, and from one tap of a window to the next.
        steps = [n * s for n, s in zip(spatial, windows.strides, strict=True)]
        taps = [n * d for n, d in zip(spatial, windows.dilation, strict=True)]
        view = np.lib.stride_tricks.as_strided(
            padded[:, rows.start * windows.strides[0] :],
            shape,
            (*steps, channel, *taps, item),
            writeable=False,
        )
        np.copyto(columns, view)
        return columns.reshape(*positions, self._window_size, -1)

    def _col2im(self, columns: np.ndarray, rows: slice, dpadded: FeatureMap) -> None:
        """Add the gradient of the columns to the positions that they came from."""
        positions = columns.shape[:-2]
        ndim = len(positions)
        by_tap = columns.reshape(*positions, self.channels, self.windows.size, -1)
        stride = self.windows.strides[0]
        for tap, (down, *others) in enumerate(self.windows.taps):
            first = down.start + rows.start * stride
            last = down.start + (rows.stop - 1) * stride + 1
            target = dpadded[(slice(None), slice(first, last, stride), *others)]
            target += np.moveaxis(by_tap[..., tap, :], ndim, 0)


def _positions_first(z: FeatureMap) -> np.ndarray:
    """View (filters, *spatial, batch) as (*spatial, filters, batch)."""
    return np.moveaxis(z, 0, -2)
