"""Sequences of different lengths in one tensor, as in `skconvnet.ops.lengths`.

The steps of a sequence come first and padding last, and the padding of every map is
zero. `Graph.lengths` has the name of the lengths of each map that may be padded, which
are int64 of shape (batch,).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.layers.base import Layer
from skconvnet.onnx.graph import Graph


def find_tokens(graph: Graph, tokens: str, padding: int) -> str:
    """Tell which tokens are not padding, as booleans."""
    tokens = graph.cast(tokens, np.int64)
    is_padding = graph.add("Equal", tokens, _integers(graph, padding, "padding_token"))
    return graph.add("Not", is_padding)


def lengths_of(graph: Graph, is_token: str, length: int) -> str:
    """Return the length of each row without the padding at its end.

    Parameters
    ----------
    graph : Graph
    is_token : str
        Booleans of shape (batch, length).
    length : int
    """
    numbers = _integers(graph, np.arange(1, length + 1), "numbers")
    ends = graph.add("Where", is_token, numbers, _integers(graph, 0))
    return graph.reduce("ReduceMax", ends, (1,))


def ranks_with_padding_last(graph: Graph, is_token: str, length: int) -> str:
    """Return where each token goes so that padding comes last.

    Other tokens keep their order. With c for how many tokens are not padding, up to a
    position p, and n for how many of these there are in all::

        p                0  1  2  3
        token            0  7  0  5      0 is padding
        c                0  1  1  2      n = 2
        rank of a token     0     1      c - 1
        of padding       2     3         n + p - c

    Parameters
    ----------
    graph : Graph
    is_token : str
        Booleans of shape (batch, length).
    length : int

    Returns
    -------
    ranks : str
        int64 of shape (batch, length).
    """
    ones = graph.cast(is_token, np.int64)
    n_before = graph.add("CumSum", ones, _integers(graph, 1, "axis"))
    n_tokens = graph.reduce("ReduceSum", ones, (1,), keepdims=True)
    positions = _integers(graph, np.arange(length), "positions")
    of_padding = graph.add("Sub", graph.add("Add", n_tokens, positions), n_before)
    of_token = graph.add("Sub", n_before, _integers(graph, 1))
    return graph.add("Where", is_token, of_token, of_padding)


def with_padding_last(graph: Graph, tokens: str, ranks: str) -> str:
    """Return tokens in the order of their ranks."""
    return graph.add("ScatterElements", tokens, ranks, tokens, axis=1)


def is_own(graph: Graph, lengths: str, shape: Shape) -> str:
    """Tell which positions are not padding, to be broadcast against samples.

    `shape` is that for one sample: the length of the sequences, and ones.
    """
    positions = np.arange(max(shape)).reshape(shape)
    limits = graph.reshape(lengths, (1,) * len(shape))
    return graph.add("Less", _integers(graph, positions, "positions"), limits)


def clear_padding(
    graph: Graph, x: str, lengths: str, in_shape: Shape, value: float = 0.0
) -> str:
    """Replace the padding of maps by `value`.

    `in_shape` is the shape of a sample of `x`, channels last.
    """
    shape = (1, in_shape[0], *(1,) * (len(in_shape) - 2))
    own = is_own(graph, lengths, shape)
    return graph.add("Where", own, x, graph.numbers(value, "padding"))


def clear_empty(graph: Graph, features: str, lengths: str) -> str:
    """Replace the features of samples without any position by 0."""
    is_empty = graph.add("Equal", graph.reshape(lengths, (1,)), _integers(graph, 0))
    return graph.add("Where", is_empty, graph.numbers(0.0), features)


def count_values(graph: Graph, lengths: str, per_position: int = 1) -> str:
    """Return how many values to divide a sum by, as numbers of shape (batch, 1).

    There are `per_position` values at each position. Where there are none, it is 1.
    """
    factor = _integers(graph, per_position, "per_position")
    counts = graph.add("Max", graph.add("Mul", lengths, factor), _integers(graph, 1))
    return graph.cast(graph.reshape(counts, (1,)), graph.dtype)


def last_steps(graph: Graph, steps: str, lengths: str) -> str:
    """Return the last step of each sample, or 0 if it has none.

    `steps` have the shape (length, batch, features).
    """
    one = _integers(graph, 1)
    last = graph.add("Max", graph.add("Sub", lengths, one), _integers(graph, 0))
    by_sample = graph.add("Transpose", steps, perm=[1, 0, 2])
    last = graph.reshape(last, (1,))
    features = graph.add("GatherND", by_sample, last, batch_dims=1)
    return clear_empty(graph, features, lengths)


def reverse_steps(graph: Graph, steps: str, lengths: str) -> str:
    """Reverse the steps of each sample within its own length.

    `steps` have the shape (length, batch, features).
    """
    return graph.add("ReverseSequence", steps, lengths, time_axis=0, batch_axis=1)


def lengths_after(graph: Graph, layer: Layer[Any], lengths: str) -> str | None:
    """Return the lengths of the outputs of a layer that does not find them itself.

    The layer tells what becomes of every length that there may be.
    """
    before = np.arange(layer.in_shape[0] + 1)
    after = layer.lengths_after(np.empty(0), before)
    if after is None:
        return None
    if np.array_equal(after, before):
        return lengths
    return graph.add("Gather", _integers(graph, after, "lengths"), lengths)


def _integers(graph: Graph, values: npt.ArrayLike, name: str = "constant") -> str:
    return graph.constant(np.asarray(values, np.int64), name)
