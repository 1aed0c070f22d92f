"""Depthwise convolution: every channel convolved on its own."""

from __future__ import annotations

from itertools import product

import numpy as np

from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.depthwise_kernel_gradient import ShiftedProducts
from skconvnet.ops.convolution.depthwise_toeplitz import (
    Band,
    Line,
    lines_of_inputs,
    lines_of_outputs,
)
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace

# Channels are taken in blocks of about so many bytes, which stay in the cache.
BLOCK_BYTES = 1_000_000


def suits_depthwise(windows: Windows, channels: int, groups: int) -> bool:
    """Whether each channel is a group of its own, on maps of one or two axes."""
    return groups == channels and windows.ndim <= 2


class DepthwiseConvolution(ConvolutionAlgorithm[np.ndarray]):
    """Convolution with as many groups as channels, over one or two spatial axes.

    The map and, backwards, the gradient are multiplied by banded matrices (see
    `bands.py`). The gradient of a kernel's cell is one dot product a channel, of the
    outputs' gradient and the map shifted by that cell.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
        `groups` is `channels`, which divides `filters`.

    Attributes
    ----------
    shape : tuple of int
        Spatial shape of the outputs.
    cached_values : int
        Numbers a sample that are kept for `backward`, besides maps.
    """

    cached_values = 0

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
        self._multiplier = filters // channels
        # A map of one axis is one row.
        flat = windows.ndim == 1
        self._in_shape = (1, *windows.in_shape) if flat else windows.in_shape
        self._out_shape = (1, *windows.out_shape) if flat else windows.out_shape
        self._kernel = (1, *windows.kernel) if flat else windows.kernel
        strides, dilation, pads = windows.strides, windows.dilation, windows.pads
        self._strides = (1, *strides) if flat else strides
        self._dilation = (1, *dilation) if flat else dilation
        self._before = (0, pads[0][0]) if flat else (pads[0][0], pads[1][0])
        parameters = list(
            zip(self._kernel, self._strides, self._dilation, self._before, strict=True)
        )
        self._products = ShiftedProducts(
            self._out_shape, self._kernel, self._strides, self._dilation, self._before
        )
        fans = (1, self._multiplier)
        self._forward = self._bands(
            [
                lines_of_outputs(n, *axis)
                for n, axis in zip(self._out_shape, parameters, strict=True)
            ],
            *fans,
        )
        self._backward = self._bands(
            [
                lines_of_inputs(n, *axis)
                for n, axis in zip(self._in_shape, parameters, strict=True)
            ],
            *reversed(fans),
        )

    def _bands(self, lines: list[list[Line]], fan_in: int, fan_out: int) -> list[Band]:
        height, width = self._kernel
        return [
            Band(rows, columns, (height, width), fan_in, fan_out)
            for rows, columns in product(*lines)
        ]

    def forward(
        self, x: np.ndarray, kernel: np.ndarray, workspace: Workspace, *, train: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Convolve the map `x` with `kernel`.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
        kernel : ndarray of shape (filters, 1, *kernel_size)
        workspace : Workspace
        train : bool

        Returns
        -------
        z : ndarray of shape (filters, *shape, batch), contiguous
        cache : ndarray
            For `backward`: the map itself.
        """
        z = workspace.array("z", (self.filters, *self.stored_shape, x.shape[-1]), kernel.dtype)
        self._apply(self._forward, self._maps(x), kernel, self._sums(z), workspace)
        return z, x

    def written(self, z: np.ndarray) -> np.ndarray:
        """View of `z` as (filters, positions)."""
        return z.reshape(len(z), -1)

    def backward(
        self,
        dz: np.ndarray,
        cache: np.ndarray,
        kernel: np.ndarray,
        dkernel: np.ndarray,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the gradient of the kernel, and return that of the map.

        Parameters
        ----------
        dz : ndarray of shape (filters, *shape, batch), contiguous
        cache : ndarray
            From `forward`.
        kernel, dkernel : ndarray of shape (filters, 1, *kernel_size)
            `dkernel` is overwritten.
        workspace : Workspace
        need_dx : bool
            Where False, None is returned.
        """
        x, dsums, batch = self._maps(cache), self._sums(dz), dz.shape[-1]
        dkernels = dkernel.reshape(self.channels, self._multiplier, *self._kernel)
        values = self._products.values(self._multiplier, batch)
        for block in self._blocks(values, dz.itemsize):
            self._products.write(x[block, 0], dsums[block], dkernels[block], workspace)
        if not need_dx:
            return None
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        self._apply(self._backward, dsums, kernel, self._maps(dx), workspace)
        return dx

    def _maps(self, x: np.ndarray) -> np.ndarray:
        """View of a map as (channels, 1, rows, columns, batch)."""
        return x[:, None, None] if self.windows.ndim == 1 else x[:, None]

    def _sums(self, z: np.ndarray) -> np.ndarray:
        """View of outputs as (channels, multiplier, rows, columns, batch)."""
        return z.reshape(self.channels, self._multiplier, *self._out_shape, -1)

    def _blocks(self, values: int, itemsize: int) -> list[slice]:
        """Cut the channels, each of which takes so many numbers."""
        step = max(BLOCK_BYTES // max(values * itemsize, 1), 1)
        return [slice(i, i + step) for i in range(0, self.channels, step)]

    def _apply(
        self,
        bands: list[Band],
        x: np.ndarray,
        kernel: np.ndarray,
        out: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the sums of all rows and columns, a block of channels at a time."""
        length = self._multiplier * self.windows.size
        kernels = workspace.scratch("kernels", (self.channels, length + 1), x.dtype)
        kernels[:, :length] = kernel.reshape(self.channels, length)
        kernels[:, length] = 0
        values = max(band.values_of_tiles(x.shape[-1]) for band in bands)
        for block in self._blocks(values, x.itemsize):
            for band in bands:
                band.apply(x[block], kernels[block], out[block], workspace)
