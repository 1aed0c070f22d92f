"""Outputs that are maps: each position as a row of its own, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.shapes import channels_last


def rows_of_positions(graph: Graph, scores: str, out_shape: Shape) -> str:
    """Turn maps of scores into rows of shape (n_positions, n_outputs).

    `out_shape` is that of a sample, channels last. Flat scores stay as they are.
    """
    if len(out_shape) == 1:
        return scores
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
