"""Enlarged maps, and products with a matrix along an axis."""

from __future__ import annotations

from math import prod

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.layers.upsampling import BilinearUpsampleLayer, NearestUpsampleLayer
from skconvnet.onnx.graph import Graph
from skconvnet.ops.upsampling import linear_matrix


def nearest(graph: Graph, layer: NearestUpsampleLayer, x: str) -> str:
    """Convert `Upsample` with ``mode="nearest"``."""
    for i, size in enumerate(layer.size):
        if size > 1:
            repeated = np.repeat(np.arange(layer.in_shape[i]), size)
            x = graph.add("Gather", x, graph.constant(repeated, "rows"), axis=i + 2)
    return x


def bilinear(graph: Graph, layer: BilinearUpsampleLayer, x: str) -> str:
    """Convert `Upsample` with ``mode="bilinear"``."""
    *spatial, channels = layer.in_shape
    sizes = [channels, *spatial]
    for axis, size in enumerate(layer.size, start=1):
        if size > 1:
            matrix = linear_matrix(sizes[axis], size)
            x = multiply_axis(graph, x, matrix, tuple(sizes), axis)
            sizes[axis] *= size
    return x


def multiply_axis(
    graph: Graph, x: str, matrix: npt.NDArray[np.floating], sizes: Shape, axis: int
) -> str:
    """Multiply a map by a matrix of shape (n_out, n) along one axis.

    Parameters
    ----------
    graph : Graph
    x : str
    matrix : ndarray of shape (n_out, n)
    sizes : tuple of int
        Shape of a sample of x in the graph, (channels, *spatial).
    axis : int
        Position in `sizes`.
    """
    if axis == len(sizes) - 1:
        return graph.add("MatMul", x, graph.numbers(matrix.T, "matrix"))
    after = sizes[axis + 1 :]
    is_matrix = len(after) == 1
    if not is_matrix:
        x = graph.reshape(x, (*sizes[: axis + 1], prod(after)))
    x = graph.add("MatMul", graph.numbers(matrix, "matrix"), x)
    if is_matrix:
        return x
    return graph.reshape(x, (*sizes[:axis], len(matrix), *after))
