"""Pooling to a number of features that does not depend on the size of the map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_choice, check_positive_int, is_int, is_sequence
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.pooling_base import check_map
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops import adaptive_pooling as ops
from skconvnet.ops.layout import map_shape
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec

_POOLINGS = ("max", "avg")


@dataclass(eq=False, repr=False)
class GlobalMaxPool(LayerSpec):
    """Largest value of each channel over the whole map.

    Maps of shape (*spatial, channels), with one, two or three spatial axes, become
    features of shape (channels,). The gradient goes to the largest value, the first of
    equals. Of a padded sequence, only its own positions count; a sequence without any
    gives zeros.

    Examples
    --------
    >>> from skconvnet.layers import GlobalMaxPool
    >>> GlobalMaxPool().build((7, 9, 32)).out_shape
    (32,)
    """

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_map("GlobalMaxPool", in_shape)
        return AdaptivePoolLayer(in_shape, (1,), "max")


@dataclass(eq=False, repr=False)
class GlobalAvgPool(LayerSpec):
    """Mean of each channel over the whole map [1]_.

    Maps of shape (*spatial, channels), with one, two or three spatial axes, become
    features of shape (channels,). Of a padded sequence, only its own positions count; a
    sequence without any gives zeros.

    References
    ----------
    .. [1] M. Lin, Q. Chen, S. Yan, "Network in network", ICLR 2014.

    Examples
    --------
    >>> from skconvnet.layers import GlobalAvgPool
    >>> GlobalAvgPool().build((7, 9, 32)).out_shape
    (32,)
    """

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_map("GlobalAvgPool", in_shape)
        return AdaptivePoolLayer(in_shape, (1,), "avg")


@dataclass(eq=False, repr=False)
class SpatialPyramidPool(LayerSpec):
    """Pool over grids of windows, from coarse to fine [1]_.

    Level n cuts each spatial axis into n windows that cover the whole axis: window i of
    an axis with `size` positions goes from floor(i * size / n) to ceil((i + 1) * size /
    n). Neighboring windows overlap by one position where n does not divide `size`, and
    n may exceed `size`. The number of features, ``channels * sum(n ** ndim for n in
    levels)``, does not depend on the size of the map. Hence a dense layer after it has
    the same weights for all sizes. With the default levels, maps of two spatial axes
    and 256 channels give 21 * 256 features.

    Features are ordered by level, as in `levels`, then by window, row by row, and then
    by channel. The features of a level are those of `Flatten` for a map of shape (n, n,
    channels).

    Parameters
    ----------
    levels : int or sequence of int, default=(1, 2, 4)
        Number of windows along each axis, for every level.
    pooling : {"max", "avg"}, default="max"
        Whether to take the largest value of each window or the mean. The gradient of a
        maximum goes to the largest value, the first of equals.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Spatial pyramid pooling in deep
       convolutional networks for visual recognition", ECCV 2014.

    Examples
    --------
    >>> from skconvnet.layers import SpatialPyramidPool
    >>> SpatialPyramidPool(levels=(1, 2, 4)).build((13, 13, 256)).out_shape
    (5376,)
    >>> SpatialPyramidPool(levels=(1, 2, 4)).build((10, 7, 256)).out_shape
    (5376,)
    """

    levels: int | Sequence[int] = (1, 2, 4)
    pooling: str = "max"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_map("SpatialPyramidPool", in_shape)
        pooling = check_choice("pooling", self.pooling, _POOLINGS)
        return AdaptivePoolLayer(in_shape, _check_levels(self.levels), pooling)


class AdaptivePoolCache(NamedTuple):
    """The input and the output of a forward pass."""

    x: FeatureMap
    y: FeatureMap


class AdaptivePoolLayer(WeightlessLayer[AdaptivePoolCache]):
    """Runtime layer of all specs in this file.

    Global pooling is a pyramid of one level.

    Parameters
    ----------
    in_shape : tuple of int
    levels : tuple of int
    pooling : {"max", "avg"}

    Attributes
    ----------
    level_shapes : list of tuple of int
        The shape of the map of each level, channels last.
    """

    def __init__(self, in_shape: Shape, levels: tuple[int, ...], pooling: str) -> None:
        *spatial, channels = in_shape
        self.level_shapes = [(*(n,) * len(spatial), channels) for n in levels]
        super().__init__(in_shape, (sum(map(prod, self.level_shapes)),))
        self.levels = levels
        self.pooling = pooling
        self._ufunc = np.maximum if pooling == "max" else np.add
        self._counts: list[np.ndarray] | None = None
        if pooling == "avg":
            self._counts = [ops.window_sizes(spatial, n) for n in levels]
        self.flops = len(levels) * prod(in_shape)
        self.takes_lengths = len(spatial) == 1 and levels == (1,)

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
    ) -> tuple[FeatureMap, AdaptivePoolCache]:
        y = workspace.array("y", (*self.out_shape, x.shape[-1]), x.dtype)
        if self.takes_lengths and workspace.lengths is not None:
            y[...] = ops.pool_whole_maps(x, self.pooling, workspace.lengths)
            return y, AdaptivePoolCache(x, y)
        for i, level in enumerate(self._levels_of(y)):
            ops.reduce_windows(self._ufunc, x, level, workspace)
            if self._counts is not None:
                level /= self._counts[i]
        return y, AdaptivePoolCache(x, y)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: AdaptivePoolCache, workspace: Workspace
    ) -> FeatureMap:
        x, y = cache
        dx = workspace.array("dx", map_shape(self.in_shape, dy.shape[-1]), dy.dtype)
        dlevels = self._levels_of(dy)
        if self._counts is None:
            dx.fill(0)
            for dlevel, level in zip(dlevels, self._levels_of(y), strict=True):
                ops.add_to_maxima(dlevel, x, level, dx, workspace)
            return dx
        counts: Sequence[np.ndarray] = self._counts
        if self.takes_lengths and workspace.lengths is not None:
            counts = [np.maximum(workspace.lengths, 1).astype(dy.dtype)]
        for i, dlevel in enumerate(dlevels):
            dlevel /= counts[i]
            ops.spread_windows(dlevel, dx, workspace, add=i > 0)
        return dx

    def _levels_of(self, y: np.ndarray) -> Iterator[np.ndarray]:
        """View flat features as maps (channels, n, ..., n, batch), one per level."""
        start = 0
        for shape in self.level_shapes:
            level = y[start : start + prod(shape)].reshape(*shape, y.shape[-1])
            start += prod(shape)
            yield np.moveaxis(level, -2, 0)


def _check_levels(levels: object) -> tuple[int, ...]:
    if is_int(levels):
        levels = (levels,)
    if not is_sequence(levels):
        raise TypeError(
            "levels must be an int or a sequence of ints, such as (1, 2, 4); got "
            f"{levels!r}."
        )
    numbers = tuple(levels)
    if not numbers:
        raise ValueError(f"levels must have at least one level; got {numbers!r}.")
    return tuple(check_positive_int("each of levels", n) for n in numbers)
