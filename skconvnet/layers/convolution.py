"""Convolution over one, two or three spatial axes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._spec import Spec
from skconvnet.initializers import convolution_fans, glorot_uniform
from skconvnet.layers.base import Layer, check_ndim, check_positive_int, map_shape
from skconvnet.ops.activations import get_activation
from skconvnet.ops.convolution import convolve, convolve_backward, scratch_size
from skconvnet.ops.im2col import Columns, pad
from skconvnet.ops.windows import Windows, sliding_windows


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
    activation : {{"identity", "logistic", "tanh", "relu"}}, default=None
        None is the identity.

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
        self.windows = windows
        self.columns = Columns(windows)
        self.groups = groups
        self.activation = get_activation(activation)
        channels = in_shape[-1]
        kernel_shape = (filters, channels // groups, *windows.kernel)
        self.weight_shapes = {"kernel": kernel_shape, "bias": (filters,)}
        outputs = int(np.prod(windows.out_shape))
        self.work = 2 * outputs * int(np.prod(kernel_shape))

    def initialize(self, rng):
        shape = self.weight_shapes["kernel"]
        fans = convolution_fans(
            shape[0], self.in_shape[-1], self.windows.kernel, self.groups
        )
        kernel = glorot_uniform(rng, shape, *fans, self.activation.name)
        return {"kernel": kernel, "bias": np.zeros(self.weight_shapes["bias"])}

    def forward(self, x, *, train, rng, workspace):
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        batch = x.shape[-1]
        padded = self._padded(x, workspace)
        y = workspace.array("y", (len(bias), *self.columns.shape, batch), kernel.dtype)
        scratch = self._scratch("columns", batch, workspace, kernel.dtype)
        convolve(padded, kernel, self.columns, self.groups, scratch, y)
        # What lies behind the last true output was not written: leave it alone.
        written = y.reshape(len(bias), -1)[:, : self.columns.length * batch]
        written += bias[:, None]
        self.activation.apply(written, written)
        y = self.columns.valid(y)
        return y, (padded, y)

    def backward(self, dy, cache, *, gradients, workspace, need_dx):
        padded, y = cache
        batch = dy.shape[-1]
        dz = dy
        if self.columns.is_wide or not dy.flags.c_contiguous:
            shape = (len(dy), *self.columns.shape, batch)
            whole = workspace.scratch("dz", int(np.prod(shape)), dy.dtype)
            whole = whole[: np.prod(shape)].reshape(shape)
            self.columns.clear_surplus(whole)
            dz = self.columns.valid(whole)
        else:
            whole = dy
        self.activation.backward(y, dy, dz)
        whole.reshape(len(dy), -1).sum(axis=1, out=gradients["bias"])
        dpadded = None
        dscratch = None
        if need_dx:
            dpadded = workspace.array("dpadded", padded.shape, dy.dtype)
            dscratch = self._scratch("dcolumns", batch, workspace, dy.dtype)
        convolve_backward(
            whole,
            padded,
            self.weights["kernel"],
            self.columns,
            self.groups,
            self._scratch("columns", batch, workspace, dy.dtype),
            dscratch,
            gradients["kernel"],
            dpadded,
        )
        if dpadded is None:
            return None
        return dpadded[(slice(None), *self.windows.interior)]

    def _padded(self, x, workspace):
        """The padded map, which is `x` itself where it can be."""
        if not self.windows.is_padded and x.flags.c_contiguous:
            return x
        shape = map_shape((*self.windows.padded_shape, len(x)), x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows, padded)
        return padded

    def _scratch(self, name, batch, workspace, dtype):
        size = scratch_size(
            self.columns, self.in_shape[-1], batch, np.dtype(dtype).itemsize
        )
        return workspace.scratch(name, size, dtype)
