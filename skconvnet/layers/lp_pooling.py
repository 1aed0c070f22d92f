"""Pooling by the p-norm, over windows and over whole maps."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_float
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.pooling_base import (
    PoolingLayer,
    PoolingSpec,
    check_map,
    describe_parameters,
)
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops import lp_pooling
from skconvnet.ops.layout import as_rows, map_shape
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _LpPooling(PoolingSpec):
    padding_note = "Padding is zero, which adds nothing."

    p: float = 2.0

    @override
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        return LpPoolLayer(in_shape, windows, _check_p(self.p))


@describe_parameters
class LpPool1D(_LpPooling):
    """Pooling of maps of shape (length, channels) by the p-norm of each window [1]_.

    Each output is ``sum(|x| ** p) ** (1 / p)``, as of the operator LpPool of ONNX: the
    sum of absolute values for p=1, the length of a vector for p=2, and nearly the
    largest absolute value if p is large. The gradient is 0 where all values of a window
    are 0. PyTorch's ``LPPool1d`` is the same for an even p or values of at least 0;
    otherwise it takes powers with their sign, whose sum may have no root.

    {parameters}
    p : float, default=2.0
        The exponent, at least 1.

    References
    ----------
    .. [1] P. Sermanet, S. Chintala, Y. LeCun, "Convolutional neural networks applied to
       house numbers digit classification", ICPR 2012.

    Examples
    --------
    >>> from skconvnet.layers import LpPool1D
    >>> LpPool1D(2).build((9, 4)).out_shape
    (4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 1


@describe_parameters
class LpPool2D(_LpPooling):
    """Pooling of maps of shape (height, width, channels) by the p-norm of each window.

    Each output is ``sum(|x| ** p) ** (1 / p)``, see `LpPool1D`.

    {parameters}
    p : float, default=2.0
        The exponent, at least 1.

    Examples
    --------
    >>> from skconvnet.layers import LpPool2D
    >>> LpPool2D(2).build((8, 9, 4)).out_shape
    (4, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 2


@describe_parameters
class LpPool3D(_LpPooling):
    """Pooling of maps of shape (depth, height, width, channels) by the p-norm.

    Each output is ``sum(|x| ** p) ** (1 / p)`` of a window, see `LpPool1D`.

    {parameters}
    p : float, default=2.0
        The exponent, at least 1.

    Examples
    --------
    >>> from skconvnet.layers import LpPool3D
    >>> LpPool3D(2).build((4, 6, 8, 4)).out_shape
    (2, 3, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 3


@dataclass(eq=False, repr=False)
class GlobalLpPool(LayerSpec):
    """The p-norm of each channel over the whole map.

    Maps of shape (*spatial, channels), with one, two or three spatial axes, become
    features of shape (channels,): ``sum(|x| ** p) ** (1 / p)`` over all positions, as
    of the operator GlobalLpPool of ONNX. The gradient is 0 where all values are 0. Of a
    padded sequence, only its own positions count.

    Parameters
    ----------
    p : float, default=2.0
        The exponent, at least 1.

    Examples
    --------
    >>> from skconvnet.layers import GlobalLpPool
    >>> GlobalLpPool().build((7, 9, 32)).out_shape
    (32,)
    """

    p: float = 2.0

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_map("GlobalLpPool", in_shape)
        return GlobalLpPoolLayer(in_shape, _check_p(self.p))


class LpPoolCache(NamedTuple):
    """The input, padded or as (channels, positions, batch), and the output."""

    x: FeatureMap
    y: FeatureMap


class LpPoolLayer(PoolingLayer[LpPoolCache]):
    """Runtime layer of pooling by the norm of windows."""

    padding_value = 0.0

    def __init__(self, in_shape: Shape, windows: Windows, p: float) -> None:
        super().__init__(in_shape, windows)
        self.p = p
        self.takes_lengths = windows.ndim == 1 and windows.has_fixed_pads

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, LpPoolCache]:
        padded = self.padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        lp_pooling.lp_pool(padded, self.windows, self.p, y, workspace)
        return y, LpPoolCache(padded, y)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: LpPoolCache, workspace: Workspace
    ) -> FeatureMap:
        dpadded = self.empty_gradient(dy, workspace)
        lp_pooling.lp_pool_backward(
            dy, cache.x, cache.y, self.windows, self.p, dpadded, workspace
        )
        return self.without_padding(dpadded)


class GlobalLpPoolLayer(WeightlessLayer[LpPoolCache]):
    """Runtime layer of `GlobalLpPool`."""

    def __init__(self, in_shape: Shape, p: float) -> None:
        super().__init__(in_shape, in_shape[-1:])
        self.p = p
        self.flops = 2 * prod(in_shape)
        self.takes_lengths = len(in_shape) == 2

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return None

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, LpPoolCache]:
        rows = as_rows(x, len(x), workspace, "x").reshape(len(x), -1, x.shape[-1])
        y = workspace.array("y", (len(x), x.shape[-1]), x.dtype)
        lp_pooling.lp_norm(rows, self.p, y, workspace)
        return y, LpPoolCache(rows, y)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: LpPoolCache, workspace: Workspace
    ) -> FeatureMap:
        x, y = cache
        dx = workspace.array("dx", x.shape, x.dtype)
        lp_pooling.lp_norm_backward(dy, x, y, self.p, dx, workspace)
        return dx.reshape(map_shape(self.in_shape, dy.shape[-1]))


def _check_p(value: object) -> float:
    return check_float("p", value, "a finite float of at least 1", lambda v: v >= 1)
