"""Walking through a network in the order of its layers, as PyTorch has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from skconvnet.engine.network import Network
from skconvnet.interop.arrangement import Arrangement, joined
from skconvnet.interop.counterparts import Counterpart
from skconvnet.interop.torch_modules import (
    ELEMENTWISE,
    Order,
    Place,
    require_usual,
    torch_modules,
)
from skconvnet.layers.activation import PReLULayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.chain import Chain
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.parallel import ParallelLayer
from skconvnet.layers.reshape import ReshapeLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.time_distributed import TimeDistributedLayer
from skconvnet.layers.transformer import TransformerEncoderLayer

Found = tuple[list[Counterpart], Arrangement]

# Layers that give flat features in the order in which they take them.
_KEEPS_ORDER = (
    *ELEMENTWISE,
    BatchNormLayer,
    FlattenLayer,
    LayerNormLayer,
    PReLULayer,
    RMSNormLayer,
)


def torch_counterparts(
    network: Network, names: Collection[str] | None = None
) -> list[Counterpart]:
    """Return what each layer with weights is in PyTorch, in order.

    If `names` are given, other layers need not have a counterpart, and those after the
    last of them are not looked at.

    Raises
    ------
    ValueError
        If a layer has no counterpart, or would see its input in another order.
    """
    start = Arrangement.channels_first(network.in_shape)
    wanted = _wanted_before(list(network.layers.values()), None)
    if wanted is not None:
        # Rows that the first layer makes a map of: in PyTorch, in the order of its map.
        start = Arrangement(network.in_shape, wanted.reshape(start.index.shape))
    found, _ = _of_layers(network.layers, "", start, None, names)
    return found


def _of_layers(
    layers: Mapping[str, Layer[Any]],
    prefix: str,
    before: Arrangement,
    wanted: Order,
    names: Collection[str] | None,
) -> Found:
    """Return the counterparts of layers in a row, and how their output is arranged."""
    found: list[Counterpart] = []
    row = list(layers.values())
    last = len(row) if prefix else _last_of(names, list(layers))
    for position, (own_name, layer) in enumerate(layers.items()):
        if position > last:
            break
        name = f"{prefix}{own_name}"
        needed = _wanted_before(row[position + 1 :], wanted)
        if isinstance(layer, BranchedLayer):
            inside, before = _of_branches(layer, name, before, needed, names)
            found += inside
            continue
        if isinstance(layer, TransformerEncoderLayer):
            inside, before = _of_encoder(layer, name, before, names)
            found += inside
            continue
        is_converted = names is None or name in names
        place = Place(name, before, needed, is_converted)
        modules, before = torch_modules(layer, place)
        if modules:
            found.append(Counterpart(name, layer, modules))
    return found, before


def _last_of(names: Collection[str] | None, layers: list[str]) -> int:
    """Return the position of the last layer that is, or has inside, one of `names`."""
    if names is None:
        return len(layers)
    return max((layers.index(name.partition("/")[0]) for name in names), default=-1)


def _of_branches(
    layer: BranchedLayer,
    name: str,
    before: Arrangement,
    wanted: Order,
    names: Collection[str] | None,
) -> Found:
    """Return the counterparts inside of a layer that is made of others."""
    if isinstance(layer, TimeDistributedLayer):
        return _of_steps(layer, name, names)
    if isinstance(layer, ParallelLayer):
        parts = [
            _of_chain(chain, f"{name}/{branch}/", before, None, names)
            for branch, chain in layer.chains.items()
        ]
        ends = _with_maps_alike([after for _, after in parts], layer, name)
        return [own for found, _ in parts for own in found], joined(ends)
    main, shortcut = layer.chains.values()
    found, after = _of_chain(main, f"{name}/", before, wanted, names)
    # A sum needs both in one order, which dense layers can give.
    others, other = _of_chain(
        shortcut, f"{name}/shortcut/", before, _order(after), names
    )
    if not _are_alike(after, other):
        found, after = _of_chain(main, f"{name}/", before, _order(other), names)
    after, _ = _with_maps_alike([after, other], layer, name, must_equal=True)
    return [*found, *others], after


def _of_encoder(
    layer: TransformerEncoderLayer,
    name: str,
    before: Arrangement,
    names: Collection[str] | None,
) -> Found:
    """Return the counterparts inside of `TransformerEncoder`, in PyTorch's order."""
    require_usual(layer, Place(name, before))
    order = ("attention", "dense1", "dense2", "norm1", "norm2")
    inner = {own: layer.chain.layers[own] for own in order}
    start = Arrangement.as_ours(layer.in_shape)
    return _of_layers(inner, f"{name}/", start, None, names)


def _of_steps(
    layer: TimeDistributedLayer, name: str, names: Collection[str] | None
) -> Found:
    """Return the counterparts inside of `TimeDistributed`.

    PyTorch's modules take the steps as samples, and their outputs are put together as
    (steps, *step).
    """
    start = Arrangement.channels_first(layer.chain.in_shape)
    found, after = _of_chain(layer.chain, f"{name}/", start, None, names)
    size = prod(layer.chain.out_shape)
    index = np.stack([after.index + step * size for step in range(layer.n_steps)])
    as_ours = Arrangement.as_ours(layer.out_shape)
    if np.array_equal(index, as_ours.index):
        return found, as_ours
    return found, Arrangement(layer.out_shape, index)


def _of_chain(
    chain: Chain,
    prefix: str,
    before: Arrangement,
    wanted: Order,
    names: Collection[str] | None,
) -> Found:
    return _of_layers(chain.layers, prefix, before, wanted, names)


def _order(arrangement: Arrangement) -> Order:
    return None if arrangement.is_map else arrangement.index


def _are_alike(one: Arrangement, other: Arrangement) -> bool:
    if one.is_map and all(a.channels_last or a.is_usual() for a in (one, other)):
        return True
    return one.equals(other)


def _with_maps_alike(
    ends: Sequence[Arrangement],
    layer: Layer[Any],
    name: str,
    *,
    must_equal: bool = False,
) -> list[Arrangement]:
    """Return the outputs of branches in a form in which they can be joined.

    Maps that come from an `Embedding` are transposed, unless all of them are.
    """
    first = ends[0]
    maps_are_plain = all(a.channels_last or a.is_usual() for a in ends)
    if first.is_map and maps_are_plain:
        if all(a.channels_last for a in ends):
            return list(ends)
        return [Arrangement.channels_first(a.shape) for a in ends]
    if first.is_map or (must_equal and not all(first.equals(a) for a in ends)):
        raise ValueError(
            f"layer {name!r} cannot be converted: its branches, of output shape "
            f"{layer.out_shape}, end in values whose order in PyTorch, whose maps are "
            "channels first, is not the same in all of them. Let each end in a dense "
            "layer or a convolution."
        )
    return list(ends)


def _wanted_before(layers: Sequence[Layer[Any]], wanted: Order) -> Order:
    """Return the order of features that layers in a row need, None if any will do."""
    for layer in reversed(layers):
        wanted = _wanted_by(layer, wanted)
    return wanted


def _wanted_by(layer: Layer[Any], wanted: Order) -> Order:
    if max(layer.in_shape) < prod(layer.in_shape):  # more than a row
        return None
    if isinstance(layer, ReshapeLayer):
        if wanted is not None or len(layer.out_shape) == 1:
            return wanted
        return Arrangement.channels_first(layer.out_shape).index.reshape(-1)
    if isinstance(layer, _KEEPS_ORDER):
        return wanted
    if isinstance(layer, BranchedLayer):
        after = None if isinstance(layer, ParallelLayer) else wanted
        needs = (
            _wanted_before(list(chain.layers.values()), after)
            for chain in layer.chains.values()
        )
        return next((need for need in needs if need is not None), None)
    return None
