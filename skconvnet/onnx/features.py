"""The activations of a layer as features, in place of predictions."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from skconvnet._typing import Shape
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.pooling import whole_map
from skconvnet.onnx.positions import in_order_of_x
from skconvnet.onnx.shapes import flatten_map


@dataclass(frozen=True)
class FeaturesHead:
    """How a `FeatureExtractor` turns the activations of a layer into rows.

    Attributes
    ----------
    pooling : {"avg", "max"} or None
        What becomes of the positions of a map; None keeps them all.
    """

    pooling: str | None = None

    def add_to(self, graph: Graph, scores: str, out_shape: Shape) -> None:
        """Add the output "variable", of shape (n_samples, n_features).

        `scores` are the activations of the layer.
        """
        if self.pooling is None or len(out_shape) == 1:
            maps = in_order_of_x(graph, scores, out_shape)
            rows = flatten_map(graph, maps, out_shape)
            n_features = prod(out_shape)
        else:
            rows = whole_map(graph, self.pooling, scores, out_shape)
            n_features = out_shape[-1]
        graph.output(rows, "variable", graph.dtype, (n_features,))
