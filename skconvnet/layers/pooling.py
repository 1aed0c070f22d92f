"""Max and average pooling over one, two or three spatial axes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Cache, Layer, check_ndim
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops import pooling
from skconvnet.ops.layout import map_shape
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.padding import pad
from skconvnet.ops.pooling import TapArrays, tap_views
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class _Pooling(LayerSpec):
    """What the specs of all pooling layers share.

    Attributes
    ----------
    padding_note : str
        How pooling treats padding, for the docstring.
    """

    padding_note: ClassVar[str]

    pool_size: int | tuple[int, ...] = 2
    strides: int | tuple[int, ...] | None = None
    padding: str | int | Sequence[int | Sequence[int]] = "valid"

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
        return self._layer(in_shape, windows)

    @abstractmethod
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        """Return the runtime layer for these windows."""


class _MaxPooling(_Pooling):
    padding_note = "Padding is never the maximum."

    @override
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        return MaxPoolLayer(in_shape, windows)


class _AvgPooling(_Pooling):
    padding_note = "The mean leaves out padding, as in Keras."

    @override
    def _layer(self, in_shape: Shape, windows: Windows) -> Layer[Any]:
        return AvgPoolLayer(in_shape, windows)


_PARAMETERS = """Parameters
    ----------
    pool_size : int or tuple of {ndim} int, default=2
        Size of the window along each axis.
    strides : int or tuple of {ndim} int, default=None
        Positions from one window to the next along each axis. None means `pool_size`,
        so that windows are adjacent; with smaller strides, they overlap.
    padding : {{"valid", "same"}} or int or tuple, default="valid"
        Positions added around the map. "valid" adds none, and leaves out positions at
        the end that do not fill a window. "same" gives ceil(n / stride) outputs. Or
        explicit numbers smaller than `pool_size`: one for all axes, or for each axis a
        number or a (before, after) pair. {padding_note}"""


Spec = TypeVar("Spec", bound=_Pooling)


def _describe_parameters(spec: type[Spec]) -> type[Spec]:
    """Insert the parameters that all specs share into the docstring of `spec`."""
    assert spec.__doc__ is not None
    text = _PARAMETERS.format(ndim=spec.spatial_ndim, padding_note=spec.padding_note)
    spec.__doc__ = spec.__doc__.replace("{parameters}", text)
    return spec


@_describe_parameters
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


@_describe_parameters
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


@_describe_parameters
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


@_describe_parameters
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


@_describe_parameters
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


@_describe_parameters
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


class PoolingLayer(WeightlessLayer[Cache]):
    """What max and average pooling share: adding padding, and removing it.

    Attributes
    ----------
    padding_value : float
        Value of the padding in a forward pass.
    """

    padding_value: ClassVar[float]

    def __init__(self, in_shape: Shape, windows: Windows) -> None:
        super().__init__(in_shape, (*windows.out_shape, in_shape[-1]))
        self.windows = windows
        self.strides = windows.strides
        self.flops = prod(self.out_shape) * windows.size

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return None if lengths is None else self.windows.lengths_after(lengths)

    def _padded(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        if not self.windows.is_padded:
            return x
        shape = map_shape((*self.windows.padded_shape, len(x)), x.shape[-1])
        padded = workspace.array("padded", shape, x.dtype)
        pad(x, self.windows.interior, padded, self.padding_value)
        inside = self._without_padding(padded)
        clear_padding(inside, workspace.lengths, self.padding_value)
        return padded

    def _empty_gradient(self, dy: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return an array for the gradient of the padded map.

        It is zero unless the windows will write to every position exactly once.
        """
        shape = (len(dy), *self.windows.padded_shape, dy.shape[-1])
        dpadded = workspace.array("dpadded", shape, dy.dtype)
        if not self.windows.is_tiling:
            dpadded.fill(0)
        return dpadded

    def _without_padding(self, dpadded: FeatureMap) -> FeatureMap:
        return dpadded[(slice(None), *self.windows.interior)]


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
        padded = self._padded(x, workspace)
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
        dpadded = self._empty_gradient(dy, workspace)
        if self.windows.are_disjoint:
            dtaps = TapArrays(dpadded, self.windows, workspace)
            pooling.max_pool_backward(dy, wins, dtaps.arrays)
            dtaps.write()
        else:
            share = workspace.scratch("share", dy.shape, dy.dtype)
            pooling.max_pool_backward(dy, wins, tap_views(dpadded, self.windows), share)
        return self._without_padding(dpadded)

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
        padded = self._padded(x, workspace)
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        pooling.sum_pool(padded, self.windows, y)
        y /= self._counts
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        dpadded = self._empty_gradient(dy, workspace)
        dy /= self._counts
        pooling.sum_pool_backward(dy, self.windows, dpadded)
        return self._without_padding(dpadded)
