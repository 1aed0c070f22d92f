"""Transposed convolution of stride 1, as a convolution with the flipped kernel."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.convolution.algorithm import with_surplus, without_surplus
from skconvnet.ops.convolution.selection import Methods
from skconvnet.ops.windows import Windows


class FlippedConvolution:
    """Transposed convolution of stride 1, by the fastest method of convolution.

    Has the methods of `ScatteredConvolution`.

    Parameters
    ----------
    windows : Windows
        From `transposed_windows`, cutting off less than the kernel's extent.
    channels, filters, groups : int
    """

    def __init__(
        self, windows: Windows, channels: int, filters: int, groups: int
    ) -> None:
        self.windows = windows
        self.channels = channels
        self.filters = filters
        self.groups = groups
        pads = []
        for whole, n, (before, after), k, d in zip(
            windows.padded_shape,
            windows.out_shape,
            windows.pads,
            windows.kernel,
            windows.dilation,
            strict=True,
        ):
            reach = d * (k - 1)
            # With output padding, windows start further out than the map goes.
            pads.append((reach - before, whole - n - after))
        self._inner = Windows(
            windows.out_shape,
            windows.in_shape,
            windows.kernel,
            windows.strides,
            windows.dilation,
            tuple(pads),
        )
        self.methods = Methods("auto", self._inner, channels, filters, groups)
        self.cached_values = self.methods.cached_values

    def forward(self, x, kernel, bias, workspace, *, train):
        method = self.methods.for_batch(x.shape[-1])
        per_group = self.channels // self.groups
        shape = (self.filters, per_group, *self.windows.kernel)
        flipped = workspace.array("flipped", shape, x.dtype)
        np.copyto(self._by_group(flipped), self._flip(kernel))
        z, cache = method.forward(x, flipped, workspace, train=train)
        written = method.written(z)
        written += bias[:, None]
        return without_surplus(z, method), (method, flipped, cache)

    def room_for_gradient(self, dy, workspace):
        method = self.methods.for_batch(dy.shape[-1])
        whole = with_surplus(dy, method, workspace)
        return whole, without_surplus(whole, method)

    def backward(self, dz, cache, kernel, dkernel, workspace, *, need_dx):
        method, flipped, cache = cache
        dflipped = workspace.array("dflipped", flipped.shape, dz.dtype)
        dx = method.backward(dz, cache, flipped, dflipped, workspace, need_dx=need_dx)
        self._flip(dkernel)[...] = self._by_group(dflipped)
        return dx

    def _flip(self, kernel: np.ndarray) -> np.ndarray:
        """View of a kernel as (groups, filters, channels, *flipped) of a group."""
        shape = (self.groups, -1, *kernel.shape[1:])
        axes = tuple(range(3, 3 + self.windows.ndim))
        return np.flip(kernel.reshape(shape).swapaxes(1, 2), axes)

    def _by_group(self, flipped: np.ndarray) -> np.ndarray:
        return flipped.reshape(self.groups, -1, *flipped.shape[1:])
