"""Convolution over one, two or three spatial axes."""

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
from skconvnet.ops.convolution.algorithm import with_surplus, without_surplus
from skconvnet.ops.convolution.selection import Method, Methods
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _Convolution(LayerSpec):
    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    activation: str | None = None
    conv_method: str = "auto"
    kernel_initializer: Any = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        name = type(self).__name__
        assert self.spatial_ndim is not None
        check_ndim(name, in_shape, self.spatial_ndim)
        filters = check_positive_int("filters", self.filters)
        groups = check_positive_int("groups", self.groups)
        if in_shape[-1] % groups or filters % groups:
            raise ValueError(
                f"groups must divide both the {in_shape[-1]} channels of the input and "
                f"filters={filters}; got {groups}."
            )
        windows = sliding_windows(
            in_shape[:-1], self.kernel_size, self.strides, self.padding, self.dilation
        )
        methods = Methods(self.conv_method, windows, in_shape[-1], filters, groups)
        return ConvolutionLayer(
            in_shape, methods, self.activation, self.kernel_initializer
        )


_DOC = """{title} of maps of shape ({axes}, channels).

    Weights: ``kernel`` of shape (filters, channels // groups, *kernel_size) and
    ``bias`` of shape (filters,), zero at the start. "Convolution" is
    cross-correlation.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or tuple of {ndim} int
        Cells of the window along each axis, odd or even.
    strides : int or tuple of {ndim} int, default=1
        Steps of the window along each axis.
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros added around the map: none; as many as give ceil(n / stride) outputs,
        an odd total putting the extra one after; kernel - 1 on each side; or explicit
        numbers, one an axis or a (before, after) pair an axis.
    dilation : int or tuple of {ndim} int, default=1
        Distance between the cells of the window.
    groups : int, default=1
        Input and output channels are cut into so many groups that are convolved
        apart; it divides both.
    activation : str, default=None
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
        "silu", "softplus", "hard_sigmoid" or "step" (1 where x >= 0, else 0; only for
        weights that are set by hand). None is the identity.
    conv_method : {{"auto", "im2col", "winograd", "fft"}}, default="auto"
        How the same sums are computed: by one matrix product for each block of
        windows; by Winograd's minimal filtering, for strides and dilation of 1 and
        kernels of at most 5 cells an axis (3 in three dimensions), with errors in
        float32 below 1e-5 of the largest output; or by the fast Fourier transform,
        for large kernels. "auto" takes what a cost model finds fastest for the shapes,
        and for groups of one channel in one or two dimensions products with banded
        matrices.
    kernel_initializer : str or Initializer, default="auto"
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", "orthogonal", "normal", "zeros", "ones", or an object of
        `skconvnet.initializers`. "auto" fits the activation: "he_uniform" for "relu",
        "leaky_relu", "elu", "gelu" and "silu", "lecun_normal" for "selu", else
        "glorot_uniform", from a range narrower by sqrt(3) for the logistic function.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> {name}(8, 3, padding="same").build({shape}).out_shape
    {result}
    """


class Conv1D(_Convolution):
    __doc__ = _DOC.format(
        name="Conv1D",
        title="Convolution",
        axes="length",
        ndim=1,
        shape="(20, 4)",
        result="(20, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 1


class Conv2D(_Convolution):
    __doc__ = _DOC.format(
        name="Conv2D",
        title="Convolution",
        axes="height, width",
        ndim=2,
        shape="(28, 28, 1)",
        result="(28, 28, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 2


class Conv3D(_Convolution):
    __doc__ = _DOC.format(
        name="Conv3D",
        title="Convolution",
        axes="depth, height, width",
        ndim=3,
        shape="(8, 9, 10, 1)",
        result="(8, 9, 10, 8)",
    )
    spatial_ndim: ClassVar[int | None] = 3


class ConvolutionLayer(Layer):
    def __init__(
        self,
        in_shape: tuple[int, ...],
        methods: Methods,
        activation: str | None,
        kernel_initializer: Any = "auto",
    ) -> None:
        windows, filters = methods.windows, methods.filters
        super().__init__(in_shape, (*windows.out_shape, filters))
        self.windows = windows
        self.strides = windows.strides
        self.groups = methods.groups
        self.methods = methods
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        kernel_shape = (filters, in_shape[-1] // self.groups, *windows.kernel)
        self.weight_shapes = {"kernel": kernel_shape, "bias": (filters,)}
        self.flops = 2 * prod(windows.out_shape) * prod(kernel_shape)
        self.cached_values = methods.cached_values

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shape = self.weight_shapes["kernel"]
        fans = convolution_fans(
            shape[0], self.in_shape[-1], self.windows.kernel, self.groups
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
        method, z, cache = self._convolve(x, train, workspace)
        written = method.written(z)
        y, activated = z, written
        if self.activation.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
            activated = method.written(y)

        def activate(some: slice, workspace: Workspace) -> None:
            sums = written[some]
            sums += self.weights["bias"][some, None]
            self.activation.apply(sums, activated[some], workspace)

        workspace.share_out_channels(z, activate)
        return without_surplus(y, method), (method, cache, without_surplus(z, method))

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
        dz = with_surplus(dy, method, workspace)
        inside = without_surplus(dz, method)

        def differentiate(some: slice, workspace: Workspace) -> None:
            self.activation.backward(kept[some], dy[some], inside[some], workspace)

        workspace.share_out_channels(dz, differentiate)
        channel_sums(dz, gradients["bias"])
        kernels = self.weights["kernel"], gradients["kernel"]
        return method.backward(dz, cache, *kernels, workspace, need_dx=need_dx)

    def convolve(
        self,
        x: np.ndarray,
        *,
        train: bool,
        workspace: Workspace,
        method: Method | None = None,
    ) -> tuple[np.ndarray, Any]:
        """Return the sums without the bias, and what their backward pass needs.

        `method` is one that takes the maximum over windows too, or that of the layer.
        """
        method, z, cache = self._convolve(x, train, workspace, method)
        return without_surplus(z, method), (method, cache)

    def backward_of_convolve(
        self,
        dsums: np.ndarray,
        cache: Any,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> np.ndarray | None:
        """Write the kernel's gradient, given that of the sums; return the input's."""
        method, cache = cache
        dz = with_surplus(dsums, method, workspace)
        if dz is not dsums:
            np.copyto(without_surplus(dz, method), dsums)
        kernels = self.weights["kernel"], gradients["kernel"]
        return method.backward(dz, cache, *kernels, workspace, need_dx=need_dx)

    def _convolve(
        self,
        x: np.ndarray,
        train: bool,
        workspace: Workspace,
        method: Method | None = None,
    ) -> tuple[Method, np.ndarray, Any]:
        if method is None:
            method = self.methods.for_batch(x.shape[-1])
        kernel = self.weights["kernel"]
        return method, *method.forward(x, kernel, workspace, train=train)
