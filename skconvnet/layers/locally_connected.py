"""Convolution whose kernel is another one at every place of the map."""

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
from skconvnet.ops.convolution.locally_connected import LocalConvolution
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _LocallyConnected(LayerSpec):
    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    activation: str | None = None
    kernel_initializer: Any = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        assert self.spatial_ndim is not None
        check_ndim(type(self).__name__, in_shape, self.spatial_ndim)
        filters = check_positive_int("filters", self.filters)
        windows = sliding_windows(
            in_shape[:-1], self.kernel_size, self.strides, self.padding, self.dilation
        )
        convolution = LocalConvolution(windows, in_shape[-1], filters)
        return LocallyConnectedLayer(
            in_shape, convolution, self.activation, self.kernel_initializer
        )


_DOC = """Convolution of maps of shape ({axes}, channels) that shares no weights.

    Every place of the output has kernels of its own, for images whose parts lie at
    known places, such as aligned faces [1]_.

    Weights: ``kernel`` of shape (*out_spatial, filters, channels, *kernel_size) and
    ``bias`` of shape (*out_spatial, filters), zero at the start.

    Parameters
    ----------
    filters : int
        Number of output channels.
    kernel_size : int or tuple of {ndim} int
        Cells of the window along each axis, odd or even.
    strides : int or tuple of {ndim} int, default=1
        Steps of the window along each axis.
    padding : {{"valid", "same", "full"}} or int or tuple, default="valid"
        Zeros around the map, as in `Conv{ndim}D`.
    dilation : int or tuple of {ndim} int, default=1
        Distance between the cells of the window.
    activation : str, default=None
        As in `Conv{ndim}D`. None is the identity.
    kernel_initializer : str or Initializer, default="auto"
        As in `Conv{ndim}D`, for the kernels of each place.

    References
    ----------
    .. [1] Y. Taigman, M. Yang, M. Ranzato and L. Wolf, "DeepFace: Closing the gap to
       human-level performance in face verification", CVPR 2014.

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> layer = {name}(4, 3).build({shape})
    >>> layer.out_shape, layer.weight_shapes["kernel"]
    {result}
    """


class LocallyConnected1D(_LocallyConnected):
    __doc__ = _DOC.format(
        name="LocallyConnected1D",
        axes="length",
        ndim=1,
        shape="(20, 2)",
        result="((18, 4), (18, 4, 2, 3))",
    )
    spatial_ndim: ClassVar[int | None] = 1


class LocallyConnected2D(_LocallyConnected):
    __doc__ = _DOC.format(
        name="LocallyConnected2D",
        axes="height, width",
        ndim=2,
        shape="(8, 9, 2)",
        result="((6, 7, 4), (6, 7, 4, 2, 3, 3))",
    )
    spatial_ndim: ClassVar[int | None] = 2


class LocallyConnectedLayer(Layer):
    def __init__(
        self,
        in_shape: tuple[int, ...],
        convolution: LocalConvolution,
        activation: str | None,
        kernel_initializer: Any,
    ) -> None:
        windows, filters = convolution.windows, convolution.filters
        super().__init__(in_shape, (*windows.out_shape, filters))
        self.strides = windows.strides
        self.convolution = convolution
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        kernel_shape = (*self.out_shape, in_shape[-1], *windows.kernel)
        self.weight_shapes = {"kernel": kernel_shape, "bias": self.out_shape}
        self.flops = 2 * prod(kernel_shape)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shape, windows = self.weight_shapes["kernel"], self.convolution.windows
        fans = convolution_fans(self.out_shape[-1], self.in_shape[-1], windows.kernel)
        own, name = shape[windows.ndim :], self.activation.name
        kernels = [
            draw_kernel(rng, own, fans, self.initializer, name)
            for _ in range(prod(windows.out_shape))
        ]
        kernel = np.reshape(kernels, shape)
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
        bias = np.moveaxis(self.weights["bias"], -1, 0)[..., None]
        z = workspace.array("z", (*bias.shape[:-1], x.shape[-1]), x.dtype)
        cache = self.convolution.forward(x, self.weights["kernel"], z, workspace)
        z += bias
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
        self.activation.backward(kept, dy, dy, workspace)
        dy.sum(axis=-1, out=np.moveaxis(gradients["bias"], -1, 0))
        kernels = self.weights["kernel"], gradients["kernel"]
        return self.convolution.backward(
            dy, cache, *kernels, workspace, need_dx=need_dx
        )
