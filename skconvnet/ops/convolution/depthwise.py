"""Depthwise convolution: every channel is convolved with its own kernels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.algorithm import ConvolutionAlgorithm
from skconvnet.ops.convolution.depthwise_axes import two_axes
from skconvnet.ops.convolution.depthwise_kernel_gradient import (
    RUN_LENGTH,
    KernelGradient,
)
from skconvnet.ops.convolution.depthwise_toeplitz import (
    OutputPhase,
    ToeplitzProduct,
    backward_phases,
    forward_phases,
)
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


def suits_depthwise(windows: Windows, channels: int, groups: int) -> bool:
    """Return whether every group is one channel, on maps of one or two axes."""
    return groups == channels and windows.ndim <= 2


class DepthwiseConvolution(ConvolutionAlgorithm[FeatureMap]):
    """Convolution with as many groups as channels, over one or two spatial axes.

    Outputs and the gradient of the map are products with banded Toeplitz matrices
    (`depthwise_toeplitz.py`). The gradient of a kernel is the correlation of the map
    with the gradient of the outputs (`depthwise_kernel_gradient.py`). Both work on a
    few channels at a time, so that these fit the cache. The cache of a pass is the map.

    Parameters
    ----------
    windows : Windows
    channels, filters, groups : int
        `groups` equals `channels`, which divides `filters`.
    block_bytes : int, optional
    run_length : int
        See `KernelGradient`.
    """

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int,
        *,
        block_bytes: int | None = None,
        run_length: int = RUN_LENGTH,
    ) -> None:
        super().__init__(windows, channels, filters, groups, block_bytes=block_bytes)
        self._multiplier = filters // channels
        rows, columns = two_axes(windows)
        self._kernel_shape = (rows.kernel, columns.kernel)
        self._kernel_gradient = KernelGradient(rows, columns, run_length=run_length)
        self._forward = self._products(
            forward_phases(rows), forward_phases(columns), 1, self._multiplier
        )
        self._backward = self._products(
            backward_phases(rows), backward_phases(columns), self._multiplier, 1
        )

    @override
    @classmethod
    def supports(cls, windows: Windows) -> bool:
        return windows.ndim <= 2

    def _products(
        self,
        rows: Sequence[OutputPhase],
        columns: Sequence[OutputPhase],
        fan_in: int,
        fan_out: int,
    ) -> list[ToeplitzProduct]:
        return [
            ToeplitzProduct(*phases, self._kernel_shape, fan_in, fan_out)
            for phases in product(rows, columns)
        ]

    @override
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, FeatureMap]:
        shape = (self.filters, *self.out_shape, x.shape[-1])
        z = workspace.array("z", shape, kernel.dtype)
        self._apply(self._forward, self._inputs(x), kernel, self._outputs(z), workspace)
        return z, x

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
        doutputs, batch = self._outputs(dz), dz.shape[-1]
        if dkernel is not None:
            self._write_kernel_gradient(doutputs, cache, dkernel, workspace)
        if not need_dx:
            return None
        shape = (self.channels, *self.windows.in_shape, batch)
        dx = workspace.array("dx", shape, dz.dtype)
        self._apply(self._backward, doutputs, kernel, self._inputs(dx), workspace)
        return dx

    def _write_kernel_gradient(
        self,
        doutputs: np.ndarray,
        x: FeatureMap,
        dkernel: np.ndarray,
        workspace: Workspace,
    ) -> None:
        inputs = self._inputs(x)
        dkernels = dkernel.reshape(self.channels, self._multiplier, *self._kernel_shape)
        values = self._kernel_gradient.copied_values(self._multiplier, x.shape[-1])
        for some in self._channel_slices(values, x.itemsize):
            self._kernel_gradient.write(
                inputs[some, 0], doutputs[some], dkernels[some], workspace
            )

    def _apply(
        self,
        products: Sequence[ToeplitzProduct],
        x: np.ndarray,
        kernel: np.ndarray,
        out: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write all phases of `out`, a few channels at a time."""
        length = self._multiplier * self.windows.size
        kernels = workspace.scratch("kernels", (self.channels, length + 1), x.dtype)
        kernels[:, :length] = kernel.reshape(self.channels, length)
        kernels[:, length] = 0
        values = max(toeplitz.tile_values(x.shape[-1]) for toeplitz in products)
        for some in self._channel_slices(values, x.itemsize):
            for toeplitz in products:
                toeplitz.write(x[some], kernels[some], out[some], workspace)

    def _channel_slices(self, values: int, itemsize: int) -> list[slice]:
        """Cut the channels into slices, given how many numbers each channel takes."""
        step = max(self.block_bytes // max(values * itemsize, 1), 1)
        return [slice(i, i + step) for i in range(0, self.channels, step)]

    def _inputs(self, x: FeatureMap) -> np.ndarray:
        """View a map as (channels, 1, rows, columns, batch)."""
        return x[:, None, None] if self.windows.ndim == 1 else x[:, None]

    def _outputs(self, z: FeatureMap) -> np.ndarray:
        """View outputs as (channels, multiplier, rows, columns, batch)."""
        rows = (1,) if self.windows.ndim == 1 else ()
        return z.reshape(self.channels, self._multiplier, *rows, *z.shape[1:])
