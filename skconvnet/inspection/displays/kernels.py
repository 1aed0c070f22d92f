"""The kernels of a layer, as one array per filter, whatever the layer's weights are."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.inspection.displays.fitted import FoundLayer, check_shape, find_layer
from skconvnet.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    Dense,
    DepthwiseConv2D,
    LocallyConnected1D,
    LocallyConnected2D,
    SeparableConv1D,
    SeparableConv2D,
    SeparableConv3D,
    SpatiallySeparableConv2D,
    WhiteningConv1D,
    WhiteningConv2D,
    WhiteningConv3D,
)

Kernels: TypeAlias = npt.NDArray[np.floating]

_TRANSPOSED = (Conv1DTranspose, Conv2DTranspose, Conv3DTranspose)
_SEPARABLE = (SeparableConv1D, SeparableConv2D, SeparableConv3D)
_LOCAL = (LocallyConnected1D, LocallyConnected2D)
CONVOLUTIONS = (
    *(Conv1D, Conv2D, Conv3D, DepthwiseConv2D, SpatiallySeparableConv2D),
    *(*_TRANSPOSED, *_SEPARABLE, *_LOCAL),
    *(WhiteningConv1D, WhiteningConv2D, WhiteningConv3D),
)


def layer_with_kernels(
    layers: Mapping[str, FoundLayer], path: str | None
) -> FoundLayer:
    """Return a layer, by default the first convolution, or else the first dense one.

    Raises
    ------
    ValueError
        If there is no layer of that path, or it has no kernels.
    """
    convolutions = [e for e in layers.values() if isinstance(e.spec, CONVOLUTIONS)]
    dense = [e for e in layers.values() if isinstance(e.spec, Dense)]
    if path is None:
        return (convolutions or dense)[0]  # every network has a dense output layer
    found = find_layer(layers, path)
    if not isinstance(found.spec, (*CONVOLUTIONS, Dense)):
        others = ", ".join(repr(entry.path) for entry in (*convolutions, *dense))
        raise ValueError(
            f"layer={path!r} is a {found.kind} layer, which has no kernels. Layers "
            f"with kernels are {others}."
        )
    return found


def has_units(found: FoundLayer) -> bool:
    """Whether the kernel of a layer is a matrix, one column for each unit.

    That of the output layer of a network that predicts maps is a convolution.
    """
    return isinstance(found.spec, Dense) and found.layer.weights["kernel"].ndim == 2


def kernels_of(
    found: FoundLayer,
    *,
    map_shape: Shape | None = None,
    shape: Shape | None = None,
    position: tuple[int, ...] | None = None,
) -> Kernels:
    """Return the kernels of a layer, (filters, channels, *kernel_size).

    Parameters
    ----------
    found : FoundLayer
    map_shape : tuple of int, optional
        Shape of the map that a dense layer sees flattened, with its channels. By
        default the kernels are of shape (units, 1, features).
    shape : tuple of int, optional
        What the user says instead, (height, width) or (*spatial, channels).
    position : tuple of int, optional
        Position of the output of a locally connected layer, whose kernels are shown; by
        default the middle one.
    """
    spec, arrays = found.spec, found.layer.weights
    if shape is not None and not has_units(found):
        what = f"a {found.kind} layer"
        if isinstance(spec, Dense):
            what = f"the {found.kind} layer of a network that predicts maps"
        raise ValueError(
            f"shape is for dense layers, but layer={found.path!r} is {what}; got "
            f"shape={shape!r}. Leave it out."
        )
    if position is not None and not isinstance(spec, _LOCAL):
        raise ValueError(
            f"position is for locally connected layers, but layer={found.path!r} is a "
            f"{found.kind} layer; got position={position!r}. Leave it out."
        )
    if has_units(found):
        kernel = arrays["kernel"]
        if shape is not None:
            map_shape = check_shape(shape, len(kernel))
        return _of_dense(kernel, map_shape)
    if isinstance(spec, _TRANSPOSED):
        return _of_transposed(arrays["kernel"], spec.groups)
    if isinstance(spec, _SEPARABLE):
        return np.array(arrays["depthwise"])
    if isinstance(spec, SpatiallySeparableConv2D):
        # Nothing comes between the two steps, so they are one kernel.
        steps = arrays["horizontal"][:, :, 0], arrays["vertical"][..., 0]
        product: Kernels = np.einsum("ofj,fci->ocij", *steps)
        return product
    if isinstance(spec, _LOCAL):
        out_spatial = found.layer.out_shape[:-1]
        return np.array(arrays["kernel"][_checked_position(position, out_spatial)])
    return np.array(arrays["kernel"])


def _of_dense(kernel: Kernels, map_shape: Shape | None) -> Kernels:
    """Reshape a kernel (features, units)."""
    rows = kernel.T
    if map_shape is None or len(map_shape) == 1:
        return np.array(rows[:, np.newaxis])
    return np.moveaxis(rows.reshape(-1, *map_shape), -1, 1).copy()


def _of_transposed(kernel: Kernels, groups: int) -> Kernels:
    """Reorder a kernel (channels, filters // groups, *kernel_size)."""
    channels, per_group, *size = kernel.shape
    by_group = kernel.reshape(groups, channels // groups, per_group, *size)
    return by_group.swapaxes(1, 2).reshape(groups * per_group, -1, *size).copy()


def _checked_position(position: object, out_spatial: Shape) -> tuple[int, ...]:
    if position is None:
        return tuple(length // 2 for length in out_spatial)
    own = position if isinstance(position, tuple | list) else (position,)
    is_valid = len(own) == len(out_spatial) and all(
        isinstance(i, int | np.integer) and 0 <= i < length
        for i, length in zip(own, out_spatial, strict=True)
    )
    if not is_valid:
        raise ValueError(
            f"position must be a tuple of {len(out_spatial)} indices below "
            f"{out_spatial}, the size of the layer's output; got {position!r}."
        )
    return tuple(int(i) for i in own)


def map_before(network: Network, found: FoundLayer) -> Shape | None:
    """Return the shape of the map whose values a dense layer sees, if it is known."""
    names = list(network.layers)
    if not has_units(found) or found.path not in names:
        return None
    for name in reversed(names[: names.index(found.path)]):
        layer = network.layers[name]
        if len(layer.in_shape) > 1:
            flattens = prod(layer.in_shape) == found.layer.in_shape[0]
            return layer.in_shape if flattens and not layer.weight_shapes else None
        if layer.weight_shapes:
            return None
    return None


def sees_colors(network: Network, found: FoundLayer) -> bool:
    """Whether the channels that a layer sees are the red, green and blue of X."""
    if network.in_shape[-1] != 3 or found.path not in network.layers:
        return False
    names = list(network.layers)
    before = [network.layers[name] for name in names[: names.index(found.path)]]
    keeps = all(
        not layer.weight_shapes and len(layer.out_shape) in (1, 3) for layer in before
    )
    in_shape = found.layer.in_shape
    if has_units(found):
        in_shape = map_before(network, found) or ()
    return keeps and len(in_shape) == 3 and in_shape[-1] == 3
