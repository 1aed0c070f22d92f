"""Modules of PyTorch that differ from our layers, but can compute the same."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.interop.counterparts import Arrays, Counterpart
from skconvnet.layers.activation import PReLULayer
from skconvnet.layers.depthwise import SeparableLayer
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.layers.spatially_separable import SpatiallySeparableLayer


def as_ours(own: Counterpart, modules: list[Arrays], *, binary: bool) -> list[Arrays]:
    """Return the arrays of modules that are our layer, in place of similar ones.

    Parameters
    ----------
    own : Counterpart
    modules : list of dict of str to ndarray
        The arrays of each of its modules.
    binary : bool
        Whether it is the output layer of a classifier of two classes, see `is_binary`.

    Raises
    ------
    ValueError
        If the modules compute what our layer cannot.
    """
    layer = own.layer
    modules = [
        arrays if module.join is None else module.join(arrays)
        for module, arrays in zip(own.modules, modules, strict=True)
    ]
    if isinstance(layer, (SeparableLayer, SpatiallySeparableLayer)):
        return _without_first_bias(own, modules)
    if isinstance(layer, PReLULayer):
        (slopes,) = layer.weight_shapes.values()
        weight = modules[0].get("weight")
        if weight is not None and weight.shape == (1,):
            return [modules[0] | {"weight": np.full(slopes, weight[0])}]
    if isinstance(layer, EmbeddingLayer):
        check_padding(own, modules[0].get("weight"))
    if binary:
        return [difference_of_two(modules[0], axis=0)]
    return modules


def as_theirs(
    own: Counterpart, values: npt.NDArray[Any], shape: Shape, *, binary: bool
) -> npt.NDArray[Any]:
    """Return an array for a similar module, whose array has the shape `shape`.

    If there is no such array, the given one is returned.
    """
    if isinstance(own.layer, PReLULayer) and shape == (1,):
        return values[:1] if np.all(values == values[0]) else values
    if binary and len(values) == 1 and shape == (2, *values.shape[1:]):
        return np.concatenate([np.zeros_like(values), values])
    return values


def difference_of_two(arrays: Arrays, *, axis: int) -> Arrays:
    """Return an output layer of one unit, the second minus the first of two units.

    `axis` is that of the units, the first or the last one (-1).
    """
    return {
        name: np.diff(array, axis=axis)
        if array.ndim and array.shape[axis] == 2
        else array
        for name, array in arrays.items()
    }


def check_padding(own: Counterpart, table: npt.NDArray[Any] | None) -> None:
    """Raise an error if a token that is zero here has a vector in another library.

    If the vectors of a text are combined, padding is left out in both.
    """
    layer = own.layer
    assert isinstance(layer, EmbeddingLayer)
    token = layer.padding
    if token is None or layer.reduce is not None or table is None:
        return
    if table.ndim == 2 and token < len(table) and table[token].any():
        raise ValueError(
            f"layer {own.name!r} has padding_token={token}, whose vector is always "
            "zero here, but the given one is not. Set it to zero, or set "
            "padding_token=None."
        )


def without_padding(own: Counterpart, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the vectors of an `Embedding`, zero for the token that fills up texts."""
    layer = own.layer
    assert isinstance(layer, EmbeddingLayer)
    if layer.padding is not None:
        table = table.copy()
        table[layer.padding] = 0
    return table


def _without_first_bias(own: Counterpart, modules: list[Arrays]) -> list[Arrays]:
    """Return two convolutions, of which the first adds no bias.

    A convolution of one tap turns a bias before it into a part of its own. One of
    several taps does not, since the padding has no bias.
    """
    first, second = modules
    bias = first.get("bias")
    if bias is None or not bias.any():
        return [{n: a for n, a in first.items() if n != "bias"}, second]
    if not isinstance(own.layer, SeparableLayer):
        raise ValueError(
            f"layer {own.name!r} has no bias between its two convolutions, but the "
            "first of the given modules has one. Make it with bias=False."
        )
    mixing = second["weight"].reshape(len(second["weight"]), -1)
    if mixing.shape[1] != prod(bias.shape):
        return modules
    total = second.get("bias", 0) + mixing @ bias
    kept = {name: array for name, array in first.items() if name != "bias"}
    return [kept, second | {"bias": total}]
