"""Normalization, and scaling by constants or by statistics of the training set."""

from __future__ import annotations

from math import prod

import numpy as np

from skconvnet._typing import NamedArrays, Shape
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.group_norm import GroupNormLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.local_response_norm import LocalResponseNormLayer
from skconvnet.layers.rescaling import RescalingLayer, StandardizeLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.onnx.activations import activate, per_channel
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.lengths import count_values, is_own
from skconvnet.ops.normalization import is_far_from_zero


def batch_norm(graph: Graph, layer: BatchNormLayer, x: str) -> str:
    """Convert `BatchNorm`, with its moving statistics."""
    arrays = {**layer.buffers, **layer.weights}
    mean, variance = arrays["moving_mean"], arrays["moving_variance"]
    if graph.is_double or is_far_from_zero(mean, variance):
        # The operator multiplies before it subtracts, which loses digits, and rounds
        # epsilon to float32.
        deviation = np.sqrt(variance.astype(np.float64) + layer.epsilon)
        factor = per_channel(arrays["gamma"] / deviation, layer.in_shape)
        x = graph.add("Sub", x, _constant(graph, "moving_mean", arrays, layer.in_shape))
        x = graph.add("Mul", x, graph.numbers(factor, "factor"))
        x = graph.add("Add", x, _constant(graph, "beta", arrays, layer.in_shape))
    else:
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        own = [graph.numbers(arrays[name], name) for name in names]
        x = graph.add("BatchNormalization", x, *own, epsilon=layer.epsilon)
    return activate(graph, x, layer.activation)


def layer_norm(graph: Graph, layer: LayerNormLayer, x: str) -> str:
    """Convert `LayerNorm`."""
    axes = _axes(layer.n_features, layer.in_shape)
    return _scaled_and_shifted(
        graph, layer, _standardized(graph, x, axes, layer.epsilon)
    )


def rms_norm(graph: Graph, layer: RMSNormLayer, x: str) -> str:
    """Convert `RMSNorm`."""
    squares = graph.add("Mul", x, x)
    axes = _axes(layer.n_features, layer.in_shape)
    mean = graph.reduce("ReduceMean", squares, axes, keepdims=True)
    mean = graph.add("Add", mean, graph.numbers(layer.epsilon, "epsilon"))
    x = graph.add("Div", x, graph.add("Sqrt", mean))
    return graph.add("Mul", x, _constant(graph, "gamma", layer.weights, layer.in_shape))


def group_norm(graph: Graph, layer: GroupNormLayer, x: str) -> str:
    """Convert `GroupNorm` and `InstanceNorm`."""
    lengths = graph.lengths.get(x)
    if lengths is not None:
        return _group_norm_of_sequences(graph, layer, x, lengths)
    *spatial, channels = layer.in_shape
    is_of_channels = layer.groups == channels
    if not graph.is_double and (is_of_channels or (spatial and graph.opset >= 21)):
        own = [graph.numbers(layer.weights[name], name) for name in ("gamma", "beta")]
        if is_of_channels:
            return graph.add("InstanceNormalization", x, *own, epsilon=layer.epsilon)
        return graph.add(
            "GroupNormalization",
            x,
            *own,
            num_groups=layer.groups,
            epsilon=layer.epsilon,
        )
    grouped = graph.reshape(x, (layer.groups, prod(layer.in_shape) // layer.groups))
    grouped = _standardized(graph, grouped, (2,), layer.epsilon)
    x = graph.reshape(grouped, (channels, *spatial))
    return _scaled_and_shifted(graph, layer, x)


def _group_norm_of_sequences(
    graph: Graph, layer: GroupNormLayer, x: str, lengths: str
) -> str:
    """Normalize groups by statistics in which padding does not count."""
    length, channels = layer.in_shape
    shape = (layer.groups, channels // layer.groups, length)
    counts = graph.reshape(count_values(graph, lengths, shape[1]), (1, 1, 1))

    def mean(values: str) -> str:
        sums = graph.reduce("ReduceSum", values, (2, 3), keepdims=True)
        return graph.add("Div", sums, counts)

    x = graph.reshape(x, shape)
    own = is_own(graph, lengths, (1, 1, length))
    x = graph.add("Where", own, graph.add("Sub", x, mean(x)), graph.numbers(0.0))
    x = _over_root(graph, x, mean(graph.add("Mul", x, x)), layer.epsilon)
    x = graph.reshape(x, (channels, length))
    return _scaled_and_shifted(graph, layer, x)


def local_response_norm(graph: Graph, layer: LocalResponseNormLayer, x: str) -> str:
    """Convert `LocalResponseNorm`."""
    size = layer.n_before + layer.n_after + 1
    if size % 2 and len(layer.in_shape) == 3 and not graph.is_double:
        # The operator divides alpha by the size. For an even one, it has the channel
        # more on the other side.
        alpha = layer.alpha * size
        return graph.add(
            "LRN", x, size=size, alpha=alpha, beta=layer.beta, bias=layer.k
        )
    *spatial, channels = layer.in_shape
    before = np.subtract.outer(np.arange(channels), np.arange(channels))
    band = (before <= layer.n_before) & (-before <= layer.n_after)
    squares = graph.reshape(graph.add("Mul", x, x), (channels, prod(spatial)))
    sums = graph.add("MatMul", graph.numbers(band, "band"), squares)
    sums = graph.reshape(sums, (channels, *spatial))
    base = graph.add("Mul", sums, graph.numbers(layer.alpha, "alpha"))
    base = graph.add("Add", base, graph.numbers(layer.k, "k"))
    factor = graph.add("Pow", base, graph.numbers(-layer.beta, "beta"))
    return graph.add("Mul", x, factor)


def rescaling(graph: Graph, layer: RescalingLayer, x: str) -> str:
    """Convert `Rescaling`."""
    y = graph.add("Mul", x, graph.numbers(layer.scale, "scale"))
    if not layer.offset:
        return y
    return graph.add("Add", y, graph.numbers(layer.offset, "offset"))


def standardize(graph: Graph, layer: StandardizeLayer, x: str) -> str:
    """Convert `Standardize`, with the statistics of the training set."""
    mean = _constant(graph, "mean", layer.buffers, layer.in_shape)
    deviation = _constant(graph, "deviation", layer.buffers, layer.in_shape)
    return graph.add("Div", graph.add("Sub", x, mean), deviation)


def _axes(n_features: int, in_shape: Shape) -> tuple[int, ...]:
    """Return the axes of a sample that are normalized: the channels, or all."""
    is_over_all = n_features > in_shape[-1]
    return tuple(range(1, len(in_shape) + 1)) if is_over_all else (1,)


def _standardized(graph: Graph, x: str, axes: tuple[int, ...], epsilon: float) -> str:
    """Bring values to mean 0 and variance 1 over axes."""
    mean = graph.reduce("ReduceMean", x, axes, keepdims=True)
    x = graph.add("Sub", x, mean)
    variance = graph.reduce("ReduceMean", graph.add("Mul", x, x), axes, keepdims=True)
    return _over_root(graph, x, variance, epsilon)


def _over_root(graph: Graph, x: str, variance: str, epsilon: float) -> str:
    """Divide by the root of the variance and epsilon."""
    variance = graph.add("Add", variance, graph.numbers(epsilon, "epsilon"))
    return graph.add("Div", x, graph.add("Sqrt", variance))


def _scaled_and_shifted(
    graph: Graph, layer: LayerNormLayer | GroupNormLayer, x: str
) -> str:
    x = graph.add("Mul", x, _constant(graph, "gamma", layer.weights, layer.in_shape))
    return graph.add("Add", x, _constant(graph, "beta", layer.weights, layer.in_shape))


def _constant(graph: Graph, name: str, arrays: NamedArrays, in_shape: Shape) -> str:
    """Add one of the arrays, of shape (channels,) or of the shape of a sample."""
    values = arrays[name]
    if values.ndim > 1:
        return graph.numbers(np.moveaxis(values, -1, 0), name)
    return graph.numbers(per_channel(values, in_shape), name)
