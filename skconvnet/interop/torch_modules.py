"""Which module of PyTorch each layer with weights is, and how their arrays are ours."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet.interop.arrangement import Arrangement
from skconvnet.interop.counterparts import ForeignArray, ForeignModule, refuse
from skconvnet.interop.torch_recurrent import recurrent_module
from skconvnet.layers.activation import ActivationLayer, PReLULayer, RReLULayer
from skconvnet.layers.adaptive_pooling import AdaptivePoolLayer
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.bidirectional import BidirectionalLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_transpose import ConvolutionTransposeLayer
from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.depthwise import DepthwiseLayer, SeparableLayer
from skconvnet.layers.dropout import DropoutLayer, GaussianNoiseLayer
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.group_norm import GroupNormLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.layers.position_dense import PositionDenseLayer
from skconvnet.layers.positional_encoding import PositionalEncodingLayer
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.layers.rescaling import RescalingLayer, StandardizeLayer
from skconvnet.layers.reshape import PermuteLayer, ReshapeLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer

# Layers that do the same with a value wherever it is.
ELEMENTWISE = (
    ActivationLayer,
    RReLULayer,
    DropoutLayer,
    GaussianNoiseLayer,
    RescalingLayer,
    StandardizeLayer,
)
Modules: TypeAlias = tuple[ForeignModule, ...]
# The order of features that the layers after a dense layer need, if any.
Order: TypeAlias = npt.NDArray[np.intp] | None


@dataclass(frozen=True, eq=False)
class Place:
    """Where a layer is in a network.

    Attributes
    ----------
    name : str
        For errors.
    before : Arrangement
        That of the layer's input.
    wanted : ndarray of int or None
        The index of the output that the layers after this one need. Dense layers can
        give it.
    is_converted : bool
        Whether the arrays of the layer are wanted. Otherwise it need not be known in
        PyTorch.
    """

    name: str
    before: Arrangement
    wanted: Order = None
    is_converted: bool = True


BIAS = ForeignArray("bias", "bias", default=0.0)


@singledispatch
def torch_modules(layer: Layer[Any], at: Place) -> tuple[Modules, Arrangement]:
    """Return PyTorch's modules for a layer, and the arrangement of its output.

    Raises
    ------
    ValueError
        If PyTorch does not have the layer, or has its input in an order that the layer
        cannot take.
    """
    if isinstance(layer, ELEMENTWISE):
        return (), at.before
    if at.is_converted and (layer.weight_shapes or layer.buffer_shapes):
        raise refuse(at.name, layer, "PyTorch")
    require_usual(layer, at)
    return (), Arrangement.channels_first(layer.out_shape)


def require_usual(layer: Layer[Any], at: Place) -> None:
    """Raise an error unless a layer finds channels and positions where they should be.

    The output of an `Embedding` is transposed in PyTorch before layers that need this.
    """
    if at.before.channels_last or at.before.is_usual():
        return
    raise ValueError(
        f"layer {at.name!r} cannot be converted: after the Reshape or Flatten before "
        f"it, the values of its input of shape {layer.in_shape} have another order in "
        "PyTorch, whose maps are channels first, so that it would see other channels "
        "and positions. Let a dense layer come before the Reshape, or reshape without "
        "mixing channels and positions."
    )


@torch_modules.register
def _dense(layer: DenseLayer, at: Place) -> tuple[Modules, Arrangement]:
    rows, columns = at.before.index, at.wanted
    if columns is None:
        columns = Arrangement.as_ours(layer.out_shape).index
    own_rows, own_columns = np.argsort(rows), np.argsort(columns)
    weight = ForeignArray(
        "weight",
        "kernel",
        lambda kernel: _in_order(kernel, rows, columns).T,
        restore=lambda weight: _in_order(weight.T, own_rows, own_columns),
    )
    bias = ForeignArray("bias", "bias", lambda bias: bias[columns], 0.0)
    after = Arrangement(layer.out_shape, columns)
    return (ForeignModule("Linear", (weight, bias)),), after


def _in_order(
    kernel: npt.NDArray[Any], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> npt.NDArray[Any]:
    """Return a kernel with its rows and columns in an order, without needless copies.

    It may be the largest array of a network.
    """
    if np.any(np.diff(rows) != 1):
        kernel = kernel[rows]
    if np.any(np.diff(columns) != 1):
        kernel = kernel[:, columns]
    return kernel


def _convolution(
    kind: str, suffix: str = "", *, kernel: str = "kernel"
) -> ForeignModule:
    return ForeignModule(kind, (ForeignArray("weight", kernel), BIAS), suffix)


@torch_modules.register(ConvolutionLayer)
@torch_modules.register(DepthwiseLayer)
@torch_modules.register(ConvolutionTransposeLayer)
@torch_modules.register(MapOutputLayer)
def _conv(layer: Layer[Any], at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    transposed = isinstance(layer, ConvolutionTransposeLayer)
    kind = f"Conv{'Transpose' if transposed else ''}{len(layer.in_shape) - 1}d"
    after = Arrangement.channels_first(layer.out_shape)
    return (_convolution(kind),), after


@torch_modules.register(SeparableLayer)
@torch_modules.register(SpatiallySeparableLayer)
def _two_convolutions(layer: Layer[Any], at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    kind = f"Conv{len(layer.in_shape) - 1}d"
    first, second, _ = layer.weight_shapes
    modules = (
        ForeignModule(kind, (ForeignArray("weight", first),), f".{first}"),
        _convolution(kind, f".{second}", kernel=second),
    )
    return modules, Arrangement.channels_first(layer.out_shape)


@torch_modules.register
def _batch_norm(layer: BatchNormLayer, at: Place) -> tuple[Modules, Arrangement]:
    order = _order_of_channels(layer, at)
    names = {
        "weight": ("gamma", 1.0),
        "bias": ("beta", 0.0),
        "running_mean": ("moving_mean", None),
        "running_var": ("moving_variance", None),
    }
    arrays = tuple(
        ForeignArray(theirs, ours, lambda array: array[order], default)
        for theirs, (ours, default) in names.items()
    )
    kind = f"BatchNorm{max(len(layer.in_shape) - 1, 1)}d"
    module = ForeignModule(kind, arrays, constants=("num_batches_tracked",))
    return (module,), _after_channels(at.before)


@torch_modules.register
def _prelu(layer: PReLULayer, at: Place) -> tuple[Modules, Arrangement]:
    if layer.weight_shapes["slope"] != layer.in_shape[-1:]:  # one for all channels
        slope = ForeignArray("weight", "slope")
        return (ForeignModule("PReLU", (slope,)),), at.before
    order = _order_of_channels(layer, at)
    slope = ForeignArray("weight", "slope", lambda slope: slope[order])
    return (ForeignModule("PReLU", (slope,)),), _after_channels(at.before)


def _order_of_channels(layer: Layer[Any], at: Place) -> npt.NDArray[np.intp]:
    """Return the order of PyTorch's channels; flat features are channels."""
    if not at.before.is_map:
        return at.before.index
    require_usual(layer, at)
    return np.arange(layer.in_shape[-1])


def _after_channels(before: Arrangement) -> Arrangement:
    """Return the arrangement after a layer that knows the channels by their axis."""
    return Arrangement.channels_first(before.shape) if before.is_map else before


@torch_modules.register
def _group_norm(layer: GroupNormLayer, at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)  # flat features too, as groups are consecutive ones
    kind = "GroupNorm"
    if layer.groups == layer.in_shape[-1]:
        kind = f"InstanceNorm{len(layer.in_shape) - 1}d"
    arrays = (
        ForeignArray("weight", "gamma", default=1.0),
        ForeignArray("bias", "beta", default=0.0),
    )
    return (ForeignModule(kind, arrays),), _after_channels(at.before)


@torch_modules.register(LayerNormLayer)
@torch_modules.register(RMSNormLayer)
def _layer_norm(layer: Layer[Any], at: Place) -> tuple[Modules, Arrangement]:
    if layer.weight_shapes["gamma"] == layer.in_shape:
        index = at.before.index

        def arrange(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return array.reshape(-1)[index]

    else:
        require_usual(layer, at)

        def arrange(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
            return array

    weight = ForeignArray("weight", "gamma", arrange, 1.0)
    if isinstance(layer, RMSNormLayer):
        return (ForeignModule("RMSNorm", (weight,)),), at.before
    bias = ForeignArray("bias", "beta", arrange, 0.0)
    return (ForeignModule("LayerNorm", (weight, bias)),), at.before


@torch_modules.register
def _embedding(layer: EmbeddingLayer, at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    module = ForeignModule("Embedding", (ForeignArray("weight", "table"),))
    # (length, n_dims), as ours: a layer that needs channels first transposes it.
    return (module,), Arrangement.as_ours(layer.out_shape)


@torch_modules.register
def _attention(
    layer: MultiHeadAttentionLayer, at: Place
) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    after = Arrangement.as_ours(layer.out_shape)
    if not at.is_converted:
        return (), after
    channels = layer.in_shape[-1]
    if set(layer.projections.widths.values()) != {channels}:
        raise ValueError(
            f"layer {at.name!r} cannot be converted: MultiheadAttention of PyTorch has "
            "keys and values of channels / num_heads features, here "
            f"{channels / layer.n_heads:g}."
        )
    names = list(layer.projections.widths)
    projected: list[ForeignArray] = [
        ForeignArray("in_proj_weight", f"{name}_kernel", np.transpose, part=(i, 3))
        for i, name in enumerate(names)
    ]
    output = [ForeignArray("weight", "output_kernel", np.transpose)]
    if layer.use_bias:
        projected += [
            ForeignArray("in_proj_bias", f"{name}_bias", default=0.0, part=(i, 3))
            for i, name in enumerate(names)
        ]
        output.append(ForeignArray("bias", "output_bias", default=0.0))
    modules = (
        ForeignModule("MultiheadAttention", tuple(projected)),
        ForeignModule("Linear", tuple(output), ".out_proj"),
    )
    return modules, after


@torch_modules.register
def _position_dense(
    layer: PositionDenseLayer, at: Place
) -> tuple[Modules, Arrangement]:
    del layer
    weight = ForeignArray("weight", "kernel", np.transpose)
    return (ForeignModule("Linear", (weight, BIAS)),), at.before


@torch_modules.register
def _positional_encoding(
    layer: PositionalEncodingLayer, at: Place
) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    after = Arrangement.as_ours(layer.out_shape)
    if not layer.is_learned:
        return (), after
    return (ForeignModule("Embedding", (ForeignArray("weight", "table"),)),), after


@torch_modules.register(RecurrentLayer)
@torch_modules.register(BidirectionalLayer)
def _recurrent(
    layer: RecurrentLayer | BidirectionalLayer, at: Place
) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    # (length, units), as ours: a layer that needs channels first transposes it.
    after = Arrangement.as_ours(layer.out_shape)
    directions = {"": layer} if isinstance(layer, RecurrentLayer) else layer.directions
    module = recurrent_module(directions)
    if module is not None:
        return (module,), after
    if at.is_converted:
        raise refuse(at.name, layer, "PyTorch")
    return (), after


@torch_modules.register(FlattenLayer)
@torch_modules.register(ReshapeLayer)
def _reshape(layer: Layer[Any], at: Place) -> tuple[Modules, Arrangement]:
    return (), at.before.reshaped(layer.out_shape)


@torch_modules.register
def _permute(layer: PermuteLayer, at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    if at.before.channels_last:
        return (), Arrangement.as_ours(layer.out_shape)
    return (), Arrangement.channels_first(layer.out_shape)


@torch_modules.register
def _pool(layer: AdaptivePoolLayer, at: Place) -> tuple[Modules, Arrangement]:
    require_usual(layer, at)
    # PyTorch flattens the map of each level, and joins them.
    parts, start = [], 0
    for shape in layer.level_shapes:
        index = Arrangement.channels_first(shape).index.reshape(-1)
        parts.append(index + start)
        start += index.size
    return (), Arrangement(layer.out_shape, np.concatenate(parts))
