"""The layer that enlarges maps without weights."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import check_choice, per_axis
from skconvnet._typing import FeatureMap, Lengths, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.layout import map_shape
from skconvnet.ops.upsampling import (
    BLOCK_ROWS,
    linear_matrix,
    multiply_axes,
    repeat,
    sum_repeats,
)
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Upsample(LayerSpec):
    """Enlarge maps of one to three spatial axes by integer factors.

    Followed by a convolution, it can replace a transposed convolution. It leaves no
    checkerboard artifacts, since all outputs depend on the same number of inputs [1]_.

    Parameters
    ----------
    size : int or tuple of int, default=2
        Factor along each axis, at least 1.
    mode : {"nearest", "bilinear"}, default="nearest"
        "nearest" repeats values; "bilinear" interpolates linearly along each axis,
        whether there are one, two or three. Values belong to the centers of pixels, as
        in Keras, and in PyTorch for `align_corners=False`: output i lies at position
        (i + 1/2) / size - 1/2 of the input. Before the first and after the last center,
        outputs have the nearest value.

    References
    ----------
    .. [1] A. Odena, V. Dumoulin and C. Olah, "Deconvolution and checkerboard
       artifacts", Distill, 2016.

    Examples
    --------
    >>> from skconvnet.layers import Upsample
    >>> Upsample().build((8, 8, 3)).out_shape
    (16, 16, 3)
    >>> Upsample((1, 3), mode="bilinear").build((8, 8, 3)).out_shape
    (8, 24, 3)
    """

    size: int | tuple[int, ...] = 2
    mode: str = "nearest"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if not 2 <= len(in_shape) <= 4:
            raise ValueError(
                "Upsample needs maps of one to three spatial axes, such as (height, "
                f"width, channels), but its input has shape {in_shape}; put it before "
                "Flatten, or use Reshape."
            )
        mode = check_choice("mode", self.mode, _MODES)
        size = per_axis("size", self.size, len(in_shape) - 1)
        return _MODES[mode](in_shape, size)


class UpsampleLayer(WeightlessLayer[None]):
    """What the runtime layers of both modes share."""

    def __init__(self, in_shape: Shape, size: tuple[int, ...]) -> None:
        spatial = [n * s for n, s in zip(in_shape[:-1], size, strict=True)]
        super().__init__(in_shape, (*spatial, in_shape[-1]))
        self.size = size
        self.strides = tuple(Fraction(1, s) for s in size)
        self.flops = prod(self.out_shape)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        if self.out_shape == self.in_shape:
            return x, None
        y = workspace.array("y", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        self.enlarge(x, y, workspace)
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        if self.out_shape == self.in_shape:
            return dy
        dx = workspace.array("dx", map_shape(self.in_shape, dy.shape[-1]), dy.dtype)
        self.reduce(dy, dx, workspace)
        return dx

    @abstractmethod
    def enlarge(self, x: FeatureMap, y: FeatureMap, workspace: Workspace) -> None:
        """Write the enlarged map into `y`."""

    @abstractmethod
    def reduce(self, dy: FeatureMap, dx: FeatureMap, workspace: Workspace) -> None:
        """Write the gradient of the input into `dx`."""


class NearestUpsampleLayer(UpsampleLayer):
    """Runtime layer of `Upsample` with ``mode="nearest"``."""

    takes_lengths = True

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return None if lengths is None else lengths * self.size[0]

    @override
    def enlarge(self, x: FeatureMap, y: FeatureMap, workspace: Workspace) -> None:
        repeat(x, self.size, y)

    @override
    def reduce(self, dy: FeatureMap, dx: FeatureMap, workspace: Workspace) -> None:
        sum_repeats(dy, self.size, dx)


class BilinearUpsampleLayer(UpsampleLayer):
    """Runtime layer of `Upsample` with ``mode="bilinear"``."""

    def __init__(
        self,
        in_shape: Shape,
        size: tuple[int, ...],
        *,
        block_rows: int = BLOCK_ROWS,
    ) -> None:
        super().__init__(in_shape, size)
        self.block_rows = block_rows
        pairs = zip(in_shape[:-1], size, strict=True)
        self._matrices = [linear_matrix(n, s) if s > 1 else None for n, s in pairs]

    @override
    def enlarge(self, x: FeatureMap, y: FeatureMap, workspace: Workspace) -> None:
        matrices = self._cast(x.dtype)
        multiply_axes(matrices, x, y, workspace, block_rows=self.block_rows)

    @override
    def reduce(self, dy: FeatureMap, dx: FeatureMap, workspace: Workspace) -> None:
        matrices = [None if m is None else m.T for m in self._cast(dy.dtype)]
        multiply_axes(matrices, dy, dx, workspace, block_rows=self.block_rows)

    def _cast(self, dtype: np.dtype) -> list[np.ndarray | None]:
        return [None if m is None else m.astype(dtype) for m in self._matrices]


_MODES: dict[str, type[UpsampleLayer]] = {
    "nearest": NearestUpsampleLayer,
    "bilinear": BilinearUpsampleLayer,
}
