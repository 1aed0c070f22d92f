"""Layers in a row, layers made of layers, and which layer is converted by what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skconvnet.layers.activation import ActivationLayer, PReLULayer, RReLULayer
from skconvnet.layers.adaptive_pooling import AdaptivePoolLayer
from skconvnet.layers.additive_attention import AdditiveAttentionLayer
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.layers.attention_pooling import AttentionPoolingLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
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
)
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.group_norm import GroupNormLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.local_response_norm import LocalResponseNormLayer
from skconvnet.layers.locally_connected import LocallyConnectedLayer
from skconvnet.layers.lp_pooling import GlobalLpPoolLayer, LpPoolLayer
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.layers.maxout import MaxoutLayer
from skconvnet.layers.parallel import ParallelLayer
from skconvnet.layers.pooling import AvgPoolLayer, MaxPoolLayer
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.layers.positional_encoding import PositionalEncodingLayer
from skconvnet.layers.rescaling import RescalingLayer, StandardizeLayer
from skconvnet.layers.reshape import PermuteLayer, ReshapeLayer
from skconvnet.layers.residual import ResidualLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer
from skconvnet.layers.transformer import TransformerEncoderLayer
from skconvnet.layers.upsampling import BilinearUpsampleLayer, NearestUpsampleLayer
from skconvnet.onnx import (
    activations,
    attention,
    convolutions,
    dense,
    normalization,
    pooling,
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
            x = _converter(graph, layer)(graph, layer, x)
    return x


def parallel(graph: Graph, layer: ParallelLayer, x: str) -> str:
    """Convert `Parallel`."""
    return graph.add("Concat", *_branches(graph, layer, x), axis=1)


def residual(graph: Graph, layer: ResidualLayer, x: str) -> str:
    """Convert `Residual`."""
    return graph.add("Add", *_branches(graph, layer, x))


def transformer(graph: Graph, layer: TransformerEncoderLayer, x: str) -> str:
    """Convert `TransformerEncoder`."""
    layers = list(layer.chain.layers.items())
    for part in layer.parts:
        y = _in_a_row(graph, layers[part.layers], x)
        x = graph.add("Add", y, x) if part.has_shortcut else y
    return x


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
    BilinearUpsampleLayer: resizing.bilinear,
    ConvolutionLayer: convolutions.convolution,
    ConvolutionTransposeLayer: convolutions.transposed,
    DenseLayer: dense.dense,
    DepthwiseLayer: convolutions.depthwise,
    DropoutLayer: shapes.identity,
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
    PermuteLayer: shapes.permute,
    PositionDenseLayer: attention.position_dense,
    PositionalEncodingLayer: attention.positional_encoding,
    RMSNormLayer: normalization.rms_norm,
    RReLULayer: activations.rrelu,
    RescalingLayer: normalization.rescaling,
    ReshapeLayer: shapes.reshape,
    ResidualLayer: residual,
    SeparableLayer: convolutions.separable,
    SpatialDropoutLayer: shapes.identity,
    SpatiallySeparableLayer: convolutions.spatially_separable,
    StandardizeLayer: normalization.standardize,
    TransformerEncoderLayer: transformer,
}
