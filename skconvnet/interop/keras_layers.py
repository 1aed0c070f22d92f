"""Which layer of Keras each layer with weights is, and how their arrays are ours.

Keras has maps channels last and flattens them as we do. Its kernels have the taps first
and the channels last.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.engine.network import Network
from skconvnet.interop.counterparts import (
    Arrange,
    Counterpart,
    ForeignArray,
    ForeignModule,
    as_it_is,
    refuse,
)
from skconvnet.layers.activation import PReLULayer
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.bidirectional import BidirectionalLayer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_transpose import ConvolutionTransposeLayer
from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.depthwise import DepthwiseLayer, SeparableLayer
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.group_norm import GroupNormLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.layers.positional_encoding import PositionalEncodingLayer
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.layers.rescaling import StandardizeLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer
from skconvnet.layers.transformer import TransformerEncoderLayer
from skconvnet.ops.recurrent.lstm import LSTMCell
from skconvnet.ops.recurrent.simple import SimpleCell

_BIAS = ForeignArray("bias", "bias", default=0.0)


def keras_counterparts(
    network: Network, names: Collection[str] | None = None
) -> list[Counterpart]:
    """Return what each layer with weights is in Keras, in order.

    If `names` are given, layers of other names are left out.

    Raises
    ------
    ValueError
        If a layer has no counterpart.
    """
    return _of_layers(network.layers, "", names)


def _of_layers(
    layers: Mapping[str, Layer[Any]], prefix: str, names: Collection[str] | None
) -> list[Counterpart]:
    found: list[Counterpart] = []
    for own_name, layer in layers.items():
        name = f"{prefix}{own_name}"
        if isinstance(layer, BranchedLayer):
            for branch, chain in layer.chains.items():
                inside = f"{name}/{branch}/" if branch else f"{name}/"
                found += _of_layers(chain.layers, inside, names)
            continue
        if isinstance(layer, TransformerEncoderLayer):
            found += _of_layers(layer.chain.layers, f"{name}/", names)
            continue
        if names is not None and name not in names:
            continue
        modules = keras_modules(layer, name)
        if modules:
            found.append(Counterpart(name, layer, modules))
    return found


@singledispatch
def keras_modules(layer: Layer[Any], name: str) -> tuple[ForeignModule, ...]:
    """Return Keras' layers for a layer, none if it has no weights.

    Raises
    ------
    ValueError
        If Keras does not have the layer.
    """
    learned = bool(layer.weight_shapes or layer.buffer_shapes)
    if learned and not isinstance(layer, StandardizeLayer):
        raise refuse(name, layer, "Keras")
    return ()


@keras_modules.register(DenseLayer)
@keras_modules.register(PositionDenseLayer)
def _dense(layer: Layer[Any], name: str) -> tuple[ForeignModule, ...]:
    del layer, name
    return (ForeignModule("Dense", (ForeignArray("kernel", "kernel"), _BIAS)),)


def _taps_first(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn (a, b, *kernel_size) into (*kernel_size, b, a)."""
    return kernel.transpose(*range(2, kernel.ndim), 1, 0)


def _taps_first_by_channel(channels: int) -> Arrange:
    """Return what turns (channels * m, 1, *kernel_size) into Keras' depthwise kernel.

    It has the shape (*kernel_size, channels, m).
    """

    def arrange(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
        by_channel = kernel.reshape(channels, -1, *kernel.shape[2:])
        return np.moveaxis(by_channel, (0, 1), (-2, -1))

    return arrange


@keras_modules.register(ConvolutionLayer)
@keras_modules.register(ConvolutionTransposeLayer)
@keras_modules.register(MapOutputLayer)
def _convolution(layer: Layer[Any], name: str) -> tuple[ForeignModule, ...]:
    kind = f"Conv{len(layer.in_shape) - 1}D"
    if isinstance(layer, ConvolutionTransposeLayer):
        kind += "Transpose"
        if layer.selector.groups > 1:
            raise ValueError(
                f"layer {name!r} cannot be converted: {kind} of Keras has no groups."
            )
    return (ForeignModule(kind, (_kernel("kernel"), _BIAS)),)


def _kernel(ours: str) -> ForeignArray:
    return ForeignArray("kernel", ours, _taps_first)


@keras_modules.register
def _depthwise(layer: DepthwiseLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    arrange = _taps_first_by_channel(layer.in_shape[-1])
    kernel = ForeignArray("kernel", "kernel", arrange)
    return (ForeignModule("DepthwiseConv2D", (kernel, _BIAS)),)


@keras_modules.register
def _separable(layer: SeparableLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    ndim = len(layer.in_shape) - 1
    if ndim > 2:  # which Keras has only as two convolutions, of which one has groups
        return _in_two_steps("Conv3D", "depthwise", "pointwise")
    arrange = _taps_first_by_channel(layer.in_shape[-1])
    arrays = (
        ForeignArray("depthwise_kernel", "depthwise", arrange),
        ForeignArray("pointwise_kernel", "pointwise", _taps_first),
        _BIAS,
    )
    return (ForeignModule(f"SeparableConv{ndim}D", arrays),)


@keras_modules.register
def _spatially_separable(
    layer: SpatiallySeparableLayer, name: str
) -> tuple[ForeignModule, ...]:
    del layer, name
    return _in_two_steps("Conv2D", "vertical", "horizontal")


def _in_two_steps(kind: str, first: str, second: str) -> tuple[ForeignModule, ...]:
    """Return two convolutions, of which the first has no bias."""
    return (
        ForeignModule(kind, (_kernel(first),), f"/{first}"),
        ForeignModule(kind, (_kernel(second), _BIAS), f"/{second}"),
    )


@keras_modules.register
def _batch_norm(layer: BatchNormLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    defaults = {"gamma": 1.0, "beta": 0.0}
    arrays = tuple(
        ForeignArray(array, array, default=defaults.get(array))
        for array in (*layer.weight_shapes, *layer.buffer_shapes)
    )
    return (ForeignModule("BatchNormalization", arrays),)


@keras_modules.register(GroupNormLayer)
@keras_modules.register(LayerNormLayer)
def _layer_norm(layer: Layer[Any], name: str) -> tuple[ForeignModule, ...]:
    del name
    arrays = (
        ForeignArray("gamma", "gamma", default=1.0),
        ForeignArray("beta", "beta", default=0.0),
    )
    kind = "Group" if isinstance(layer, GroupNormLayer) else "Layer"
    return (ForeignModule(f"{kind}Normalization", arrays),)


@keras_modules.register
def _rms_norm(layer: RMSNormLayer, name: str) -> tuple[ForeignModule, ...]:
    del layer, name
    return (ForeignModule("RMSNormalization", (ForeignArray("scale", "gamma"),)),)


@keras_modules.register
def _prelu(layer: PReLULayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    ones = (1,) * (len(layer.in_shape) - 1)  # shared_axes

    def arrange(slope: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return slope.reshape(*ones, -1)

    return (ForeignModule("PReLU", (ForeignArray("alpha", "slope", arrange),)),)


@keras_modules.register
def _recurrent(layer: RecurrentLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    return (_recurrent_module(layer),)


@keras_modules.register
def _bidirectional(layer: BidirectionalLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    return tuple(
        _recurrent_module(own, f"{direction}/", f"/{direction}")
        for direction, own in layer.directions.items()
    )


def _recurrent_module(
    layer: RecurrentLayer, prefix: str = "", suffix: str = ""
) -> ForeignModule:
    """Return Keras' layer, which has the arrays that ours has."""
    kinds = {LSTMCell: "LSTM", SimpleCell: "SimpleRNN"}
    arrays = tuple(
        ForeignArray(array, prefix + array, default=0.0 if array == "bias" else None)
        for array in layer.weight_shapes
    )
    return ForeignModule(kinds.get(type(layer.cell), "GRU"), arrays, suffix)


@keras_modules.register
def _embedding(layer: EmbeddingLayer, name: str) -> tuple[ForeignModule, ...]:
    del layer, name
    return (ForeignModule("Embedding", (ForeignArray("embeddings", "table"),)),)


@keras_modules.register
def _positional_encoding(
    layer: PositionalEncodingLayer, name: str
) -> tuple[ForeignModule, ...]:
    del name
    if not layer.is_learned:
        return ()
    return (ForeignModule("Embedding", (ForeignArray("embeddings", "table"),)),)


@keras_modules.register
def _attention(layer: MultiHeadAttentionLayer, name: str) -> tuple[ForeignModule, ...]:
    del name
    n_heads, channels = layer.n_heads, layer.in_shape[-1]

    def by_head(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Turn (..., heads * dims) into (..., heads, dims)."""
        return array.reshape(*array.shape[:-1], n_heads, -1)

    def from_heads(kernel: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return kernel.reshape(n_heads, -1, channels)

    def module(part: str, *arrange: Arrange) -> ForeignModule:
        kinds = ("kernel", "bias") if layer.use_bias else ("kernel",)
        arrays = (
            ForeignArray(kind, f"{part}_{kind}", own, 0.0 if kind == "bias" else None)
            for kind, own in zip(kinds, arrange, strict=False)
        )
        return ForeignModule("EinsumDense", tuple(arrays), f"/{part}")

    projected = (module(part, by_head, by_head) for part in layer.projections.widths)
    return (*projected, module("output", from_heads, as_it_is))
