"""Layers that rearrange values, and the two layouts of maps."""

from __future__ import annotations

from math import prod

from skconvnet._typing import Shape
from skconvnet.layers.base import Layer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.reshape import PermuteLayer, ReshapeLayer
from skconvnet.onnx.graph import Graph


def channels_first(graph: Graph, x: str, ndim: int) -> str:
    """Move the channels of samples with `ndim` axes before the spatial axes."""
    if ndim == 1:
        return x
    return graph.add("Transpose", x, perm=[0, ndim, *range(1, ndim)])


def channels_last(graph: Graph, x: str, ndim: int) -> str:
    """Move the channels of samples with `ndim` axes after the spatial axes."""
    if ndim == 1:
        return x
    return graph.add("Transpose", x, perm=[0, *range(2, ndim + 1), 1])


def flatten_map(graph: Graph, x: str, shape: Shape) -> str:
    """Turn a map into flat features, in channels-last order.

    `shape` is that of a sample, channels last.
    """
    if len(shape) == 1:
        return x
    return graph.reshape(channels_last(graph, x, len(shape)), (prod(shape),))


def flatten(graph: Graph, layer: FlattenLayer, x: str) -> str:
    """Convert `Flatten`."""
    return flatten_map(graph, x, layer.in_shape)


def reshape(graph: Graph, layer: ReshapeLayer, x: str) -> str:
    """Convert `Reshape`, which takes values in channels-last order."""
    x = channels_last(graph, x, len(layer.in_shape))
    x = graph.reshape(x, layer.out_shape)
    return channels_first(graph, x, len(layer.out_shape))


def permute(graph: Graph, layer: PermuteLayer, x: str) -> str:
    """Convert `Permute`."""
    # The order of the axes of a batch-last map, of which those of a sample are first.
    return graph.add("Transpose", x, perm=[0, *(axis + 1 for axis in layer.order[:-1])])


def identity(graph: Graph, layer: Layer[object], x: str) -> str:  # noqa: ARG001  of every converter
    """Convert a layer that does nothing in prediction."""
    return x
