"""The conventional stack: blocks of convolutions and pooling, then dense layers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import skconvnet.layers as la
from skconvnet._checks import check_fraction, check_n_layers, is_int, per_axis
from skconvnet._suggestions import value_suggestion
from skconvnet._typing import Shape
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._per_layer_values import (
    check_counts,
    check_hidden_layer_sizes,
    per_block,
    through_hidden,
)
from skconvnet.layers.dense import Dense
from skconvnet.ops.activations import get_activation
from skconvnet.params.base import LayerSpec

if TYPE_CHECKING:
    from skconvnet.estimators.convnet import ConvNetClassifier, ConvNetRegressor

# Names in skconvnet.layers, which imports each of them when it is first used. The
# number of spatial axes replaces the braces.
POOLS = {"max": "MaxPool{}D", "avg": "AvgPool{}D"}
GLOBAL_POOLS = {"max": "GlobalMaxPool", "avg": "GlobalAvgPool"}

# Hyperparameters with one value for all blocks, or a tuple with one value per block.
OF_BLOCK = (
    "kernel_size",
    "strides",
    "padding",
    "dilation",
    "groups",
    "separable",
    "convs_per_block",
    "residual",
    "batch_norm",
    "pooling",
    "pool_size",
    "conv_method",
)

Named: TypeAlias = list[tuple[str, LayerSpec]]


def convnet_layers(
    estimator: ConvNetClassifier | ConvNetRegressor, ndim: int, *, is_guessed: bool
) -> list[Entry]:
    """Return the layers that the hyperparameters define, without the output layer.

    `ndim` is the number of spatial axes. If `is_guessed`, axes of length 1 are not
    pooled.
    """
    filters = check_counts("filters", estimator.filters)
    if not filters:
        raise ValueError(
            "filters must have at least one entry, the number of output channels of a "
            f"block; got {estimator.filters!r}. Networks without convolutions are "
            "MLPClassifier and MLPRegressor."
        )
    hidden = check_hidden_layer_sizes(estimator.hidden_layer_sizes)
    n_blocks, n_hidden = len(filters), len(hidden)
    of_block = {
        name: per_block(name, getattr(estimator, name), n_blocks) for name in OF_BLOCK
    }
    activations = through_hidden("activation", estimator.activation, n_blocks, n_hidden)
    for activation in activations:
        get_activation(activation)  # its error names this parameter, not a layer's
    rates = through_hidden("dropout", estimator.dropout, n_blocks, n_hidden, fill=0.0)
    for rate in rates:
        check_fraction("dropout", rate)
    layers: list[Entry] = []
    if estimator.rescale == "auto":
        layers.append(("rescale", la.Standardize()))
    for i in range(n_blocks):
        params = {name: values[i] for name, values in of_block.items()}
        params["filters"] = filters[i]
        params["activation"] = activations[i]
        params["kernel_initializer"] = estimator.kernel_initializer
        params["ndim"] = ndim
        layers += block(i + 1, params)
        layers += pool(i + 1, params, is_guessed=is_guessed)
        layers += dropout(i + 1, rates[i])
    layers += head(estimator.global_pooling)
    for i in range(n_hidden):
        dense = Dense(
            hidden[i], activations[n_blocks + i], estimator.kernel_initializer
        )
        layers.append((f"dense{i + 1}", dense))
        layers += dropout(n_blocks + i + 1, rates[n_blocks + i])
    return layers


def block(number: int, params: Mapping[str, Any]) -> Named:
    """Return the layers of one block before its pooling.

    Parameters
    ----------
    number : int
        Number of the block, from 1, with which every name ends.
    params : mapping of str to object
        The value of each hyperparameter for this block, and `ndim`.
    """
    n_convs = _count("convs_per_block", params["convs_per_block"])
    if not params["residual"]:
        layers: Named = []
        for i in range(n_convs):
            suffix = f"{number}" if n_convs == 1 else f"{number}_{i + 1}"
            layers += _convolution(suffix, i, params, params["activation"])
        return layers
    layers = []
    for i in range(n_convs):
        # The last activation comes after the sum.
        activation = params["activation"] if i < n_convs - 1 else None
        layers += _convolution(f"{i + 1}", i, params, activation)
    wrapped: Named = [(f"residual{number}", la.Residual(layers))]
    return [*wrapped, *_activation(f"{number}", params["activation"])]


def _convolution(
    suffix: str, i: int, params: Mapping[str, Any], activation: str | None
) -> Named:
    """Return the i-th convolution of a block, with normalization and activation."""
    fused_activation = None if params["batch_norm"] else activation
    layers: Named = [(f"conv{suffix}", _make_convolution(i, params, fused_activation))]
    if params["batch_norm"]:
        layers.append((f"norm{suffix}", la.BatchNorm()))
        layers += _activation(suffix, activation)
    return layers


def _make_convolution(
    i: int, params: Mapping[str, Any], activation: str | None
) -> LayerSpec:
    # Only the first convolution of a block has strides.
    strides = params["strides"] if i == 0 else 1
    geometry = (params["kernel_size"], strides, params["padding"], params["dilation"])
    initializer = params["kernel_initializer"]
    if params["separable"]:
        for name, default in (("groups", 1), ("conv_method", "auto")):
            if params[name] != default:
                raise ValueError(
                    f"{name} must be {default!r} for separable convolutions; got "
                    f"{params[name]!r}. Set separable=False, or a tuple with one value "
                    "for each block."
                )
        return _layer("SeparableConv{}D", params)(
            params["filters"],
            *geometry,
            activation=activation,
            kernel_initializer=initializer,
        )
    return _layer("Conv{}D", params)(
        params["filters"],
        *geometry,
        groups=params["groups"],
        activation=activation,
        conv_method=params["conv_method"],
        kernel_initializer=initializer,
    )


def _layer(name: str, params: Mapping[str, Any]) -> Callable[..., LayerSpec]:
    """Return the class of a layer for the number of spatial axes."""
    layer: Callable[..., LayerSpec] = getattr(la, name.format(params["ndim"]))
    return layer


def _activation(suffix: str, activation: str | None) -> Named:
    if activation is None:
        return []
    return [(f"activation{suffix}", la.Activation(activation))]


def _count(name: str, value: object) -> int:
    if not is_int(value) or value < 1:
        raise ValueError(
            f"{name} must be an int of at least 1, or a tuple of them, one per block; "
            f"got {value!r}."
        )
    check_n_layers(name, value)
    return int(value)


def pool(number: int, params: Mapping[str, Any], *, is_guessed: bool) -> list[Entry]:
    """Return the pooling layer of a block, if it has one.

    If `is_guessed`, its entry is a function that returns the spec for an in_shape.
    """
    pooling, pool_size = params["pooling"], params["pool_size"]
    if pooling is None:
        return []
    if not isinstance(pooling, str) or pooling not in POOLS:
        raise ValueError(
            f"pooling must be None or one of {', '.join(map(repr, POOLS))}, or a "
            f"tuple of them; got {pooling!r}."
            f"{value_suggestion('pooling', pooling, POOLS)}"
        )
    kind = _layer(POOLS[pooling], params)
    if is_guessed:
        return [(f"pool{number}", partial(_pool_for_shape, kind, pool_size))]
    return [(f"pool{number}", kind(pool_size))]


def _pool_for_shape(
    kind: Callable[..., LayerSpec], pool_size: object, shape: Shape
) -> LayerSpec:
    """Return a pooling layer that does not pool axes of length 1."""
    sizes = per_axis("pool_size", pool_size, len(shape) - 1)
    return kind(
        tuple(1 if n == 1 else size for n, size in zip(shape[:-1], sizes, strict=True))
    )


def dropout(number: int, rate: float) -> Named:
    """Return the dropout layer after a block or dense layer, if it has one."""
    return [(f"dropout{number}", la.Dropout(rate))] if rate else []


def head(global_pooling: str | None) -> Named:
    """Return the layer between the maps and the features."""
    if global_pooling is None:
        return [("flatten", la.Flatten())]
    return [("global_pool", getattr(la, GLOBAL_POOLS[global_pooling])())]
