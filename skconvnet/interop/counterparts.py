"""What a layer is in another library: its modules, and how their arrays are ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._suggestions import did_you_mean
from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.interop.foreign_values import listed
from skconvnet.layers.base import Layer
from skconvnet.layers.composite import CompositeLayer

Arrange = Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
# The arrays of a module by name.
Arrays = dict[str, npt.NDArray[Any]]


def as_it_is(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the array."""
    return array


@dataclass(frozen=True)
class ForeignArray:
    """An array of another library, which has the values of one of ours.

    Attributes
    ----------
    theirs : str
        Its name in the other library, such as "weight".
    ours : str
        The name of our array within the layer, such as "kernel".
    arrange : callable
        Turns our array into theirs. It may only move values to other places.
    default : float, optional
        The value that an array has which the other library leaves out, such as 0 for
        the bias of a layer without one. None means that it cannot be left out.
    restore : callable, optional
        Turns their array into ours, where `inverse` would be slow.
    part : (int, int), optional
        ``(i, n)`` if their array consists of n arrays of ours, one after the other
        along the first axis, of which this one is number i.
    """

    theirs: str
    ours: str
    arrange: Arrange = as_it_is
    default: float | None = None
    restore: Arrange | None = None
    part: tuple[int, int] | None = None

    def shape(self, own: Shape) -> Shape:
        """Return the shape that their array has if ours has the shape `own`."""
        shape = self.arrange(np.empty(own, dtype=np.bool_)).shape
        if self.part is None:
            return shape
        _, n = self.part
        return (n * shape[0], *shape[1:])

    def inverse(self, theirs: npt.NDArray[Any], own: Shape) -> npt.NDArray[Any]:
        """Return our array, of shape `own`, that `arrange` turns into `theirs`."""
        if self.part is not None:
            i, n = self.part
            theirs = np.split(theirs, n)[i]
        if self.restore is not None:
            return self.restore(theirs)
        ours = np.empty(own, dtype=theirs.dtype)
        view = self.arrange(ours)
        if np.shares_memory(view, ours):
            view[...] = theirs
            return ours
        positions = self.arrange(np.arange(prod(own)).reshape(own))
        ours.reshape(-1)[positions] = theirs
        return ours


@dataclass(frozen=True)
class ForeignModule:
    """A module or layer of another library.

    Attributes
    ----------
    kind : str
        Its class, such as "Conv2d".
    arrays : tuple of ForeignArray
        In the order of the other library.
    suffix : str
        What tells it from the other modules that one of our layers is.
    constants : tuple of str
        Arrays that are zero in a new module, and have no counterpart here.
    join, separate : callable, optional
        If two arrays of a module are one of ours: `join` turns its arrays into those
        of `arrays`, and `separate` turns them back.
    """

    kind: str
    arrays: tuple[ForeignArray, ...]
    suffix: str = ""
    constants: tuple[str, ...] = ()
    join: Callable[[Arrays], Arrays] | None = None
    separate: Callable[[Arrays], Arrays] | None = None

    def separated(self, arrays: Arrays) -> Arrays:
        """Return the arrays as the other library has them."""
        return arrays if self.separate is None else self.separate(arrays)


@dataclass(frozen=True)
class Counterpart:
    """What one of our layers with weights is in another library.

    Attributes
    ----------
    name : str
        The name of our layer, such as "conv1", or "branch/conv" inside of another.
    layer : Layer
    modules : tuple of ForeignModule
    """

    name: str
    layer: Layer[Any]
    modules: tuple[ForeignModule, ...]

    def own_shape(self, array: ForeignArray) -> Shape:
        """Return the shape of our array."""
        shapes = {**self.layer.weight_shapes, **self.layer.buffer_shapes}
        return shapes[array.ours]

    def own_name(self, array: ForeignArray) -> str:
        """Return the name of our array in `get_weights`."""
        return f"{self.name}/{array.ours}"


def layer_names(network: Network) -> list[str]:
    """Return the names of all layers with weights, also of those inside of others."""
    return list(_layer_names(network.layers, ""))


def _layer_names(layers: Mapping[str, Layer[Any]], prefix: str) -> Iterator[str]:
    for name, layer in layers.items():
        if isinstance(layer, CompositeLayer):
            for branch, chain in layer.chains.items():
                inside = f"{prefix}{name}/{branch}/" if branch else f"{prefix}{name}/"
                yield from _layer_names(chain.layers, inside)
        elif layer.weight_shapes:
            yield f"{prefix}{name}"


def check_layer_names(
    names: Iterable[object], network: Network, parameter: str
) -> None:
    """Raise a ValueError if one of the names that a user gave is unknown."""
    known = layer_names(network)
    for name in names:
        if name not in known:
            raise ValueError(
                f"{parameter} has {name!r}, but the layers with weights are "
                f"{listed(list(map(repr, known)))}.{did_you_mean(str(name), known)}"
            )


def arrays_of(
    counterparts: Iterable[Counterpart],
) -> Iterator[tuple[Counterpart, ForeignModule, ForeignArray]]:
    """Yield all arrays, in order."""
    for own in counterparts:
        for module in own.modules:
            for array in module.arrays:
                yield own, module, array


def refuse(name: str, layer: Layer[Any], library: str) -> ValueError:
    """Return the error for a layer that another library does not have."""
    kind = type(layer).__name__.removesuffix("Layer")
    arrays = ", ".join(layer.weight_shapes)
    return ValueError(
        f"layer {name!r} ({kind}, with the weights {arrays}) has no counterpart in "
        f"{library}, so that this network cannot be converted. get_weights and "
        "set_weights read and write its arrays."
    )
