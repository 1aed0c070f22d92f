"""Attention, by products of matrices, and what else works on sequences.

Samples have the shape (channels, length) here.
"""

from __future__ import annotations

import numpy as np

from skconvnet._typing import NamedArrays, Shape
from skconvnet.layers.additive_attention import AdditiveAttentionLayer
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.layers.attention_pooling import AttentionPoolingLayer
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.layers.positional_encoding import PositionalEncodingLayer
from skconvnet.onnx.activations import activate
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.lengths import is_own


def multi_head_attention(graph: Graph, layer: MultiHeadAttentionLayer, x: str) -> str:
    """Convert `MultiHeadAttention`."""
    length, n_heads, weights = layer.in_shape[0], layer.n_heads, layer.weights
    scale = layer.projections.key_dim**-0.5
    heads = []
    for name, width in layer.projections.widths.items():
        kernel = weights[f"{name}_kernel"]
        bias = weights[f"{name}_bias"] if layer.use_bias else None
        projected = _project(graph, x, kernel, bias, name)
        shape = (n_heads, width // n_heads, length)
        heads.append(graph.reshape(projected, shape))
    queries, keys, values = heads
    queries = graph.add("Mul", queries, graph.numbers(scale, "scale"))
    queries = graph.add("Transpose", queries, perm=[0, 1, 3, 2])
    scores = graph.add("MatMul", queries, keys)
    scores = _hide_padding(graph, scores, graph.lengths.get(x), (1, 1, length))
    shares = _softmax(graph, scores, length, causal=layer.causal)
    # (heads, keys, queries): values are (heads, value_dim, keys).
    shares = graph.add("Transpose", shares, perm=[0, 1, 3, 2])
    means = graph.add("MatMul", values, shares)
    means = graph.reshape(means, (layer.projections.widths["value"], length))
    bias = weights["output_bias"] if layer.use_bias else None
    return _project(graph, means, weights["output_kernel"], bias, "output")


def additive_attention(graph: Graph, layer: AdditiveAttentionLayer, x: str) -> str:
    """Convert `AdditiveAttention`."""
    n_steps = (layer.in_shape[0],) * 2
    return additive_means(graph, layer.weights, (x, x), n_steps, causal=layer.causal)


def additive_means(
    graph: Graph,
    weights: NamedArrays,
    queries_and_values: tuple[str, str],
    n_steps: tuple[int, int],
    *,
    causal: bool = False,
) -> str:
    """Return the means of values, weighted by additive scores, for each query.

    Parameters
    ----------
    graph : Graph
    weights : mapping of str to ndarray
        Among others "query_kernel", "key_kernel", "bias" and "context".
    queries_and_values : (str, str)
        Two sequences, of which the second has the keys as well.
    n_steps : (int, int)
        How many steps they have, with padding.
    causal : bool
        Whether a query looks at no later key.
    """
    (x, values), (n_queries, n_keys) = queries_and_values, n_steps
    (units,) = weights["bias"].shape
    queries = _project(graph, x, weights["query_kernel"], weights["bias"], "query")
    keys = _project(graph, values, weights["key_kernel"], None, "key")
    queries = graph.reshape(queries, (units, n_queries, 1))
    keys = graph.reshape(keys, (units, 1, n_keys))
    hidden = graph.add("Tanh", graph.add("Add", queries, keys))
    hidden = graph.reshape(hidden, (units, n_queries * n_keys))
    context = graph.numbers(weights["context"][np.newaxis], "context")
    scores = graph.reshape(graph.add("MatMul", context, hidden), n_steps)
    scores = _hide_padding(graph, scores, graph.lengths.get(values), (1, n_keys))
    shares = _softmax(graph, scores, n_queries, causal=causal)
    return graph.add("MatMul", values, graph.add("Transpose", shares, perm=[0, 2, 1]))


def attention_pooling(graph: Graph, layer: AttentionPoolingLayer, x: str) -> str:
    """Convert `AttentionPooling`."""
    weights = layer.weights
    hidden = _project(graph, x, weights["kernel"], weights["bias"], "hidden")
    context = graph.numbers(weights["context"][np.newaxis], "context")
    scores = graph.add("MatMul", context, graph.add("Tanh", hidden))
    shape = (1, layer.in_shape[0])
    scores = _hide_padding(graph, scores, graph.lengths.get(x), shape)
    shares = graph.add("Softmax", scores, axis=-1)
    product = graph.add("Mul", x, shares)
    return graph.reduce("ReduceSum", product, (2,))


def positional_encoding(graph: Graph, layer: PositionalEncodingLayer, x: str) -> str:
    """Convert `PositionalEncoding`."""
    return graph.add("Add", x, graph.numbers(layer.encodings().T, "encodings"))


def position_dense(graph: Graph, layer: PositionDenseLayer, x: str) -> str:
    """Convert a dense layer at every step."""
    weights = layer.weights
    z = _project(graph, x, weights["kernel"], weights["bias"])
    return activate(graph, z, layer.activation)


def _project(
    graph: Graph,
    x: str,
    kernel: np.ndarray,
    bias: np.ndarray | None,
    name: str = "",
) -> str:
    """Multiply the channels of each step by a kernel, and add a bias."""
    begin = f"{name}_" if name else ""
    y = graph.add("MatMul", graph.numbers(kernel.T, f"{begin}kernel"), x)
    if bias is None:
        return y
    return graph.add("Add", y, graph.numbers(bias[:, np.newaxis], f"{begin}bias"))


def _hide_padding(graph: Graph, scores: str, lengths: str | None, shape: Shape) -> str:
    """Give keys that are padding the smallest score.

    `shape` is that of the scores of a sample, with ones for all axes but the keys. If
    all keys of a sample are padding, they have equal weights, but their values are 0.
    """
    if lengths is None:
        return scores
    own = is_own(graph, lengths, shape)
    # -inf would make the softmax of a sample without keys NaN.
    smallest = graph.numbers(np.finfo(graph.dtype).min, "smallest")
    return graph.add("Where", own, scores, smallest)


def _softmax(graph: Graph, scores: str, length: int, *, causal: bool) -> str:
    """Turn scores (..., queries, keys) into weights."""
    if causal:
        later = np.triu(np.full((length, length), -np.inf), 1)
        scores = graph.add("Add", scores, graph.numbers(later, "later_keys"))
    return graph.add("Softmax", scores, axis=-1)
