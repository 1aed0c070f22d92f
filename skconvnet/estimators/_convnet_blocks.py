"""The layers of a block: convolutions, normalization, activation, pooling."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import skconvnet.layers as la
from skconvnet._checks import per_axis
from skconvnet.engine.network import build_layers
from skconvnet.params.base import LayerSpec

# Names in the package of layers, which is imported name by name.
POOLS = {"max": "MaxPool2D", "avg": "AvgPool2D"}


GLOBAL_POOLS = {"max": "GlobalMaxPool", "avg": "GlobalAvgPool"}


Named = list[tuple[str, LayerSpec]]


def block(number: int, params: Mapping[str, Any]) -> Named:
    """Return the layers of one block, up to and without the pooling.

    Parameters
    ----------
    number : int
        From 1, at the end of every name.
    params : mapping of str to object
        The block's own value of each hyperparameter of the stack.
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
    suffix: str, i: int, params: Mapping[str, Any], activation: Any
) -> Named:
    """The i-th convolution of a block, with what belongs to it."""
    inside = None if params["batch_norm"] else activation
    layers: Named = [(f"conv{suffix}", _make_convolution(i, params, inside))]
    if params["batch_norm"]:
        layers.append((f"norm{suffix}", la.BatchNorm()))
        layers += _activation(suffix, activation)
    return layers


def _make_convolution(i: int, params: Mapping[str, Any], activation: Any) -> LayerSpec:
    # The first convolution of a block takes the steps.
    strides = params["strides"] if i == 0 else 1
    geometry = (params["kernel_size"], strides, params["padding"], params["dilation"])
    drawn = params["kernel_initializer"]
    if params["separable"]:
        for name, only in (("groups", 1), ("conv_method", "auto")):
            if params[name] != only:
                raise ValueError(
                    f"{name} must be {only!r} for separable convolutions; got "
                    f"{params[name]!r}. Set separable=False, or a tuple with one value "
                    "for each block."
                )
        return la.SeparableConv2D(
            params["filters"],
            *geometry,
            activation=activation,
            kernel_initializer=drawn,
        )
    return la.Conv2D(
        params["filters"],
        *geometry,
        groups=params["groups"],
        activation=activation,
        conv_method=params["conv_method"],
        kernel_initializer=drawn,
    )


def _activation(suffix: str, activation: Any) -> Named:
    if activation is None:
        return []
    return [(f"activation{suffix}", la.Activation(activation))]


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"{name} must be an int of at least 1, or a tuple of them, one a block; "
            f"got {value!r}."
        )
    return value


def pool(number: int, pooling: Any, pool_size: Any) -> Named:
    """Return the pooling layer of a block, if it has one."""
    if pooling is None:
        return []
    if not isinstance(pooling, str) or pooling not in POOLS:
        raise ValueError(
            f"pooling must be None or one of {', '.join(map(repr, POOLS))}, or a "
            f"tuple of them; got {pooling!r}."
        )
    return [(f"pool{number}", getattr(la, POOLS[pooling])(pool_size))]


def fitting_pool(layers: Named, in_shape: tuple[int, ...], pool_size: Any) -> Any:
    """Leave axes of length 1 unpooled, where the shape was guessed from rows."""
    shape = list(build_layers(layers, in_shape).values())[-1].out_shape
    sizes = per_axis("pool_size", pool_size, 2)
    return tuple(
        1 if n == 1 else size for n, size in zip(shape[:-1], sizes, strict=True)
    )


def dropout(number: int, rate: Any) -> Named:
    return [(f"dropout{number}", la.Dropout(rate))] if rate else []


def head(global_pooling: Any) -> Named:
    """Return the layer between the maps and the features."""
    if global_pooling is None:
        return [("flatten", la.Flatten())]
    return [("global_pool", getattr(la, GLOBAL_POOLS[global_pooling])())]
