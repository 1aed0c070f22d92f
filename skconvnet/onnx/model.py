"""A whole network as a model of ONNX: its input, its layers and its outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.onnx import lengths
from skconvnet.onnx.containers import chain
from skconvnet.onnx.ends import check_ends
from skconvnet.onnx.graph import Graph, TokenOrder
from skconvnet.onnx.heads import Head
from skconvnet.onnx.shapes import channels_first

if TYPE_CHECKING:
    from onnx import ModelProto


def network_model(
    network: Network,
    head: Head,
    *,
    dtype: np.dtype[Any],
    input_dtype: np.dtype[Any],
    shape: Shape,
    is_channels_first: bool,
    opset: int,
    name: str,
    stop: int | None = None,
) -> ModelProto:
    """Return the model of a network.

    Parameters
    ----------
    network : Network
    head : ClassifierHead, ColumnsHead, RegressorHead or FeaturesHead
    dtype : dtype
        float32 or float64, in which the model computes.
    input_dtype : dtype
        That of the input X.
    shape : tuple of int
        Shape of a sample of X, as users pass it: rows, or maps with or without an axis
        of channels.
    is_channels_first : bool
        Whether the channels of X come before its spatial axes.
    opset : int
    name : str
        The name of the graph.
    stop : int, default=None
        The number of layers that the head follows. None means all.

    Raises
    ------
    TypeError, ValueError
        If a layer, the labels or the dtype of X are not part of ONNX.
    """
    graph = Graph(dtype, opset)
    x = graph.input("X", _as_input(input_dtype), shape)
    x = _as_maps(graph, x, shape, network.in_shape, is_channels_first)
    first = next(iter(network.layers.values()))
    if input_dtype != dtype and not isinstance(first, EmbeddingLayer):
        x = graph.cast(x, dtype)
    if network.ends_at_padding:
        check_ends(network, stop)
        x = _with_padding_last(graph, network, x)
    outputs = chain(graph, network.chain, x, stop)
    last = list(network.layers.values())[:stop][-1]
    head.add_to(graph, outputs, last.out_shape)
    return graph.model(name)


def _with_padding_last(graph: Graph, network: Network, tokens: str) -> str:
    """Add what moves padding to the ends of the rows, and keep their order in mind."""
    (length,), padding = network.in_shape, network.chain.padding_token
    assert padding is not None
    is_token = lengths.find_tokens(graph, tokens, padding)
    ranks = lengths.ranks_with_padding_last(graph, is_token, length)
    graph.order = TokenOrder(ranks, length)
    return lengths.with_padding_last(graph, tokens, ranks)


def _as_input(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the input in the byte order of this machine."""
    if dtype.kind not in "fiub" or dtype.itemsize > np.dtype(np.float64).itemsize:
        raise TypeError(
            "X must have a dtype of ONNX: booleans, integers or floats of at most 64 "
            f"bits; got {dtype}. Pass X.astype('float32')."
        )
    return dtype.newbyteorder("=")


def _as_maps(
    graph: Graph, x: str, shape: Shape, in_shape: Shape, is_channels_first: bool
) -> str:
    """Add what turns samples of X into maps, or into rows, of the graph's layout."""
    own = in_shape
    if is_channels_first:
        own = (in_shape[-1], *in_shape[:-1])
    if shape != own:
        x = graph.reshape(x, own)
    return x if is_channels_first else channels_first(graph, x, len(in_shape))
