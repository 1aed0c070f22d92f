"""Outputs that are maps: in the order of X, and each position as a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.shapes import channels_last


def in_order_of_x(graph: Graph, maps: str, out_shape: Shape) -> str:
    """Return maps with their positions in the order that the tokens of X have.

    `out_shape` is that of a sample, channels last. Maps of another length than X stay
    as they are, and so do flat features.
    """
    order = graph.order
    if order is None or len(out_shape) == 1 or out_shape[0] != order.length:
        return maps
    length, *others = out_shape
    ranks = graph.reshape(order.ranks, (1, length, *(1,) * (len(others) - 1)))
    sizes = np.array([1, others[-1], 1, *others[:-1]], np.int64)
    ranks = graph.add("Expand", ranks, graph.constant(sizes, "sizes"))
    return graph.add("GatherElements", maps, ranks, axis=2)


def rows_of_positions(graph: Graph, scores: str, out_shape: Shape) -> str:
    """Turn maps of scores into rows of shape (n_positions, n_outputs).

    `out_shape` is that of a sample, channels last. Flat scores stay as they are.
    """
    if len(out_shape) == 1:
        return scores
    scores = in_order_of_x(graph, scores, out_shape)
    scores = channels_last(graph, scores, len(out_shape))
    shape = graph.constant(np.array([-1, out_shape[-1]], np.int64), "shape")
    return graph.add("Reshape", scores, shape)


def maps_output(
    graph: Graph,
    rows: str,
    name: str,
    dtype: np.dtype[Any],
    spatial: Sequence[int],
    shape: Sequence[int],
) -> None:
    """Let rows be the output called `name`, as maps if there are `spatial` axes.

    `shape` is that of a sample, or of a position of it.
    """
    if spatial:
        sizes = graph.constant(np.array([-1, *spatial, *shape], np.int64), "shape")
        rows = graph.add("Reshape", rows, sizes)
    graph.output(rows, name, dtype, (*spatial, *shape))
