"""Layers in a row, layers made of layers, and which layer is converted by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.layers.activation import ActivationLayer, PReLULayer, RReLULayer
from skconvnet.layers.adaptive_pooling import AdaptivePoolLayer
from skconvnet.layers.additive_attention import AdditiveAttentionLayer
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.layers.attention_pooling import AttentionPoolingLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.bidirectional import BidirectionalLayer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_transpose import ConvolutionTransposeLayer
from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.depthwise import DepthwiseLayer, SeparableLayer
from skconvnet.layers.dropout import (
    DropoutLayer,
    GaussianNoiseLayer,
    SpatialDropoutLayer,
    StochasticDepthLayer,
)
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.encoder_decoder import EncoderDecoderLayer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.group_norm import GroupNormLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.local_response_norm import LocalResponseNormLayer
from skconvnet.layers.locally_connected import LocallyConnectedLayer
from skconvnet.layers.lp_pooling import GlobalLpPoolLayer, LpPoolLayer
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.layers.maxout import MaxoutLayer
from skconvnet.layers.parallel import ParallelLayer
from skconvnet.layers.periodic_embedding import PeriodicEmbeddingLayer
from skconvnet.layers.pooling import AvgPoolLayer, MaxPoolLayer
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.layers.positional_encoding import PositionalEncodingLayer
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.layers.rescaling import RescalingLayer, StandardizeLayer
from skconvnet.layers.reshape import PermuteLayer, ReshapeLayer
from skconvnet.layers.residual import ResidualLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer
from skconvnet.layers.time_distributed import TimeDistributedLayer
from skconvnet.layers.transformer import TransformerEncoderLayer
from skconvnet.layers.upsampling import BilinearUpsampleLayer, NearestUpsampleLayer
from skconvnet.layers.whitening import WhiteningConvolutionLayer
from skconvnet.onnx import (
    activations,
    attention,
    convolutions,
    dense,
    lengths,
    normalization,
    pooling,
    recurrent,
    resizing,
    shapes,
)
from skconvnet.onnx.graph import Graph

# Adds a layer to the graph, given the name of its input; returns that of its output.
Converter = Callable[[Graph, Any, str], str]


def chain(graph: Graph, layers: Chain, x: str, stop: int | None = None) -> str:
    """Convert layers in a row, the first `stop` of them unless it is None.

    Raises
    ------
    ValueError
        If there is no conversion for a layer; the message has its name.
    """
    return _in_a_row(graph, list(layers.layers.items())[:stop], x)


def _in_a_row(graph: Graph, layers: Sequence[tuple[str, Layer[Any]]], x: str) -> str:
    for name, layer in layers:
        with graph.layer(name):
            y = _converter(graph, layer)(graph, layer, x)
            x = y if y == x else _with_lengths(graph, layer, graph.lengths.get(x), y)
    return x


def _with_lengths(graph: Graph, layer: Layer[Any], before: str | None, y: str) -> str:
    """Keep in mind the lengths of an output, and clear its padding.

    `before` are the lengths of the input. What converts a layer that finds the ends of
    samples itself, or has layers inside, has told the lengths of the output already.
    """
    if len(layer.out_shape) == 1:
        return y
    own = graph.lengths.get(y)
    if y not in graph.lengths and before is not None:
        own = lengths.lengths_after(graph, layer, before)
    if own is None or isinstance(layer, EmbeddingLayer):  # whose padding is zero
        return y
    y = lengths.clear_padding(graph, y, own, layer.out_shape)
    graph.lengths[y] = own
    return y


def parallel(graph: Graph, layer: ParallelLayer, x: str) -> str:
    """Convert `Parallel`."""
    branches = _branches(graph, layer, x)
    return _joined(graph, graph.add("Concat", *branches, axis=1), branches[0])


def residual(graph: Graph, layer: ResidualLayer, x: str) -> str:
    """Convert `Residual`."""
    branches = _branches(graph, layer, x)
    return _joined(graph, graph.add("Add", *branches), branches[0])


def transformer(graph: Graph, layer: TransformerEncoderLayer, x: str) -> str:
    """Convert `TransformerEncoder`."""
    layers = list(layer.chain.layers.items())
    for part in layer.parts:
        y = _in_a_row(graph, layers[part.layers], x)
        x = graph.add("Add", y, x) if part.has_shortcut else y
    return x


def encoder_decoder(graph: Graph, layer: EncoderDecoderLayer, x: str) -> str:
    """Convert `EncoderDecoder`."""
    start, outputs, sizes = 0, {}, {}
    for name, inner in layer.chains.items():
        stop = start + inner.in_shape[0]
        limits = (np.array([n], np.int64) for n in (start, stop, -1))
        part = graph.add("Slice", x, *(graph.constant(n, "part") for n in limits))
        with graph.layer(name):
            outputs[name] = chain(graph, inner, part)
        start, sizes[name] = stop, inner.out_shape[0]
    decoded, memory = outputs["decoder"], outputs["encoder"]
    n_steps = sizes["decoder"], sizes["encoder"]
    means = attention.additive_means(graph, layer.weights, (decoded, memory), n_steps)
    return _joined(graph, graph.add("Concat", decoded, means, axis=1), decoded)


def time_distributed(graph: Graph, layer: TimeDistributedLayer, x: str) -> str:
    """Convert `TimeDistributed`, with each step of each sample as a sample."""
    inner, own = layer.chain, graph.lengths.get(x)
    # The steps come after the batch, and the channels after the steps.
    x = graph.add("Transpose", x, perm=_steps_and_channels_swapped(layer.in_shape))
    if own is None and inner.padding_token is not None and not layer.keeps_padding:
        own = _lengths_in_steps(graph, layer, x, inner.padding_token)
    *spatial, channels = inner.in_shape
    shape = np.array([-1, channels, *spatial], np.int64)
    x = graph.add("Reshape", x, graph.constant(shape, "shape"))
    if inner.padding_token is not None and not spatial and len(inner.out_shape) == 1:
        is_token = lengths.find_tokens(graph, x, inner.padding_token)
        ranks = lengths.ranks_with_padding_last(graph, is_token, channels)
        x = lengths.with_padding_last(graph, x, ranks)
    y = chain(graph, inner, x)
    *spatial, channels = inner.out_shape
    shape = np.array([-1, layer.n_steps, channels, *spatial], np.int64)
    y = graph.add("Reshape", y, graph.constant(shape, "shape"))
    y = graph.add("Transpose", y, perm=_steps_and_channels_swapped(layer.out_shape))
    graph.lengths[y] = own
    return y


def _lengths_in_steps(
    graph: Graph, layer: TimeDistributedLayer, x: str, padding: int
) -> str:
    """Return the number of steps up to the last one with a token.

    `x` are tokens, and its second axis counts the steps.
    """
    is_token = graph.cast(lengths.find_tokens(graph, x, padding), np.int64)
    others = tuple(range(2, len(layer.in_shape) + 1))
    n_tokens = graph.reduce("ReduceSum", is_token, others)
    none = graph.constant(np.int64(0), "none")
    has_tokens = graph.add("Greater", n_tokens, none)
    return lengths.lengths_of(graph, has_tokens, layer.n_steps)


def _steps_and_channels_swapped(shape: Shape) -> list[int]:
    """Return the axes of (batch, channels, steps, ...) with two of them swapped.

    >>> _steps_and_channels_swapped((5, 8, 3))
    [0, 2, 1, 3]
    """
    return [0, 2, 1, *range(3, len(shape) + 1)]


def _joined(graph: Graph, y: str, part: str) -> str:
    """Return an output that has the lengths of one of its parts."""
    graph.lengths[y] = graph.lengths.get(part)
    return y


def _branches(graph: Graph, layer: BranchedLayer, x: str) -> list[str]:
    outputs = []
    for name, branch in layer.chains.items():
        with graph.layer(name):
            outputs.append(chain(graph, branch, x))
    return outputs


def _converter(graph: Graph, layer: Layer[Any]) -> Converter:
    """Return what converts a layer, or raise an error that names it."""
    kind = type(layer)
    if kind not in CONVERTERS:
        raise ValueError(
            f"The layer {'/'.join(graph.path)!r}, a {kind.__name__}, cannot be "
            "exported to ONNX: only the layers of skconvnet.layers can. Replace it by "
            "one of them."
        )
    return CONVERTERS[kind]


# By the exact type, as a subclass may compute something else.
CONVERTERS: dict[type[Layer[Any]], Converter] = {
    ActivationLayer: activations.activation,
    AdaptivePoolLayer: pooling.adaptive_pool,
    AdditiveAttentionLayer: attention.additive_attention,
    AttentionPoolingLayer: attention.attention_pooling,
    AvgPoolLayer: pooling.avg_pool,
    BatchNormLayer: normalization.batch_norm,
    BidirectionalLayer: recurrent.bidirectional,
    BilinearUpsampleLayer: resizing.bilinear,
    ConvolutionLayer: convolutions.convolution,
    ConvolutionTransposeLayer: convolutions.transposed,
    DenseLayer: dense.dense,
    DepthwiseLayer: convolutions.depthwise,
    DropoutLayer: shapes.identity,
    EncoderDecoderLayer: encoder_decoder,
    EmbeddingLayer: dense.embedding,
    FlattenLayer: shapes.flatten,
    GaussianNoiseLayer: shapes.identity,
    GlobalLpPoolLayer: pooling.global_lp_pool,
    GroupNormLayer: normalization.group_norm,
    LayerNormLayer: normalization.layer_norm,
    LocalResponseNormLayer: normalization.local_response_norm,
    LocallyConnectedLayer: convolutions.locally_connected,
    LpPoolLayer: pooling.lp_pool,
    MapOutputLayer: convolutions.map_output,
    MaxPoolLayer: pooling.max_pool,
    MaxoutLayer: activations.maxout,
    MultiHeadAttentionLayer: attention.multi_head_attention,
    NearestUpsampleLayer: resizing.nearest,
    PReLULayer: activations.prelu,
    ParallelLayer: parallel,
    PeriodicEmbeddingLayer: dense.periodic_embedding,
    PermuteLayer: shapes.permute,
    RMSNormLayer: normalization.rms_norm,
    PositionDenseLayer: attention.position_dense,
    PositionalEncodingLayer: attention.positional_encoding,
    RReLULayer: activations.rrelu,
    RecurrentLayer: recurrent.recurrent,
    RescalingLayer: normalization.rescaling,
    ReshapeLayer: shapes.reshape,
    ResidualLayer: residual,
    SeparableLayer: convolutions.separable,
    SpatialDropoutLayer: shapes.identity,
    SpatiallySeparableLayer: convolutions.spatially_separable,
    StochasticDepthLayer: shapes.identity,
    StandardizeLayer: normalization.standardize,
    TransformerEncoderLayer: transformer,
    TimeDistributedLayer: time_distributed,
    WhiteningConvolutionLayer: convolutions.convolution,
}
