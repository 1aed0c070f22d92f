"""Samples with targets that are maps, and errors about the size of these maps."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import Lengths, Shape
from skconvnet.engine.finite import all_finite, first_overflow, overflow_error
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.map_targets import MapSamples, MapTargets, flat_positions
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList
from skconvnet.engine.sample_weights import normalized_weights
from skconvnet.estimators._position_weights import (
    PositionWeights,
    are_of_positions,
    shaped_like,
)
from skconvnet.estimators._shape_words import size
from skconvnet.ops.workspace import Workspace

_TEXTS_AT_A_TIME = 1024


def make_map_samples(
    network: Network,
    inputs: Inputs,
    targets: MapTargets,
    weights: PositionWeights | None,
    suffix: str,
) -> MapSamples:
    """Return samples with targets for each position of the network's outputs.

    Parameters
    ----------
    network : Network
    inputs : Inputs
    targets : MapTargets
    weights : ndarray, MapList or None
        Weights of samples, or of positions.
    suffix : str
        "_val" for a validation set, whose arrays are named X_val and so on.

    Raises
    ------
    ValueError
        If targets and outputs differ in size, or a target is too large for the dtype.
    """
    _check_sizes(network, inputs, targets, suffix)
    _check_overflow(network, targets, f"y{suffix}")
    if weights is None:
        return MapSamples(inputs, targets)
    if not are_of_positions(weights):
        assert not isinstance(weights, MapList)
        return MapSamples(inputs, targets, normalized_weights(weights, network.dtype))
    flat = normalized_weights(flat_positions(weights, 0), network.dtype)
    own = shaped_like(flat, weights)
    means = np.array([one.mean() for one in own], dtype=network.dtype)
    if not isinstance(own, MapList) and network.chain.takes_tokens:
        # Padding, which has no weight, does not count in a mean.
        counts = np.maximum(_lengths_of_outputs(network, inputs), 1)
        means = (own.sum(axis=1) / counts).astype(network.dtype)
    return MapSamples(inputs, targets, means, position_weights=own)


def _lengths_of_outputs(network: Network, inputs: Inputs) -> Lengths:
    """Return how many steps of the outputs of each text belong to no padding."""
    workspace = Workspace()
    lengths = np.empty(len(inputs), np.intp)
    for start in range(0, len(inputs), _TEXTS_AT_A_TIME):
        index = slice(start, min(start + _TEXTS_AT_A_TIME, len(inputs)))
        chain = network.for_shape(inputs.shape_of(index)).chain
        x = inputs.read(index, workspace)
        after = chain.lengths_after(x, inputs.lengths_of(index))
        lengths[index] = chain.out_shape[0] if after is None else after
    return lengths


def _check_sizes(
    network: Network, inputs: Inputs, targets: MapTargets, suffix: str
) -> None:
    """Raise a ValueError unless all targets have the size of the outputs."""
    index = slice(0, len(inputs))
    for positions in inputs.groups(index):
        chosen = index_numbers(positions)
        shape = inputs.shape_of(chosen[:1])
        outputs = network.for_shape(shape).chain.out_shape[:-1]
        for number in chosen if _may_differ(targets) else chosen[:1]:
            own = targets.spatial_of(number)
            if own != outputs:
                raise ValueError(
                    _size_error(network, targets, int(number), own, outputs, suffix)
                )


def _may_differ(targets: MapTargets) -> bool:
    return isinstance(targets.values, MapList)


def _size_error(
    network: Network,
    targets: MapTargets,
    number: int,
    own: Shape,
    outputs: Shape,
    suffix: str,
) -> str:
    """Return what differs, and which layer to add or change."""
    name = list(network.layers)[-2] if len(network.layers) > 1 else "input"
    what = f"y{suffix}[{number}] has shape {targets.shape_in_y(number)}"
    if not _may_differ(targets):
        shape = ("n", *map(str, targets.shape_in_y(0)))
        what = f"y{suffix} has shape ({', '.join(shape)})"
    text = f"{what}, but the network's last layer, {name!r}, gives maps of "
    return f"{text}{size(outputs)}: {_remedy(own, outputs)}"


def _remedy(own: Shape, outputs: Shape) -> str:
    """Return how outputs come to have the size of the targets.

    >>> _remedy((28, 28), (14, 14))
    'add Upsample(2), or a transposed convolution with strides=2, after it.'
    """
    factors = {a // b for a, b in zip(own, outputs, strict=True)}
    divides = all(a % b == 0 for a, b in zip(own, outputs, strict=True))
    if divides and len(factors) == 1 and factors != {1}:
        (factor,) = factors
        return (
            f"add Upsample({factor}), or a transposed convolution with "
            f"strides={factor}, after it."
        )
    if divides:
        sizes = tuple(a // b for a, b in zip(own, outputs, strict=True))
        return f"add Upsample({sizes}) after it."
    if all(a >= b for a, b in zip(own, outputs, strict=True)):
        return (
            "set padding='same' in its convolutions, and let Upsample or transposed "
            "convolutions undo each stride and pooling. The lengths of samples must "
            "be multiples of the product of all strides."
        )
    return (
        "leave out an Upsample or a transposed convolution, or pool its maps; or pass "
        f"targets of size {size(outputs)}."
    )


def _check_overflow(network: Network, targets: MapTargets, name: str) -> None:
    """Raise a ValueError if a target is too large for the dtype of the network."""
    maps = targets.values.maps if _may_differ(targets) else targets.values
    for i, own in enumerate(maps):
        if targets.are_classes or own.dtype.kind != "f":
            return
        with np.errstate(over="ignore"):
            is_finite = all_finite(own.astype(network.dtype, copy=False))
        found = None if is_finite else first_overflow(own, network.dtype)
        if found is not None:
            found_in_y = found[:-1] if targets.has_added_axis else found
            where = ", ".join(map(str, (i, *found_in_y)))
            raise overflow_error(f"{name}[{where}]", own[found], network.dtype)
