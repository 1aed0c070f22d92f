"""Transposed convolution over one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import convolution_fans, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.activations import get_activation
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.transposed import TransposedMethods, transposed_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _ConvolutionTranspose(LayerSpec):
    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    activation: str | None = None
    output_padding: int | tuple[int, ...] = 0
    kernel_initializer: Any = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        assert self.spatial_ndim is not None
        check_ndim(type(self).__name__, in_shape, self.spatial_ndim)
        filters = check_positive_int("filters", self.filters)
        groups = check_positive_int("groups", self.groups)
        if in_shape[-1] % groups or filters % groups:
            raise ValueError(
                f"groups must divide both the {in_shape[-1]} channels of the input and "
                f"filters={filters}; got {groups}."
            )
        windows = transposed_windows(
            in_shape[:-1],
            self.kernel_size,
            self.strides,
            self.padding,
            self.dilation,
            self.output_padding,
        )
        methods = TransposedMethods(windows, in_shape[-1], filters, groups)
        return ConvolutionTransposeLayer(
            in_shape,
            methods,
            filters,
            groups,
            self.activation,
            self.kernel_initializer,
        )


_DOC = """Transposed convolution of maps of shape ({axes}, channels).

    Each cell of the input puts the kernel, times its value, on the output; cells that
    follow each other put it `strides` apart. It is the gradient of a convolution with
    regard to its input [1]_, and makes maps larger where that makes them smaller. An
    axis of n cells becomes one of (n - 1) * stride + dilation * (kernel_size - 1) + 1
    cells, less those that `padding` cuts off, and more by `output_padding`. Where the
    stride does not divide the kernel, kernels overlap unevenly and leave a checkerboard
    [2]_; `Upsample` and a convolution do not.

    Weights: ``kernel`` of shape (channels, filters // groups, *kernel_size) and
    ``bias`` of shape (filters,), zero at the start.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or tuple of {ndim} int
        Cells of the kernel along each axis, odd or even.
    strides : int or tuple of {ndim} int, default=1
        Cells of the output from one kernel to the next.
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Cells cut off around the output: none; as many as leave n * stride, an odd
        total taking the extra one after (where the kernel is shorter than the stride,
        cells that hold the bias alone are added after instead); kernel_size - 1,
        dilated, on each side; or explicit numbers, one an axis or a (before, after)
        pair an axis.
    dilation : int or tuple of {ndim} int, default=1
        Distance between the cells of the kernel.
    groups : int, default=1
        Input and output channels are cut into so many groups that are convolved
        apart; it divides both.
    activation : str, default=None
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
        "silu", "softplus" or "hard_sigmoid". None is the identity.
    output_padding : int or tuple of {ndim} int, default=0
        Cells by which the output is longer at the end of each axis, fewer than its
        stride or its dilation: strided convolutions of several sizes of maps give the
        same size, and this tells which of them to go back to.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv{ndim}D`.

    References
    ----------
    .. [1] V. Dumoulin and F. Visin, "A guide to convolution arithmetic for deep
       learning", 2016.
    .. [2] A. Odena, V. Dumoulin and C. Olah, "Deconvolution and checkerboard
       artifacts", Distill, 2016.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> {name}(8, 4, strides=3).build({shape}).out_shape
    {valid}
    >>> {name}(8, 4, strides=2, padding="same").build({shape}).out_shape
    {same}
    """


class Conv1DTranspose(_ConvolutionTranspose):
    __doc__ = _DOC.format(
        name="Conv1DTranspose",
        axes="length",
        ndim=1,
        shape="(2, 5)",
        valid="(7, 8)",
        same="(4, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 1


class Conv2DTranspose(_ConvolutionTranspose):
    __doc__ = _DOC.format(
        name="Conv2DTranspose",
        axes="height, width",
        ndim=2,
        shape="(2, 2, 5)",
        valid="(7, 7, 8)",
        same="(4, 4, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 2


class Conv3DTranspose(_ConvolutionTranspose):
    __doc__ = _DOC.format(
        name="Conv3DTranspose",
        axes="depth, height, width",
        ndim=3,
        shape="(2, 2, 3, 5)",
        valid="(7, 7, 10, 8)",
        same="(4, 4, 6, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 3


class ConvolutionTransposeLayer(Layer):
    def __init__(
        self,
        in_shape: tuple[int, ...],
        methods: TransposedMethods,
        filters: int,
        groups: int,
        activation: str | None,
        kernel_initializer: Any,
    ) -> None:
        windows = methods.windows
        super().__init__(in_shape, (*windows.in_shape, filters))
        self.windows = windows
        self.strides = tuple(Fraction(1, s) for s in windows.strides)
        self.groups = groups
        self.methods = methods
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        kernel_shape = (in_shape[-1], filters // groups, *windows.kernel)
        self.weight_shapes = {"kernel": kernel_shape, "bias": (filters,)}
        self.flops = 2 * prod(windows.out_shape) * prod(kernel_shape)
        self.cached_values = methods.cached_values

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shape = self.weight_shapes["kernel"]
        fans = convolution_fans(
            self.out_shape[-1], self.in_shape[-1], self.windows.kernel, self.groups
        )
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
        method = self.methods.for_batch(x.shape[-1])
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        z, cache = method.forward(x, kernel, bias, workspace, train=train)
        return self.activation.activated(z, workspace), (method, cache, z)

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
        method, cache, kept = cache
        dz, inside = method.room_for_gradient(dy, workspace)
        self.activation.backward(kept, dy, inside, workspace)
        channel_sums(dz, gradients["bias"])
        kernels = self.weights["kernel"], gradients["kernel"]
        return method.backward(dz, cache, *kernels, workspace, need_dx=need_dx)
