"""Max and average pooling over one, two or three spatial axes."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.pooling_base import (
    PoolingLayer,
    PoolingSpec,
    describe_parameters,
)
from skconvnet.ops import pooling
from skconvnet.ops.layout import map_shape
from skconvnet.ops.pooling import TapArrays, tap_views
from skconvnet.ops.windows import Windows
from skconvnet.ops.workspace import Workspace


class _MaxPooling(PoolingSpec):
    padding_note = "Padding is never the maximum."

    @override
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        return MaxPoolLayer(in_shape, windows)


class _AvgPooling(PoolingSpec):
    padding_note = "The mean leaves out padding, as in Keras."

    @override
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        return AvgPoolLayer(in_shape, windows)


@describe_parameters
class MaxPool1D(_MaxPooling):
    """Max pooling of maps of shape (length, channels).

    Each output is the largest value of a window. The gradient goes to that value, the
    first of equals.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import MaxPool1D
    >>> MaxPool1D(2).build((9, 4)).out_shape
    (4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 1


@describe_parameters
class MaxPool2D(_MaxPooling):
    """Max pooling of maps of shape (height, width, channels).

    Each output is the largest value of a window. The gradient goes to that value, the
    first of equals.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import MaxPool2D
    >>> MaxPool2D(2).build((8, 9, 4)).out_shape
    (4, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 2


@describe_parameters
class MaxPool3D(_MaxPooling):
    """Max pooling of maps of shape (depth, height, width, channels).

    Each output is the largest value of a window. The gradient goes to that value, the
    first of equals.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import MaxPool3D
    >>> MaxPool3D(2).build((4, 6, 8, 4)).out_shape
    (2, 3, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 3


@describe_parameters
class AvgPool1D(_AvgPooling):
    """Average pooling of maps of shape (length, channels).

    Each output is the mean of a window. The gradient is shared equally.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import AvgPool1D
    >>> AvgPool1D(2).build((9, 4)).out_shape
    (4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 1


@describe_parameters
class AvgPool2D(_AvgPooling):
    """Average pooling of maps of shape (height, width, channels).

    Each output is the mean of a window. The gradient is shared equally.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import AvgPool2D
    >>> AvgPool2D(2).build((8, 9, 4)).out_shape
    (4, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 2


@describe_parameters
class AvgPool3D(_AvgPooling):
    """Average pooling of maps of shape (depth, height, width, channels).

    Each output is the mean of a window. The gradient is shared equally.

    {parameters}

    Examples
    --------
    >>> from skconvnet.layers import AvgPool3D
    >>> AvgPool3D(2).build((4, 6, 8, 4)).out_shape
    (2, 3, 4, 4)
    """

    spatial_ndim: ClassVar[int | None] = 3


class MaxPoolCache(NamedTuple):
    """What `MaxPoolLayer` keeps for the backward pass.

    Attributes
    ----------
    padded : ndarray
        The input with its padding.
    wins : ndarray of bool or None
        The `wins` of `ops.pooling.max_pool`, or None unless in training.
    """

    padded: FeatureMap
    wins: np.ndarray | None


class MaxPoolLayer(PoolingLayer[MaxPoolCache]):
    """Runtime layer of max pooling."""

    padding_value = -np.inf

    def __init__(self, in_shape: Shape, windows: Windows) -> None:
        super().__init__(in_shape, windows)
        self.takes_lengths = windows.ndim == 1 and windows.has_fixed_pads

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, MaxPoolCache]:
        padded = self.padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        wins = self._wins(y.shape, workspace) if train else None
        pooling.max_pool(TapArrays(padded, self.windows, workspace).read(), y, wins)
        return y, MaxPoolCache(padded, wins)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: MaxPoolCache, workspace: Workspace
    ) -> FeatureMap:
        padded, wins = cache
        if wins is None:
            wins = self._wins(dy.shape, workspace)
            y = workspace.scratch("share", dy.shape, dy.dtype)
            pooling.max_pool(TapArrays(padded, self.windows, workspace).read(), y, wins)
        dpadded = self.empty_gradient(dy, workspace)
        if self.windows.are_disjoint:
            dtaps = TapArrays(dpadded, self.windows, workspace)
            pooling.max_pool_backward(dy, wins, dtaps.arrays)
            dtaps.write()
        else:
            share = workspace.scratch("share", dy.shape, dy.dtype)
            pooling.max_pool_backward(dy, wins, tap_views(dpadded, self.windows), share)
        return self.without_padding(dpadded)

    def _wins(self, shape: tuple[int, ...], workspace: Workspace) -> np.ndarray:
        return workspace.array("wins", (self.windows.size - 1, *shape), np.bool_)


class AvgPoolLayer(PoolingLayer[None]):
    """Runtime layer of average pooling."""

    padding_value = 0.0

    def __init__(self, in_shape: Shape, windows: Windows) -> None:
        super().__init__(in_shape, windows)
        # The means of windows that reach beyond the end have other counts.
        self.takes_lengths = (
            windows.ndim == 1 and windows.has_fixed_pads and not windows.is_padded
        )
        # Positions of each window that are not padding. float32 holds these integers
        # exactly, and dividing an array by them keeps the dtype of the array.
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
    ) -> tuple[FeatureMap, None]:
        padded = self.padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        pooling.sum_pool(padded, self.windows, y)
        y /= self._counts
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        dpadded = self.empty_gradient(dy, workspace)
        dy /= self._counts
        pooling.sum_pool_backward(dy, self.windows, dpadded)
        return self.without_padding(dpadded)
