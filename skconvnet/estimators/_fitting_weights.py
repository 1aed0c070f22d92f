"""Which of the arrays of another network fit a network: ``set_weights(strict=False)``.

The body of a network can be trained on one problem and reused for another. The output
layer then has another shape, as there are other classes, so its arrays are left out.
A layer fits as a whole: the bias of one kernel means nothing to another.
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
    fits = {name: weights[name] for name in fitting_names(own, shapes)}
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


def fitting_names(
    own: Mapping[str, Shape], given: Mapping[str, Shape | None]
) -> list[str]:
    """Return the names of the arrays in layers of which all given arrays fit.

    Parameters
    ----------
    own : mapping of str to tuple of int
        The shapes of the arrays of the network.
    given : mapping of str to tuple of int or None
        Those of the given arrays. None fits: its values are checked when it is set.

    Examples
    --------
    >>> own = {"a/kernel": (2, 3), "a/bias": (3,), "b/bias": (1,)}
    >>> fitting_names(own, {"a/kernel": (4, 3), "a/bias": (3,), "b/bias": (1,)})
    ['b/bias']
    """
    wrong = {
        _layer_of(name)
        for name, shape in given.items()
        if name not in own or shape not in (None, own[name])
    }
    return [name for name in given if _layer_of(name) not in wrong]


def _layer_of(name: object) -> str:
    return str(name).rpartition("/")[0]


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
    return "; ".join(_reason(name, shapes[name], own) for name in names)


def _reason(name: str, shape: Shape | None, own: Mapping[str, Shape]) -> str:
    if name not in own:
        return f"the network has no {name!r}"
    if shape in (None, own[name]):
        return f"{name!r} belongs to a layer of which another array does not fit"
    return f"{name!r} has shape {shape}, but {own[name]} is needed"
