"""Convolution over one, two or three spatial axes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._spec import Spec
from skconvnet.initializers import convolution_fans, glorot_uniform
from skconvnet.layers.base import Layer, check_ndim, check_positive_int
from skconvnet.ops.activations import get_activation
from skconvnet.ops.convolution import Im2colConvolution
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.winograd import WinogradConvolution


@dataclass(eq=False, repr=False)
class _Convolution(Spec):
    filters: int
    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
    activation: str | None = None

    def build(self, in_shape: tuple[int, ...]) -> Layer:
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
        return ConvolutionLayer(in_shape, filters, windows, groups, self.activation)


_DOC = """{title} of maps of shape ({axes}, channels).

    Weights: ``kernel`` of shape (filters, channels // groups, *kernel_size), drawn
    uniformly from +-sqrt(6 / (fan_in + fan_out)), and ``bias`` of shape (filters,),
    zero at the start. "Convolution" is cross-correlation.

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
        "silu", "softplus" or "hard_sigmoid". None is the identity.

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
        filters: int,
        windows: Windows,
        groups: int,
        activation: str | None,
    ) -> None:
        super().__init__(in_shape, (*windows.out_shape, filters))
        channels = in_shape[-1]
        self.windows = windows
        self.groups = groups
        self.method = choose_method(windows, channels, filters, groups)
        self.activation = get_activation(activation)
        kernel_shape = (filters, channels // groups, *windows.kernel)
        self.weight_shapes = {"kernel": kernel_shape, "bias": (filters,)}
        self.work = 2 * prod(windows.out_shape) * prod(kernel_shape)
        self.kept = self.method.kept

    def initialize(self, rng):
        shape = self.weight_shapes["kernel"]
        fans = convolution_fans(
            shape[0], self.in_shape[-1], self.windows.kernel, self.groups
        )
        kernel = glorot_uniform(rng, shape, *fans, self.activation.name)
        return {"kernel": kernel, "bias": np.zeros(self.weight_shapes["bias"])}

    def forward(self, x, *, train, rng, workspace):
        kernel = self.weights["kernel"]
        z, cache = self.method.forward(x, kernel, workspace, train=train)
        written = self.method.written(z)
        written += self.weights["bias"][:, None]
        y, activated = z, written
        if self.activation.needs_input:
            y = workspace.array("activated", z.shape, z.dtype)
            activated = self.method.written(y)
        self.activation.apply(written, activated, workspace)
        return self._valid(y), (cache, self._valid(z))

    def backward(self, dy, cache, *, gradients, workspace, need_dx):
        cache, kept = cache
        if self.method.shape == self.windows.out_shape and dy.flags.c_contiguous:
            dz = dy
        else:
            shape = (len(dy), *self.method.shape, dy.shape[-1])
            dz = workspace.scratch("dz", shape, dy.dtype)
            self._clear_surplus(dz)
        self.activation.backward(kept, dy, self._valid(dz), workspace)
        dz.reshape(len(dz), -1).sum(axis=1, out=gradients["bias"])
        return self.method.backward(
            dz,
            cache,
            self.weights["kernel"],
            gradients["kernel"],
            workspace,
            need_dx=need_dx,
        )

    def _valid(self, z: np.ndarray) -> np.ndarray:
        """View of `z` without the surplus of the method's layout."""
        if self.method.shape == self.windows.out_shape:
            return z
        return z[(slice(None), *(slice(n) for n in self.windows.out_shape))]

    def _clear_surplus(self, dz: np.ndarray) -> None:
        sizes = zip(self.windows.out_shape, self.method.shape, strict=True)
        for axis, (n, whole) in enumerate(sizes, start=1):
            if n < whole:
                dz[(slice(None),) * axis + (slice(n, None),)] = 0


def choose_method(
    windows: Windows, channels: int, filters: int, groups: int
) -> Im2colConvolution | WinogradConvolution:
    """Return the faster method for a layer, from its shapes alone.

    Winograd's transforms cost as much as channels + filters, and save a share of
    channels * filters, so that it wins from about 32 of each.
    """
    suits = (
        windows.kernel == (3, 3)
        and windows.strides == (1, 1)
        and windows.dilation == (1, 1)
        and groups == 1
        and min(windows.out_shape) >= 4
    )
    if suits and channels * filters >= 10 * (channels + filters):
        return WinogradConvolution(windows, channels, filters)
    return Im2colConvolution(windows, channels, filters, groups)
