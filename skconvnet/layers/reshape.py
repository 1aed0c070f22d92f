"""Layers that rearrange values without changing them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import is_int, is_sequence
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.layout import map_shape
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Reshape(LayerSpec):
    """Reshape samples, as ``x.reshape(n, *shape)`` with channels last.

    Parameters
    ----------
    shape : int or sequence of int
        New shape of one sample, without the batch. One entry may be -1; it is then
        computed from the size of the input.

    Examples
    --------
    >>> from skconvnet.layers import Reshape
    >>> Reshape((4, 4, -1)).build((80,)).out_shape
    (4, 4, 5)
    """

    shape: int | Sequence[int]

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        shape = _check_ints("shape", self.shape, "such as (8, 8, -1)")
        if any(n < 1 and n != -1 for n in shape) or shape.count(-1) > 1:
            raise ValueError(
                "shape must hold ints of at least 1, and -1 at most once; got "
                f"{self.shape!r}."
            )
        size, known = prod(in_shape), abs(prod(shape))
        if size % known or (-1 not in shape and size != known):
            problem = f"which holds {known}"
            if -1 in shape:
                problem = f"in which -1 would mean {size} / {known}"
            raise ValueError(
                f"shape must hold as many values as the input, {size} of shape "
                f"{tuple(in_shape)}; got {self.shape!r}, {problem}."
            )
        return ReshapeLayer(
            in_shape, tuple(size // known if n == -1 else n for n in shape)
        )


class ReshapeLayer(WeightlessLayer[None]):
    """Runtime layer of `Reshape`."""

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        return _reshape(x, self.in_shape, self.out_shape, workspace, "y"), None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        return _reshape(dy, self.out_shape, self.in_shape, workspace, "dx")


def _reshape(
    x: np.ndarray,
    old: Shape,
    new: Shape,
    workspace: Workspace,
    name: str,
) -> np.ndarray:
    """Reshape a batch-last array, from the public shape `old` to `new` per sample."""
    batch = x.shape[-1]
    if old[-1] == new[-1]:
        return x.reshape(map_shape(new, batch))
    # Values must be in the order that users see, channels last, to be reshaped. Flat
    # features are always in this order.
    if len(old) > 1:
        allocate = workspace.array if len(new) == 1 else workspace.scratch
        ordered = allocate(f"{name} ordered", (*old, batch), x.dtype)
        np.copyto(ordered, np.moveaxis(x, 0, -2))
        x = ordered
    x = x.reshape(*new, batch)
    if len(new) == 1:
        return x
    out = workspace.array(name, map_shape(new, batch), x.dtype)
    np.copyto(out, np.moveaxis(x, -2, 0))
    return out


@dataclass(eq=False, repr=False)
class Permute(LayerSpec):
    """Permute the axes of samples.

    Parameters
    ----------
    dims : int or sequence of int
        For each axis of the output, the axis of the input that it comes from. Axes are
        numbered from 1, as in Keras; axis 0 is the batch, which stays first.
        ``(2, 1, 3)`` swaps the height and the width of images.

    Examples
    --------
    >>> from skconvnet.layers import Permute
    >>> Permute((3, 1, 2)).build((28, 30, 3)).out_shape
    (3, 28, 30)
    """

    dims: int | Sequence[int]

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        dims = _check_ints("dims", self.dims, "such as (2, 1, 3)")
        wanted = tuple(range(1, len(in_shape) + 1))
        if tuple(sorted(dims)) != wanted:
            raise ValueError(
                f"dims must hold each of {', '.join(map(str, wanted))} once, the axes "
                f"of an input of shape {tuple(in_shape)} numbered from 1; got "
                f"{self.dims!r}."
            )
        return PermuteLayer(in_shape, dims)


class PermuteLayer(WeightlessLayer[None]):
    """Runtime layer of `Permute`.

    Attributes
    ----------
    order : tuple of int
        For each axis of the batch-last output, the axis of the input.
    """

    def __init__(self, in_shape: Shape, dims: Shape) -> None:
        super().__init__(in_shape, tuple(in_shape[d - 1] for d in dims))
        # In a map the channels are axis 0, and spatial axis d, counted from 1, is axis
        # d. The channels, whose number is ndim, become axis 0 by d % ndim.
        ndim = len(dims)
        order = [d % ndim for d in (dims[-1], *dims[:-1])]
        self.order = (*order, ndim)
        self._inverse = (*(order.index(axis) for axis in range(ndim)), ndim)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        return _transpose(x, self.order, workspace, "y"), None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        return _transpose(dy, self._inverse, workspace, "dx")


def _transpose(
    x: np.ndarray, order: tuple[int, ...], workspace: Workspace, name: str
) -> np.ndarray:
    """Return `x` with its axes in `order`, copied unless the order is the same."""
    if order == tuple(range(len(order))):
        return x
    transposed = x.transpose(order)
    out = workspace.array(name, transposed.shape, x.dtype)
    np.copyto(out, transposed)
    return out


def _check_ints(name: str, value: object, example: str) -> tuple[int, ...]:
    values = (value,) if is_int(value) else value
    if not is_sequence(values):
        raise TypeError(
            f"{name} must be an int or a sequence of ints, {example}; got {value!r}."
        )
    ints = tuple(values)
    if not ints:
        raise ValueError(f"{name} must hold at least one int; got {value!r}.")
    if not all(is_int(n) for n in ints):
        raise TypeError(f"{name} must hold ints, {example}; got {value!r}.")
    return tuple(int(n) for n in ints)
