"""The layer that turns maps into flat features."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.layout import map_shape
from skconvnet.ops.short_runs import copy_runs
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Flatten(LayerSpec):
    """Turn maps into flat features, as ``x.reshape(n, -1)`` with channels last.

    Examples
    --------
    >>> from skconvnet.layers import Flatten
    >>> Flatten().build((4, 4, 40)).out_shape
    (640,)
    """

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return FlattenLayer(in_shape, (prod(in_shape),))


class FlattenLayer(WeightlessLayer[None]):
    """Runtime layer of `Flatten`."""

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        if x.ndim == 2:
            return x, None
        y = workspace.array("y", (*x.shape[1:-1], len(x), x.shape[-1]), x.dtype)
        copy_runs(y, x.transpose(*range(1, x.ndim - 1), 0, x.ndim - 1))
        return y.reshape(*self.out_shape, -1), None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        if len(self.in_shape) == 1:
            return dy
        dy = dy.reshape(*self.in_shape, -1)
        dx = workspace.array("dx", map_shape(self.in_shape, dy.shape[-1]), dy.dtype)
        copy_runs(dx, dy.transpose(dy.ndim - 2, *range(dy.ndim - 2), dy.ndim - 1))
        return dx
