"""Layers with a shortcut around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, ClassVar

import numpy as np

from skconvnet._checks import check_choice
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.composite import CompositeSpec, build_chain
from skconvnet.layers.conv import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec
from skconvnet.params.naming import check_layers
from skconvnet.params.nested import is_list

_CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}


@dataclass(eq=False, repr=False)
class Residual(CompositeSpec):
    """Layers with a shortcut around them: ``layers(x) + shortcut(x)`` [1]_.

    Within the layer, weights are named ``"layer/array"``, and weights of the shortcut
    ``"shortcut/layer/array"``. An activation after the sum is a separate layer.

    Parameters
    ----------
    layers : list of layers or of (str, layer) tuples
    shortcut : {"auto", "identity", "projection"} or list of layers, default="auto"
        Path around the layers. "identity" is the input itself, for layers that keep its
        shape. "projection" is a 1x1 convolution, with the strides of the layers, or a
        Dense layer for flat features. "auto" is the identity if the shapes are equal,
        else the projection.
    trainable : bool, default=True
        Whether training changes the weights. If False, all layers inside are frozen.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, Residual
    >>> block = Residual([
    ...     ("conv1", Conv2D(64, 3, 2, "same", activation="relu")),
    ...     ("conv2", Conv2D(64, 3, padding="same")),
    ... ])
    >>> sorted(block.build((28, 28, 32)).weight_shapes)[-1]
    'shortcut/projection/kernel'
    >>> block.set_params(conv1__filters=32).build((28, 28, 32)).out_shape
    (14, 14, 64)
    """

    layers: Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] = field(
        default_factory=list
    )
    shortcut: str | Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] = "auto"

    _lists: ClassVar[tuple[str, ...]] = ("layers",)
    _prefixed_lists: ClassVar[tuple[str, ...]] = ("shortcut",)

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        main = Chain(check_layers(self.layers, {"shortcut"}), in_shape)
        shortcut = build_chain("shortcut", self._shortcut(in_shape, main), in_shape)
        if shortcut.out_shape != main.out_shape:
            raise ValueError(
                f"the output of the layers has shape {main.out_shape}, but the output "
                f"of shortcut={self.shortcut!r} has shape {shortcut.out_shape}, so "
                "they cannot be added. Use shortcut='projection', padding='same' in "
                "the layers, or a list of layers as the shortcut."
            )
        return ResidualLayer(in_shape, main.out_shape, {"": main, "shortcut": shortcut})

    def _shortcut(self, in_shape: Shape, main: Chain) -> object:
        """Return the layers of the shortcut."""
        shortcut, out_shape = self.shortcut, main.out_shape
        if is_list(shortcut) or isinstance(shortcut, LayerSpec):
            return shortcut
        names = ("auto", "identity", "projection")
        check_choice("shortcut", shortcut, names, " or a list of layers")
        fits = out_shape == in_shape
        if shortcut == "identity" or (shortcut == "auto" and fits):
            return []
        if len(in_shape) != len(out_shape):
            raise ValueError(
                f"shortcut={shortcut!r} has no projection from shape {in_shape} to "
                f"shape {out_shape}; pass a list of layers as the shortcut."
            )
        if len(in_shape) == 1:
            return [("projection", Dense(out_shape[-1]))]
        strides = _strides(main, len(in_shape) - 1)
        convolution = _CONVOLUTIONS[len(strides)]
        return [("projection", convolution(out_shape[-1], 1, strides, "same"))]


class ResidualLayer(BranchedLayer):
    """Runtime layer of `Residual`; its chains are the layers and the shortcut."""

    @override
    def join(
        self, ys: Sequence[FeatureMap], x: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        y = workspace.array("y", ys[0].shape, ys[0].dtype)
        np.add(ys[0], ys[1], out=y)
        return y

    @override
    def divide(self, dy: FeatureMap, workspace: Workspace) -> list[FeatureMap]:
        copy = workspace.array("dshortcut", dy.shape, dy.dtype)
        np.copyto(copy, dy)
        return [dy, copy]


def _strides(chain: Chain, ndim: int) -> tuple[int, ...]:
    """Return the strides of a whole chain, or 1 along axes that it enlarges."""
    product = _product_of_strides(chain, ndim)
    return tuple(int(s) if s.denominator == 1 else 1 for s in product)


def _product_of_strides(chain: Chain, ndim: int) -> tuple[Fraction, ...]:
    """Multiply the strides of all layers, taking the first branch of branched ones."""
    product = (Fraction(1),) * ndim
    for layer in chain.layers.values():
        own: tuple[int | Fraction, ...] = layer.strides
        if isinstance(layer, BranchedLayer):
            own = _product_of_strides(next(iter(layer.chains.values())), ndim)
        if len(own) == ndim:
            product = tuple(p * s for p, s in zip(product, own, strict=True))
    return product
