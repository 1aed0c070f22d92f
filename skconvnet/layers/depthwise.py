"""Convolution of each channel on its own, and followed by one across channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import convolution_fans, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.activations import get_activation
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class DepthwiseConv2D(LayerSpec):
    """Convolve each channel of (height, width, channels) with kernels of its own.

    Weights: ``kernel`` of shape (channels * depth_multiplier, 1, *kernel_size) and
    ``bias`` of shape (channels * depth_multiplier,), zero at the start. The outputs of
    a channel stand next to each other. It is `Conv2D` with as many groups as channels.

    Parameters
    ----------
    kernel_size : int or tuple of 2 int
        Cells of the window along each axis, odd or even.
    depth_multiplier : int, default=1
        Kernels, and so output channels, of each input channel.
    strides : int or tuple of 2 int, default=1
        Steps of the window along each axis.
    padding : {"valid", "same", "full"} or int or tuple, default="valid"
        Zeros around the map, as in `Conv2D`.
    dilation : int or tuple of 2 int, default=1
        Distance between the cells of the window.
    activation : str, default=None
        As in `Conv2D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv2D`.

    Examples
    --------
    >>> layer = DepthwiseConv2D(3, depth_multiplier=2, padding="same").build((8, 9, 5))
    >>> layer.out_shape, layer.weight_shapes["kernel"]
    ((8, 9, 10), (10, 1, 3, 3))
    """

    kernel_size: int | tuple[int, int]
    depth_multiplier: int = 1
    strides: int | tuple[int, int] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, int] = 1
    activation: str | None = None
    kernel_initializer: Any = "auto"

    spatial_ndim: ClassVar[int | None] = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        depthwise = _depthwise(self, in_shape)
        return DepthwiseLayer(
            in_shape, depthwise, self.activation, self.kernel_initializer
        )


@dataclass(eq=False, repr=False)
class SeparableConv2D(LayerSpec):
    """Convolve each channel on its own, then mix the channels by a 1x1 convolution.

    For 3x3 kernels from 3 to 256 channels that is 795 weights, where `Conv2D` has 6,912
    [1]_. Nothing comes between the two.

    Weights: ``depthwise`` of shape (channels * depth_multiplier, 1, *kernel_size) and
    ``pointwise`` of shape (filters, channels * depth_multiplier, 1, 1), both
    shrunk by `alpha`; ``bias`` of shape (filters,), zero at the start.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or tuple of 2 int
        Cells of the window along each axis, odd or even.
    strides : int or tuple of 2 int, default=1
        Steps of the window along each axis.
    padding : {"valid", "same", "full"} or int or tuple, default="valid"
        Zeros around the map, as in `Conv2D`.
    dilation : int or tuple of 2 int, default=1
        Distance between the cells of the window.
    depth_multiplier : int, default=1
        Maps that the first step makes of each channel.
    activation : str, default=None
        As in `Conv2D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv2D`.

    References
    ----------
    .. [1] F. Chollet, "Xception: Deep learning with depthwise separable convolutions",
       CVPR 2017.

    Examples
    --------
    >>> layer = SeparableConv2D(256, 3).build((32, 32, 3))
    >>> layer.out_shape
    (30, 30, 256)
    >>> layer.weight_shapes
    {'depthwise': (3, 1, 3, 3), 'pointwise': (256, 3, 1, 1), 'bias': (256,)}
    """

    filters: int
    kernel_size: int | tuple[int, int]
    strides: int | tuple[int, int] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, int] = 1
    depth_multiplier: int = 1
    activation: str | None = None
    kernel_initializer: Any = "auto"

    spatial_ndim: ClassVar[int | None] = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        filters = check_positive_int("filters", self.filters)
        depthwise = _depthwise(self, in_shape)
        return SeparableLayer(
            in_shape, depthwise, filters, self.activation, self.kernel_initializer
        )


def _depthwise(
    spec: DepthwiseConv2D | SeparableConv2D, in_shape: tuple[int, ...]
) -> DepthwiseConvolution:
    check_ndim(type(spec).__name__, in_shape, 2)
    multiplier = check_positive_int("depth_multiplier", spec.depth_multiplier)
    windows: Windows = sliding_windows(
        in_shape[:-1], spec.kernel_size, spec.strides, spec.padding, spec.dilation
    )
    channels = in_shape[-1]
    return DepthwiseConvolution(windows, channels, channels * multiplier, channels)


class DepthwiseLayer(Layer):
    def __init__(
        self,
        in_shape: tuple[int, ...],
        depthwise: DepthwiseConvolution,
        activation: str | None,
        kernel_initializer: Any,
    ) -> None:
        filters, windows = depthwise.filters, depthwise.windows
        super().__init__(in_shape, (*windows.out_shape, filters))
        self.strides = windows.strides
        self.depthwise = depthwise
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        self.weight_shapes = {
            "kernel": (filters, 1, *windows.kernel),
            "bias": (filters,),
        }
        self.flops = 2 * prod(self.out_shape) * windows.size

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shape = self.weight_shapes["kernel"]
        channels = self.in_shape[-1]
        fans = convolution_fans(shape[0], channels, shape[2:], channels)
        kernel = draw_kernel(rng, shape, fans, self.initializer, self.activation.name)
        return {"kernel": kernel, "bias": np.zeros(self.weight_shapes["bias"])}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        kernel = self.weights["kernel"]
        z, cache = self.depthwise.forward(x, kernel, workspace, train=train)
        z.reshape(len(z), -1)[...] += self.weights["bias"][:, None]
        return self.activation.activated(z, workspace), (cache, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        cache, kept = cache
        dz = dy
        if not dy.flags.c_contiguous:
            dz = workspace.scratch("dz", dy.shape, dy.dtype)
        self.activation.backward(kept, dy, dz, workspace)
        channel_sums(dz, gradients["bias"])
        kernels = self.weights["kernel"], gradients["kernel"]
        return self.depthwise.backward(dz, cache, *kernels, workspace, need_dx=need_dx)


class SeparableLayer(Layer):
    penalized = ("depthwise", "pointwise")

    def __init__(
        self,
        in_shape: tuple[int, ...],
        depthwise: DepthwiseConvolution,
        filters: int,
        activation: str | None,
        kernel_initializer: Any,
    ) -> None:
        windows, n_maps = depthwise.windows, depthwise.filters
        super().__init__(in_shape, (*windows.out_shape, filters))
        self.strides = windows.strides
        self.depthwise = depthwise
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        self.weight_shapes = {
            "depthwise": (n_maps, 1, *windows.kernel),
            "pointwise": (filters, n_maps, 1, 1),
            "bias": (filters,),
        }
        self.cached_values = prod(windows.out_shape) * n_maps
        self.flops = 2 * self.cached_values * (windows.size + filters)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        channels = self.in_shape[-1]
        depthwise, pointwise, bias = self.weight_shapes.values()
        fans = convolution_fans(depthwise[0], channels, depthwise[2:], channels)
        drawn, name = self.initializer, self.activation.name
        mixing = pointwise[1], bias[0]
        return {
            "depthwise": draw_kernel(rng, depthwise, fans, drawn),
            "pointwise": draw_kernel(rng, pointwise, mixing, drawn, name),
            "bias": np.zeros(bias),
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        depthwise, pointwise = self.weights["depthwise"], self.weights["pointwise"]
        maps, cache = self.depthwise.forward(x, depthwise, workspace, train=train)
        shape = (len(pointwise), *maps.shape[1:])
        z = workspace.array("mixed", shape, maps.dtype)
        flat = z.reshape(len(z), -1)
        np.matmul(pointwise[:, :, 0, 0], maps.reshape(len(maps), -1), out=flat)
        flat += self.weights["bias"][:, None]
        return self.activation.activated(z, workspace), (cache, maps, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        cache, maps, kept = cache
        dz = dy
        if not dy.flags.c_contiguous:
            dz = workspace.scratch("dz", dy.shape, dy.dtype)
        self.activation.backward(kept, dy, dz, workspace)
        flat = dz.reshape(len(dz), -1)
        flat.sum(axis=1, out=gradients["bias"])
        flat_maps = maps.reshape(len(maps), -1)
        np.matmul(flat, flat_maps.T, out=gradients["pointwise"][:, :, 0, 0])
        # The maps themselves are not needed any more.
        np.matmul(self.weights["pointwise"][:, :, 0, 0].T, flat, out=flat_maps)
        kernels = self.weights["depthwise"], gradients["depthwise"]
        return self.depthwise.backward(
            maps, cache, *kernels, workspace, need_dx=need_dx
        )
