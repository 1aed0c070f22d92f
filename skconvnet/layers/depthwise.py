"""Depthwise convolution, alone and followed by a convolution across channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.initializers import Initializer
from skconvnet.layers.base import Layer
from skconvnet.layers.conv_base import (
    ConvolutionBase,
    ConvolutionSpec,
    Kernel,
    check_spatial_ndim,
    documented,
)
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.selection import AnyAlgorithm
from skconvnet.ops.padding import fill_around
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class DepthwiseConv2D(TrainableSpec):
    """Convolve each channel of (height, width, channels) with its own kernels.

    This is `Conv2D` with as many groups as channels.

    Weights: ``kernel`` of shape (channels * depth_multiplier, 1, *kernel_size) and
    ``bias`` of shape (channels * depth_multiplier,), zero at the start. The outputs of
    one input channel are consecutive.

    Parameters
    ----------
    kernel_size : int or tuple of 2 int
        Number of taps of the kernel along each axis, odd or even.
    depth_multiplier : int, default=1
        Number of kernels, and thus of output channels, per input channel.
    strides : int or tuple of 2 int, default=1
        Positions from one window to the next along each axis.
    padding : {"valid", "same", "full"} or int or tuple, default="valid"
        Zeros around the map, as in `Conv2D`.
    dilation : int or tuple of 2 int, default=1
        Distance between neighboring taps along each axis.
    activation : str, default=None
        As in `Conv2D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv2D`.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    Examples
    --------
    >>> from skconvnet.layers import DepthwiseConv2D
    >>> layer = DepthwiseConv2D(3, depth_multiplier=2, padding="same").build((8, 9, 5))
    >>> layer.out_shape, layer.weight_shapes["kernel"]
    ((8, 9, 10), (10, 1, 3, 3))
    """

    kernel_size: int | tuple[int, int]
    depth_multiplier: int = 1
    strides: int | tuple[int, int] = 1
    padding: str | int | Sequence[int | Sequence[int]] = "valid"
    dilation: int | tuple[int, int] = 1
    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    spatial_ndim: ClassVar[int | None] = 2

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        algorithm = _depthwise_algorithm(self, in_shape)
        return DepthwiseLayer(
            in_shape, algorithm, self.activation, self.kernel_initializer
        )


class DepthwiseCache(NamedTuple):
    """What `DepthwiseLayer` keeps for the backward pass.

    `activated` has the activations, or the sums if the derivative of the activation
    needs them.
    """

    x: FeatureMap
    activated: FeatureMap


class DepthwiseLayer(ConvolutionBase[DepthwiseCache]):
    """Runtime layer of `DepthwiseConv2D`."""

    def __init__(
        self,
        in_shape: Shape,
        algorithm: AnyAlgorithm,
        activation: object,
        kernel_initializer: object,
    ) -> None:
        windows, filters = algorithm.windows, algorithm.filters
        super().__init__(
            in_shape,
            (*windows.out_shape, filters),
            {"kernel": _depthwise_kernel(algorithm)},
            activation,
            kernel_initializer,
        )
        self.algorithm = algorithm
        self.strides = windows.strides
        self.flops = 2 * prod(self.out_shape) * windows.size

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, DepthwiseCache]:
        kernel = self.weights["kernel"]
        z, cache = self.algorithm.forward(x, kernel, workspace, train=train)
        return self.add_bias_and_activate(z, workspace), DepthwiseCache(cache, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: DepthwiseCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dz = self.algorithm.gradient_buffer(dy, workspace)
        self.backward_of_activation(cache.activated, dy, dz, workspace)
        if not self.is_frozen:
            channel_sums(dz, gradients["bias"])
        return self.algorithm.backward(
            dz,
            cache.x,
            self.weights["kernel"],
            gradients.get("kernel"),
            workspace,
            need_dx=need_dx,
        )


@dataclass(eq=False, repr=False)
class _SeparableConvolution(ConvolutionSpec):
    depth_multiplier: int = 1
    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        algorithm = _depthwise_algorithm(self, in_shape)
        filters, _ = self._checked_filters(in_shape)
        return SeparableLayer(
            in_shape, algorithm, filters, self.activation, self.kernel_initializer
        )


_SEPARABLE_DOC = """
    {compared} There is no bias or activation between the two steps.

    Weights: ``depthwise`` of shape (channels * depth_multiplier, 1, *kernel_size) and
    ``pointwise`` of shape (filters, channels * depth_multiplier, {ones}), which `alpha`
    shrinks; ``bias`` of shape (filters,), zero at the start.

    Parameters
    ----------
    {filters_doc}
    {kernel_size_doc}
    {strides_doc}
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros around the map, as in `Conv{ndim}D`.
    {dilation_doc}
    depth_multiplier : int, default=1
        Number of channels that the first step computes from each input channel.
    activation : str, default=None
        As in `Conv{ndim}D`. None is the identity.
    {kernel_initializer_doc}
    {trainable_doc}

    References
    ----------
    .. [1] F. Chollet, "Xception: Deep learning with depthwise separable convolutions",
       CVPR 2017.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> layer = {name}(256, 3).build({shape})
    >>> layer.out_shape
    {result}
    >>> layer.weight_shapes
    {weights}
    """


@documented(
    _SEPARABLE_DOC,
    compared="With 3 taps, from 64 to 256 channels, its kernels have 16,576 weights,\n"
    "    compared with 49,152 for `Conv1D` [1]_.",
    ones="1",
    shape="(100, 3)",
    result="(98, 256)",
    weights="{'depthwise': (3, 1, 3), 'pointwise': (256, 3, 1), 'bias': (256,)}",
)
class SeparableConv1D(_SeparableConvolution):
    """Convolve each channel of a sequence separately, then mix the channels."""

    spatial_ndim: ClassVar[int | None] = 1


@documented(
    _SEPARABLE_DOC,
    compared="With 3x3 kernels, from 3 to 256 channels, its kernels have 795 weights,\n"
    "    compared with 6,912 for `Conv2D` [1]_.",
    ones="1, 1",
    shape="(32, 32, 3)",
    result="(30, 30, 256)",
    weights="{'depthwise': (3, 1, 3, 3), 'pointwise': (256, 3, 1, 1), 'bias': (256,)}",
)
class SeparableConv2D(_SeparableConvolution):
    """Convolve each channel separately, then mix channels by a 1x1 convolution."""

    spatial_ndim: ClassVar[int | None] = 2


@documented(
    _SEPARABLE_DOC,
    compared="With 3x3x3 kernels, from 3 to 256 channels, its kernels have 849\n"
    "    weights, compared with 20,736 for `Conv3D` [1]_.",
    ones="1, 1, 1",
    shape="(8, 8, 8, 3)",
    result="(6, 6, 6, 256)",
    weights="{'depthwise': (3, 1, 3, 3, 3), 'pointwise': (256, 3, 1, 1, 1), 'bias':\n"
    "    (256,)}",
)
class SeparableConv3D(_SeparableConvolution):
    """Convolve each channel of a volume separately, then mix the channels."""

    spatial_ndim: ClassVar[int | None] = 3


class SeparableCache(NamedTuple):
    """What `SeparableLayer` keeps for the backward pass.

    `maps` are the outputs of the first step, which the backward pass overwrites.
    `activated` has the activations, or the sums if the derivative of the activation
    needs them.
    """

    x: FeatureMap
    maps: FeatureMap
    activated: FeatureMap


class SeparableLayer(ConvolutionBase[SeparableCache]):
    """Runtime layer of the separable convolutions."""

    def __init__(
        self,
        in_shape: Shape,
        algorithm: AnyAlgorithm,
        filters: int,
        activation: object,
        kernel_initializer: object,
    ) -> None:
        windows, n_maps = algorithm.windows, algorithm.filters
        super().__init__(
            in_shape,
            (*windows.out_shape, filters),
            {
                "depthwise": _depthwise_kernel(algorithm),
                "pointwise": Kernel(
                    (filters, n_maps, *(1,) * windows.ndim), (n_maps, filters)
                ),
            },
            activation,
            kernel_initializer,
        )
        self.algorithm = algorithm
        self.strides = windows.strides
        self.cached_values = prod(windows.out_shape) * n_maps
        self.flops = 2 * self.cached_values * (windows.size + filters)
        self.takes_lengths = windows.ndim == 1 and windows.has_fixed_pads

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return (
            None if lengths is None else self.algorithm.windows.lengths_after(lengths)
        )

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, SeparableCache]:
        depthwise, pointwise = self.weights["depthwise"], self.weights["pointwise"]
        maps, cache = self.algorithm.forward(x, depthwise, workspace, train=train)
        z = workspace.array("mixed", (len(pointwise), *maps.shape[1:]), maps.dtype)
        np.matmul(_flat(pointwise), _flat(maps), out=_flat(z))
        y = self.add_bias_and_activate(z, workspace, self.algorithm)
        activated = self.algorithm.crop_row_padding(z)
        return y, SeparableCache(cache, maps, activated)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: SeparableCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dz = self.algorithm.gradient_buffer(dy, workspace)
        inside = self.algorithm.crop_row_padding(dz)
        self.backward_of_activation(cache.activated, dy, inside, workspace)
        flat, flat_maps = _flat(dz), _flat(cache.maps)
        if not self.is_frozen:
            # The gradient is zero in the row padding, but zero times NaN is not.
            fill_around(cache.maps, [slice(0, n) for n in self.algorithm.out_shape])
            channel_sums(dz, gradients["bias"])
            np.matmul(flat, flat_maps.T, out=_flat(gradients["pointwise"]))
        # The maps are no longer needed: their gradient overwrites them.
        dmaps = cache.maps
        np.matmul(_flat(self.weights["pointwise"]).T, flat, out=flat_maps)
        return self.algorithm.backward(
            dmaps,
            cache.x,
            self.weights["depthwise"],
            gradients.get("depthwise"),
            workspace,
            need_dx=need_dx,
        )


def _depthwise_algorithm(
    spec: DepthwiseConv2D | _SeparableConvolution, in_shape: Shape
) -> AnyAlgorithm:
    """Return the depthwise convolution of `spec`."""
    check_spatial_ndim(spec, in_shape)
    multiplier = check_positive_int("depth_multiplier", spec.depth_multiplier)
    windows = sliding_windows(
        in_shape[:-1], spec.kernel_size, spec.strides, spec.padding, spec.dilation
    )
    channels = in_shape[-1]
    supported = DepthwiseConvolution.supports(windows)
    algorithm = DepthwiseConvolution if supported else Im2colConvolution
    return algorithm(windows, channels, channels * multiplier, channels)


def _depthwise_kernel(algorithm: AnyAlgorithm) -> Kernel:
    return Kernel.of_windows(
        algorithm.windows, algorithm.channels, algorithm.filters, algorithm.groups
    )


def _flat(x: np.ndarray) -> np.ndarray:
    """View a map as (channels, positions x batch), or a kernel as (filters, -1)."""
    return x.reshape(len(x), -1)
