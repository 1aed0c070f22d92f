"""Transposed convolution of stride 1, as a convolution with the flipped kernel.

With stride 1, output i of a transposed convolution is the sum of ``x[i - t] * w[t]``
over the taps t. With the taps in reverse order, this is a convolution of the map, with
padding of (kernel - 1) on each side::

    x, padded:   .   .   x0  x1  x2  .   .

    z0           w2  w1  w0                      = x0 w0
    z1               w2  w1  w0                  = x0 w1 + x1 w0
    z2                   w2  w1  w0              = x0 w2 + x1 w1 + x2 w0
    z3                       w2  w1  w0          =         x1 w2 + x2 w1
    z4                           w2  w1  w0      =                 x2 w2
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.ops.convolution.selection import AlgorithmSelector, AnyAlgorithm
from skconvnet.ops.convolution.transposed_algorithm import TransposedAlgorithm
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class FlippedCache(NamedTuple):
    """What `TransposedFlippedKernel` keeps of a forward pass.

    Attributes
    ----------
    flipped : ndarray of shape (filters, channels // groups, *kernel_size)
        The kernel of the convolution.
    inner : object
        The cache of the algorithm that computes it.
    """

    flipped: np.ndarray
    inner: object


class TransposedFlippedKernel(TransposedAlgorithm[FlippedCache]):
    """Transposed convolution of stride 1, by the fastest convolution algorithm.

    Parameters
    ----------
    windows : Windows
        The result of `transposed_windows`, for which `supports` is True.
    channels, filters, groups : int
    block_bytes : int, optional
        Passed on to the algorithms.
    """

    def __init__(
        self,
        windows: Windows,
        channels: int,
        filters: int,
        groups: int,
        *,
        block_bytes: int | None = None,
    ) -> None:
        super().__init__(windows, channels, filters, groups)
        self._selector = AlgorithmSelector(
            "auto",
            _flipped_windows(windows),
            channels,
            filters,
            groups,
            block_bytes=block_bytes,
        )
        self.cached_values = self._selector.cached_values

    @classmethod
    def supports(cls, windows: Windows) -> bool:
        """Return whether the convolution has strides of 1 and no negative padding."""
        if max(windows.strides) > 1:
            return False
        return all(min(pads) >= 0 for pads in _flipped_windows(windows).pads)

    def for_batch(self, batch: int) -> AnyAlgorithm:
        """Return the algorithm that convolves maps of `batch` samples."""
        return self._selector.for_batch(batch)

    @override
    def forward(
        self,
        x: FeatureMap,
        kernel: np.ndarray,
        bias: np.ndarray,
        workspace: Workspace,
        *,
        train: bool,
    ) -> tuple[FeatureMap, FlippedCache]:
        algorithm = self.for_batch(x.shape[-1])
        per_group = self.channels // self.groups
        shape = (self.filters, per_group, *self.windows.kernel)
        flipped = workspace.array("flipped", shape, x.dtype)
        np.copyto(self._by_group(flipped), self._flip(kernel))
        z, inner = algorithm.forward(x, flipped, workspace, train=train)
        outputs = algorithm.flat_outputs(z)
        outputs += bias[:, None]
        return algorithm.crop_row_padding(z), FlippedCache(flipped, inner)

    @override
    def backward(
        self,
        dz: FeatureMap,
        cache: FlippedCache,
        kernel: np.ndarray,
        dkernel: np.ndarray | None,
        workspace: Workspace,
        *,
        need_dx: bool,
    ) -> FeatureMap | None:
        algorithm, flipped = self.for_batch(dz.shape[-1]), cache.flipped
        dflipped = None
        if dkernel is not None:
            dflipped = workspace.array("dflipped", flipped.shape, dz.dtype)
        dx = algorithm.backward(
            dz, cache.inner, flipped, dflipped, workspace, need_dx=need_dx
        )
        if dkernel is not None and dflipped is not None:
            self._flip(dkernel)[...] = self._by_group(dflipped)
        return dx

    @override
    def gradient_buffer(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        return self.for_batch(dy.shape[-1]).gradient_buffer(dy, workspace)

    @override
    def crop_to_outputs(self, dz: FeatureMap) -> FeatureMap:
        return self.for_batch(dz.shape[-1]).crop_row_padding(dz)

    def _flip(self, kernel: np.ndarray) -> np.ndarray:
        """View a kernel as (groups, filters, channels, *kernel_size), taps reversed.

        Filters and channels are counted per group.
        """
        shape = (self.groups, -1, *kernel.shape[1:])
        axes = tuple(range(3, 3 + self.windows.ndim))
        return np.flip(kernel.reshape(shape).swapaxes(1, 2), axes)

    def _by_group(self, flipped: np.ndarray) -> np.ndarray:
        """View a flipped kernel as (groups, filters, channels, *kernel_size).

        Filters and channels are counted per group.
        """
        return flipped.reshape(self.groups, -1, *flipped.shape[1:])


def _flipped_windows(windows: Windows) -> Windows:
    """Return the windows of the convolution with the flipped kernel.

    The padding before each axis is the extent of the kernel minus one, minus the
    positions that are cut off the output. The padding after it is as long as the output
    requires: with output padding, the last windows start after the end of the map.
    """
    pads = []
    for whole, n, (before, after), k, d in zip(
        windows.padded_shape,
        windows.out_shape,
        windows.pads,
        windows.kernel,
        windows.dilation,
        strict=True,
    ):
        pads.append((d * (k - 1) - before, whole - n - after))
    return Windows(
        windows.out_shape,
        windows.in_shape,
        windows.kernel,
        windows.strides,
        windows.dilation,
        tuple(pads),
    )
