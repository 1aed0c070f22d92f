"""Which of the arrays of another network fit a network: ``set_weights(strict=False)``.

The body of a network can be trained on one problem and reused for another. The output
layer then has another shape, as there are other classes, so its arrays are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.params.naming import OUTPUT_NAME


def fitting_weights(
    network: Network, weights: object, *, strict: object
) -> tuple[Any, list[str]]:
    """Return the arrays to set, and the names of those that are left out.

    If `strict`, all of them are returned, to be checked when they are set. Otherwise, a
    warning tells which are left out, unless they are of the output layer.

    Raises
    ------
    TypeError
        If `strict` is neither True nor False.
    ValueError
        If no array has a name and a shape of the network.
    """
    if not isinstance(strict, bool | np.bool_):
        raise TypeError(f"strict must be True or False; got {strict!r}.")
    if strict or not isinstance(weights, Mapping):
        return weights, []
    shapes = {name: _shape_of(values) for name, values in weights.items()}
    own = network.shapes
    fits = {
        name: weights[name]
        for name, shape in shapes.items()
        if name in own and shape in (None, own[name])
    }
    left_out = [name for name in weights if name not in fits]
    if left_out and not fits:
        raise ValueError(
            "No array of weights fits this network: "
            f"{_reasons(left_out, shapes, own)}. The names and shapes must be those of "
            "get_weights: give the layers that both networks have the same names."
        )
    telling = [name for name in left_out if not _is_of_output(name)]
    if telling:
        warn_caller(
            f"set_weights leaves out {len(telling)} of {len(weights)} arrays: "
            f"{_reasons(telling, shapes, own)}. Take them out of weights if that is "
            "intended."
        )
    return fits, left_out


def _is_of_output(name: object) -> bool:
    return str(name).startswith(f"{OUTPUT_NAME}/")


def _shape_of(values: Any) -> Shape | None:  # noqa: ANN401  any object
    """Return the shape of an array-like, or None if it has none."""
    try:
        return tuple(np.shape(values))
    except (TypeError, ValueError):
        return None  # replace_weights explains what is wrong


def _reasons(
    names: list[str], shapes: Mapping[str, Shape | None], own: Mapping[str, Shape]
) -> str:
    return "; ".join(
        f"{name!r} has shape {shapes[name]}, but {own[name]} is needed"
        if name in own
        else f"the network has no {name!r}"
        for name in names
    )
