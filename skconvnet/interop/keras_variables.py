"""Which variable of a model of Keras is which array of which layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from skconvnet.interop.counterparts import (
    Counterpart,
    ForeignArray,
    ForeignModule,
    arrays_of,
)
from skconvnet.interop.foreign_values import listed


class Slot(NamedTuple):
    """An array that a layer needs, and what the user gave for it.

    `given` is None if the layer of Keras does not have the array, and the array has a
    value that does the same.
    """

    own: Counterpart
    module: ForeignModule
    array: ForeignArray
    given: Any
    where: str


def aligned(counterparts: Sequence[Counterpart], weights: Sequence[Any]) -> list[Slot]:
    """Return what was given for each array.

    Raises
    ------
    ValueError
        If there are other arrays than needed.
    """
    if weights and all(hasattr(value, "path") for value in weights):
        return _by_layer(counterparts, weights)
    needed = list(arrays_of(counterparts))
    if len(needed) != len(weights):
        ours = [f"{own.own_name(array)}" for own, _, array in needed]
        shapes = [str(tuple(getattr(value, "shape", ()))) for value in weights]
        raise ValueError(
            f"weights has {len(weights)} arrays, but the network needs {len(needed)}.\n"
            f"The network needs: {listed(ours)}.\n"
            f"weights has the shapes: {listed(shapes)}.\n"
            "Pass model.weights instead of model.get_weights() if the model has layers "
            "without a bias, or order=[layer, ...] to replace some layers only."
        )
    return [
        Slot(*own, value, f"weights[{i}]")
        for i, (own, value) in enumerate(zip(needed, weights, strict=True))
    ]


def _by_layer(
    counterparts: Sequence[Counterpart], variables: Sequence[Any]
) -> list[Slot]:
    """Return the variables of each layer; its name is what their path begins with."""
    groups: list[tuple[str, dict[str, Any]]] = []
    for variable in variables:
        layer, _, name = variable.path.rpartition("/")
        if not groups or groups[-1][0] != layer or name in groups[-1][1]:
            groups.append((layer, {}))
        groups[-1][1][name] = variable
    modules = [(own, module) for own in counterparts for module in own.modules]
    if len(modules) != len(groups):
        ours = [f"{own.name} ({module.kind})" for own, module in modules]
        theirs = [f"{name!r} ({', '.join(own)})" for name, own in groups]
        raise ValueError(
            f"weights are of {len(groups)} layers, but the network needs "
            f"{len(modules)}.\nThe network needs: {listed(ours)}.\n"
            f"weights has: {listed(theirs)}.\n"
            "Pass order=[layer, ...] to replace some layers only."
        )
    slots: list[Slot] = []
    for (own, module), (name, given) in zip(modules, groups, strict=True):
        known = [array.theirs for array in module.arrays]
        missing = [
            array.theirs
            for array in module.arrays
            if array.theirs not in given and array.default is None
        ]
        unknown = [array for array in given if array not in known]
        if missing or unknown:
            raise ValueError(
                f"weights has the layer {name!r} with {', '.join(given)} where layer "
                f"{own.name!r} needs a {module.kind} with {', '.join(known)}. If the "
                "model has its layers in another order, pass order=[layer, ...]."
            )
        slots += [
            Slot(own, module, array, given.get(array.theirs), f"{name}/{array.theirs}")
            for array in module.arrays
        ]
    return slots
