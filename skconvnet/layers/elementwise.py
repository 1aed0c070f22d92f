"""Layers without weights that work on each value alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._spec import Spec
from skconvnet.layers.base import Layer, check_float
from skconvnet.ops.activations import get_activation


@dataclass(eq=False, repr=False)
class Activation(Spec):
    """An activation function as a layer of its own.

    Parameters
    ----------
    function : str, default="relu"
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "gelu",
        "silu", "softplus", "hard_sigmoid" or "step" (1 where x >= 0, else 0; nothing
        before it can be trained).

    Examples
    --------
    >>> from skconvnet.layers import Activation
    >>> Activation("tanh").build((4, 4, 2)).out_shape
    (4, 4, 2)
    """

    function: str = "relu"

    def build(self, in_shape: tuple[int, ...]) -> Layer:
        return ActivationLayer(in_shape, self.function)


class ActivationLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], function: str) -> None:
        super().__init__(in_shape, in_shape)
        self.function = get_activation(function, "function")

    def forward(self, x, *, train, rng, workspace):
        y = workspace.array("y", x.shape, x.dtype)
        self.function.apply(x, y, workspace)
        return y, x if self.function.needs_input else y

    def backward(self, dy, cache, *, gradients, workspace, need_dx):
        if not need_dx:
            return None
        self.function.backward(cache, dy, dy, workspace)
        return dy


@dataclass(eq=False, repr=False)
class Dropout(Spec):
    """Set a random share of the values to zero in training.

    What is left is scaled by 1 / (1 - rate), so that prediction needs no change
    [1]_.

    Parameters
    ----------
    rate : float, default=0.5
        Share of values dropped, in [0, 1).

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks
       from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> from skconvnet.layers import Dropout
    >>> Dropout(0.2).build((10,)).out_shape
    (10,)
    """

    rate: float = 0.5

    def build(self, in_shape: tuple[int, ...]) -> Layer:
        rate = check_float("rate", self.rate, "a float in [0, 1)", lambda v: 0 <= v < 1)
        return DropoutLayer(in_shape, rate)


class DropoutLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], rate: float) -> None:
        super().__init__(in_shape, in_shape)
        self.rate = rate
        self.is_random = rate > 0

    def forward(self, x, *, train, rng, workspace):
        if not train or not self.is_random:
            return x, None
        scale = workspace.array("scale", x.shape, x.dtype)
        rng.random(out=scale, dtype=scale.dtype)
        np.multiply(scale >= self.rate, scale.dtype.type(1 / (1 - self.rate)), scale)
        y = workspace.array("y", x.shape, x.dtype)
        return np.multiply(x, scale, out=y), scale

    def backward(self, dy, cache, *, gradients, workspace, need_dx):
        if not need_dx:
            return None
        return dy if cache is None else np.multiply(dy, cache, out=dy)


@dataclass(eq=False, repr=False)
class Rescaling(Spec):
    """Multiply by a constant and add another: pixels of 0 to 255 into 0 to 1.

    Parameters
    ----------
    scale : float, default=1/255
    offset : float, default=0.0

    Examples
    --------
    >>> from skconvnet.layers import Rescaling
    >>> Rescaling(scale=2.0, offset=-1.0).build((28, 28, 1)).out_shape
    (28, 28, 1)
    """

    scale: float = 1 / 255
    offset: float = 0.0

    def build(self, in_shape: tuple[int, ...]) -> Layer:
        scale = check_float("scale", self.scale)
        offset = check_float("offset", self.offset)
        return RescalingLayer(in_shape, scale, offset)


class RescalingLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], scale: float, offset: float) -> None:
        super().__init__(in_shape, in_shape)
        self.scale = scale
        self.offset = offset

    def forward(self, x, *, train, rng, workspace):
        y = workspace.array("y", x.shape, x.dtype)
        np.multiply(x, x.dtype.type(self.scale), out=y)
        if self.offset:
            y += y.dtype.type(self.offset)
        return y, None

    def backward(self, dy, cache, *, gradients, workspace, need_dx):
        if not need_dx:
            return None
        dy *= dy.dtype.type(self.scale)
        return dy
