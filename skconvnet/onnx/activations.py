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
from skconvnet.ops.activations import (
    CELU,
    ELU,
    SELU,
    ActivationFunction,
    LeakyReLU,
    SmoothClip,
)

# Operators that compute an activation: their names, the first version of ONNX that has
# them, and attributes.
_OPERATORS: dict[str, tuple[str, int, dict[str, float]]] = {
    "logistic": ("Sigmoid", 1, {}),
    "tanh": ("Tanh", 1, {}),
    "relu": ("Relu", 1, {}),
    "hard_swish": ("HardSwish", 14, {}),
    "mish": ("Mish", 18, {}),
    "softplus": ("Softplus", 1, {}),
    "softsign": ("Softsign", 1, {}),
    "hard_sigmoid": ("HardSigmoid", 1, {"alpha": 1 / 6, "beta": 0.5}),
}
# Of these, runtimes have the operators in float64 too.
_IN_DOUBLE = ("logistic", "tanh", "relu")


def activate(graph: Graph, z: str, function: ActivationFunction) -> str:
    """Add an activation function."""
    if isinstance(function, LeakyReLU):
        if graph.is_double:
            return leak(graph, z, [function.leak])
        return graph.add("LeakyRelu", z, alpha=function.leak)
    if isinstance(function, ELU):
        return _exponential(graph, z, function)
    if isinstance(function, SmoothClip):
        return _smooth_clip(graph, z, function.limit)
    if function.name in _OPERATORS:
        op, opset, attributes = _OPERATORS[function.name]
        has_dtype = not graph.is_double or function.name in _IN_DOUBLE
        if has_dtype and graph.opset >= opset:
            return graph.add(op, z, **attributes)
    return _FORMULAS[function.name](graph, z)


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
    """Convert `Activation`, and the layers of one function each."""
    return activate(graph, x, layer.function)


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


def _exponential(graph: Graph, z: str, function: ELU) -> str:
    """Add ELU, SELU or CELU, whose attributes default to those of the papers."""
    if not graph.is_double:
        if isinstance(function, CELU):
            return graph.add("Celu", z, alpha=function.alpha)
        if isinstance(function, SELU):
            return graph.add("Selu", z, alpha=function.alpha, gamma=function.scale)
        return graph.add("Elu", z, alpha=function.alpha)
    below = graph.add("Min", z, graph.numbers(0.0))
    below = graph.add("Exp", _times(graph, below, 1 / function.width))
    below = graph.add("Sub", below, graph.numbers(1.0))
    below = _times(graph, below, function.alpha)
    y = graph.add("Add", graph.add("Relu", z), below)
    return _times(graph, y, function.scale)


def _smooth_clip(graph: Graph, z: str, limit: float) -> str:
    # With u = z / limit and m = max(|u|, 1), z / sqrt(1 + u^2) is
    # (z / m) / sqrt((1 / m)^2 + (u / m)^2), in which no square overflows.
    one = graph.numbers(1.0)
    u = graph.add("Mul", z, graph.numbers(1 / limit))
    m = graph.add("Max", graph.add("Abs", u), one)
    parts = [graph.add("Div", value, m) for value in (one, u)]
    squares = [graph.add("Mul", part, part) for part in parts]
    root = graph.add("Sqrt", graph.add("Add", *squares))
    return graph.add("Div", graph.add("Div", z, m), root)


def _times(graph: Graph, value: str, factor: float) -> str:
    return value if factor == 1 else graph.add("Mul", value, graph.numbers(factor))


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


def _hard_swish(graph: Graph, z: str) -> str:
    return graph.add("Mul", z, _hard_sigmoid(graph, z))


def _mish(graph: Graph, z: str) -> str:
    return graph.add("Mul", z, graph.add("Tanh", _softplus(graph, z)))


def _softsign(graph: Graph, z: str) -> str:
    size = graph.add("Add", graph.add("Abs", z), graph.numbers(1.0))
    return graph.add("Div", z, size)


def _hard_sigmoid(graph: Graph, z: str) -> str:
    line = graph.add("Mul", z, graph.numbers(1 / 6))
    line = graph.add("Add", line, graph.numbers(0.5))
    return graph.add("Clip", line, graph.numbers(0.0), graph.numbers(1.0))


def _step(graph: Graph, z: str) -> str:
    return graph.cast(graph.add("GreaterOrEqual", z, graph.numbers(0.0)), graph.dtype)


_FORMULAS: dict[str, Callable[[Graph, str], str]] = {
    "identity": lambda _, z: z,
    "gelu": _gelu,
    "silu": _silu,
    "hard_swish": _hard_swish,
    "mish": _mish,
    "softplus": _softplus,
    "softsign": _softsign,
    "hard_sigmoid": _hard_sigmoid,
    "step": _step,
}
