"""Dense layers, and embeddings of tokens and of numbers."""

from __future__ import annotations

import numpy as np

from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.periodic_embedding import PeriodicEmbeddingLayer
from skconvnet.onnx.activations import activate
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.lengths import find_tokens, lengths_of


def dense(graph: Graph, layer: DenseLayer, x: str) -> str:
    """Convert `Dense`, and the output layer without the activation of the loss."""
    kernel = graph.numbers(layer.weights["kernel"], "kernel")
    bias = graph.numbers(layer.weights["bias"], "bias")
    return activate(graph, graph.add("Gemm", x, kernel, bias), layer.activation)


def embedding(graph: Graph, layer: EmbeddingLayer, x: str) -> str:
    """Convert `Embedding`. Tokens are not checked."""
    tokens = graph.cast(x, np.int64)
    table = layer.weights["table"].copy()
    if layer.padding is not None:
        table[layer.padding] = -np.inf if layer.reduce == "max" else 0
    rows = graph.add("Gather", graph.numbers(table, "table"), tokens, axis=0)
    if layer.reduce is None:
        y = graph.add("Transpose", rows, perm=[0, 2, 1])
        if layer.padding is not None and not layer.keeps_padding:
            is_token = find_tokens(graph, tokens, layer.padding)
            graph.lengths[y] = lengths_of(graph, is_token, layer.in_shape[0])
        return y
    if layer.padding is None:
        op = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax"}
        return graph.reduce(op[layer.reduce], rows, (1,))
    if layer.reduce == "sum":
        return graph.reduce("ReduceSum", rows, (1,))
    is_token = graph.cast(find_tokens(graph, tokens, layer.padding), graph.dtype)
    lengths = graph.reduce("ReduceSum", is_token, (1,), keepdims=True)
    if layer.reduce == "mean":
        sums = graph.reduce("ReduceSum", rows, (1,))
        return graph.add("Div", sums, graph.add("Max", lengths, graph.numbers(1.0)))
    maxima = graph.reduce("ReduceMax", rows, (1,))
    is_empty = graph.add("Equal", lengths, graph.numbers(0.0))
    return graph.add("Where", is_empty, graph.numbers(0.0), maxima)


def periodic_embedding(graph: Graph, layer: PeriodicEmbeddingLayer, x: str) -> str:
    """Convert `PeriodicEmbedding`."""
    kernel, bias = layer.weights["kernel"], layer.weights["bias"]
    n_features, n_waves, n_dims = kernel.shape
    # cos(a) = sin(a + pi / 2).
    frequencies = np.tile(2 * np.pi * layer.weights["frequencies"], 2)
    phases = np.repeat([0, np.pi / 2], layer.n_frequencies)
    x = graph.reshape(x, (n_features, 1))
    angles = graph.add("Mul", x, graph.numbers(frequencies, "frequencies"))
    angles = graph.add("Add", angles, graph.numbers(phases, "phases"))
    waves = graph.reshape(graph.add("Sin", angles), (n_features, 1, n_waves))
    z = graph.add("MatMul", waves, graph.numbers(kernel, "kernel"))
    z = graph.reshape(z, (n_features, n_dims))
    z = graph.add("Add", z, graph.numbers(bias, "bias"))
    return graph.add("Transpose", activate(graph, z, layer.activation), perm=[0, 2, 1])
