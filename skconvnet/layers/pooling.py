"""Max and average pooling over one, two or three spatial axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops import pooling
from skconvnet.ops.layout import map_shape, pad
from skconvnet.ops.pooling import Cells
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _Pooling(LayerSpec):
    runtime: ClassVar[type[PoolingLayer]]

    pool_size: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: Any = "valid"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        assert self.spatial_ndim is not None
        check_ndim(type(self).__name__, in_shape, self.spatial_ndim)
        windows = sliding_windows(
            in_shape[:-1],
            self.pool_size,
            self.pool_size if self.strides is None else self.strides,
            self.padding,
            kernel_name="pool_size",
            allow_outside=False,
        )
        return self.runtime(in_shape, windows)


class PoolingLayer(Layer):
    """What max and average pooling share: padding on the way in and out."""

    padding_value: ClassVar[float]

    def __init__(self, in_shape: tuple[int, ...], windows: Windows) -> None:
        super().__init__(in_shape, (*windows.out_shape, in_shape[-1]))
        self.windows = windows
        self.strides = windows.strides
        self.flops = prod(self.out_shape) * windows.size

    def _padded(self, x, workspace):
        if not self.windows.is_padded:
            return x
        shape = map_shape((*self.windows.padded_shape, len(x)), x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows, padded, self.padding_value)
        return padded

    def _zeros(self, batch, workspace, dtype):
        shape = map_shape((*self.windows.padded_shape, self.in_shape[-1]), batch)
        dpadded = workspace.array("dpadded", shape, dtype)
        if not self.windows.is_tiling:
            dpadded.fill(0)
        return dpadded


class MaxPoolLayer(PoolingLayer):
    padding_value = -np.inf
    is_max_pool = True

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        padded = self._padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        wins = self._wins(y.shape, workspace) if train else None
        pooling.max_pool(Cells(padded, self.windows, workspace).read(), y, wins)
        return y, (padded, wins)

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
        if not need_dx:
            return None
        padded, wins = cache
        if wins is None:
            wins = self._wins(dy.shape, workspace)
            y = workspace.scratch("share", dy.shape, dy.dtype)
            pooling.max_pool(Cells(padded, self.windows, workspace).read(), y, wins)
        dpadded = self._zeros(dy.shape[-1], workspace, dy.dtype)
        if self.windows.are_apart:
            dcells = Cells(dpadded, self.windows, workspace)
            pooling.max_pool_backward(dy, wins, dcells.arrays)
            dcells.write()
        else:
            share = workspace.scratch("share", dy.shape, dy.dtype)
            dcells = pooling.cells(dpadded, self.windows)
            pooling.max_pool_backward(dy, wins, dcells, share)
        return dpadded[(slice(None), *self.windows.interior)]

    def _wins(self, shape, workspace):
        return workspace.array("wins", (self.windows.size - 1, *shape), np.bool_)


class AvgPoolLayer(PoolingLayer):
    padding_value = 0.0

    def __init__(self, in_shape: tuple[int, ...], windows: Windows) -> None:
        super().__init__(in_shape, windows)
        # True cells of each window: whole numbers, exact in float32 for any dtype.
        self._counts: np.ndarray | np.float32 = np.float32(windows.size)
        if windows.is_padded:
            self._counts = pooling.window_counts(windows, np.dtype(np.float32))

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        padded = self._padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        pooling.sum_pool(padded, self.windows, y)
        y /= self._counts
        return y, None

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
        if not need_dx:
            return None
        dpadded = self._zeros(dy.shape[-1], workspace, dy.dtype)
        dy /= self._counts
        pooling.sum_pool_backward(dy, self.windows, dpadded)
        return dpadded[(slice(None), *self.windows.interior)]


_DOC = """{title} over windows of maps of shape ({axes}, channels).

    {gist} Windows apart (the default) or overlapping (`strides` smaller than
    `pool_size`).

    Parameters
    ----------
    pool_size : int or tuple of {ndim} int, default=2
        Cells of the window along each axis.
    strides : int or tuple of {ndim} int, default=None
        Steps of the window along each axis; None stands for `pool_size`.
    padding : {{"valid", "same"}} or int or tuple, default="valid"
        "valid" leaves out cells that fill no window; "same" gives ceil(n / stride)
        outputs; or explicit numbers smaller than `pool_size`. {padding}

    Examples
    --------
    >>> from skconvnet.layers import {name}
    >>> {name}(2).build({shape}).out_shape
    {result}
    """

_TEXTS = {
    "Max": {
        "title": "Largest value",
        "gist": "The gradient goes to the largest cell, the first of equals.",
        "padding": "The padding never wins.",
    },
    "Avg": {
        "title": "Mean value",
        "gist": "The gradient is shared out evenly.",
        "padding": "The padding does not count, as in Keras.",
    },
}
_AXES = {
    1: {"axes": "length", "shape": "(9, 4)", "result": "(4, 4)"},
    2: {"axes": "height, width", "shape": "(8, 9, 4)", "result": "(4, 4, 4)"},
    3: {
        "axes": "depth, height, width",
        "shape": "(4, 6, 8, 4)",
        "result": "(2, 3, 4, 4)",
    },
}


def _doc(kind: str, ndim: int) -> str:
    name = f"{kind}Pool{ndim}D"
    return _DOC.format(name=name, ndim=ndim, **_TEXTS[kind], **_AXES[ndim])


class MaxPool1D(_Pooling):
    __doc__ = _doc("Max", 1)
    spatial_ndim: ClassVar[int | None] = 1
    runtime = MaxPoolLayer


class MaxPool2D(_Pooling):
    __doc__ = _doc("Max", 2)
    spatial_ndim: ClassVar[int | None] = 2
    runtime = MaxPoolLayer


class MaxPool3D(_Pooling):
    __doc__ = _doc("Max", 3)
    spatial_ndim: ClassVar[int | None] = 3
    runtime = MaxPoolLayer


class AvgPool1D(_Pooling):
    __doc__ = _doc("Avg", 1)
    spatial_ndim: ClassVar[int | None] = 1
    runtime = AvgPoolLayer


class AvgPool2D(_Pooling):
    __doc__ = _doc("Avg", 2)
    spatial_ndim: ClassVar[int | None] = 2
    runtime = AvgPoolLayer


class AvgPool3D(_Pooling):
    __doc__ = _doc("Avg", 3)
    spatial_ndim: ClassVar[int | None] = 3
    runtime = AvgPoolLayer
