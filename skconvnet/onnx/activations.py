"""Activation functions, of layers and as layers."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.layers.activation import ActivationLayer, PReLULayer, RReLULayer
from skconvnet.layers.maxout import MaxoutLayer
from skconvnet.onnx.graph import Graph

# Operators that compute an activation, with their attributes.
_OPERATORS: dict[str, tuple[str, dict[str, float]]] = {
    "logistic": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.01}),
    "elu": ("Elu", {}),
    "selu": ("Selu", {}),
    "softplus": ("Softplus", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
}
# The numbers of Klambauer et al., "Self-normalizing neural networks", 2017, which the
# operator Selu has too.
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772
# Of these, runtimes have the operators in float64 too.
_IN_DOUBLE = ("logistic", "tanh", "relu")


def activate(graph: Graph, z: str, name: str) -> str:
    """Add an activation function, called as in `skconvnet.layers`."""
    if name == "identity":
        return z
    if name in _OPERATORS and not (graph.is_double and name not in _IN_DOUBLE):
        op, attributes = _OPERATORS[name]
        return graph.add(op, z, **attributes)
    return _FORMULAS[name](graph, z)


def leak(graph: Graph, x: str, slope: npt.ArrayLike) -> str:
    """Multiply what is below 0 by a slope, which is broadcast against a sample."""
    slopes = graph.numbers(slope, "slope")
    if not graph.is_double:
        return graph.add("PRelu", x, slopes)
    below = graph.add("Min", x, graph.numbers(0.0))
    return graph.add("Add", graph.add("Relu", x), graph.add("Mul", below, slopes))


def per_channel(
    values: npt.NDArray[np.floating], shape: Shape
) -> npt.NDArray[np.floating]:
    """Return one number per channel in a form that is broadcast against a sample.

    >>> per_channel(np.zeros(3), (8, 8, 3)).shape
    (3, 1, 1)
    """
    return values.reshape(-1, *(1,) * (len(shape) - 1))


def activation(graph: Graph, layer: ActivationLayer, x: str) -> str:
    """Convert `Activation`."""
    return activate(graph, x, layer.function.name)


def prelu(graph: Graph, layer: PReLULayer, x: str) -> str:
    """Convert `PReLU`."""
    return leak(graph, x, per_channel(layer.weights["slope"], layer.in_shape))


def rrelu(graph: Graph, layer: RReLULayer, x: str) -> str:
    """Convert `RReLU`, whose slope in prediction is the mean of the two."""
    return leak(graph, x, [(layer.lower + layer.upper) / 2])


def maxout(graph: Graph, layer: MaxoutLayer, x: str) -> str:
    """Convert `Maxout`."""
    *spatial, channels = layer.out_shape
    pieces = graph.reshape(x, (channels, layer.pieces, *spatial))
    return graph.reduce("ReduceMax", pieces, (2,))


def _leaky_relu(graph: Graph, z: str) -> str:
    return leak(graph, z, [0.01])


def _elu(graph: Graph, z: str, alpha: float = 1.0) -> str:
    below = graph.add("Exp", graph.add("Min", z, graph.numbers(0.0)))
    below = graph.add("Sub", below, graph.numbers(1.0))
    if alpha != 1:
        below = graph.add("Mul", below, graph.numbers(alpha))
    return graph.add("Add", graph.add("Relu", z), below)


def _selu(graph: Graph, z: str) -> str:
    return graph.add("Mul", _elu(graph, z, SELU_ALPHA), graph.numbers(SELU_SCALE))


def _gelu(graph: Graph, z: str) -> str:
    erf = graph.add("Mul", z, graph.numbers(1 / sqrt(2)))
    if graph.is_double:  # ONNX Runtime has no other error function
        erf = graph.cast(graph.add("Erf", graph.cast(erf, np.float32)), graph.dtype)
    else:
        erf = graph.add("Erf", erf)
    share = graph.add("Add", erf, graph.numbers(1.0))
    half = graph.add("Mul", z, graph.numbers(0.5))
    return graph.add("Mul", half, share)


def _silu(graph: Graph, z: str) -> str:
    return graph.add("Mul", z, graph.add("Sigmoid", z))


def _softplus(graph: Graph, z: str) -> str:
    # log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)), which does not overflow.
    small = graph.add("Exp", graph.add("Neg", graph.add("Abs", z)))
    rest = graph.add("Log", graph.add("Add", small, graph.numbers(1.0)))
    return graph.add("Add", graph.add("Relu", z), rest)


def _hard_sigmoid(graph: Graph, z: str) -> str:
    line = graph.add("Mul", z, graph.numbers(1 / 6))
    line = graph.add("Add", line, graph.numbers(0.5))
    return graph.add("Clip", line, graph.numbers(0.0), graph.numbers(1.0))


def _step(graph: Graph, z: str) -> str:
    return graph.cast(graph.add("GreaterOrEqual", z, graph.numbers(0.0)), graph.dtype)


_FORMULAS: dict[str, Callable[[Graph, str], str]] = {
    "leaky_relu": _leaky_relu,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "softplus": _softplus,
    "hard_sigmoid": _hard_sigmoid,
    "step": _step,
}
