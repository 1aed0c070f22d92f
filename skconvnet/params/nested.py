"""Hyperparameters of layers that stand in lists, under the layers' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skconvnet.params.base import Params
from skconvnet.params.naming import name_layers


def is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def named_entries(layers: Any) -> list[tuple[str, Any]]:
    """The entries with names, or none of them while `layers` is not yet valid."""
    try:
        return name_layers(layers) if is_list(layers) else []
    except TypeError:
        return []


def nested_params(named: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return each entry under its name, and what is inside as ``name__parameter``.

    An entry is an object of hyperparameters, or itself a list of such.

    >>> from skconvnet.layers import Dense
    >>> sorted(nested_params([("hidden", [Dense(4)])]))[:3]
    ['hidden', 'hidden__dense', 'hidden__dense__activation']
    """
    params = {}
    for name, entry in named:
        params[name] = entry
        inner: Mapping[str, Any] = {}
        if isinstance(entry, Params):
            inner = entry.get_params(deep=True)
        elif is_list(entry):
            inner = nested_params(named_entries(entry))
        params.update({f"{name}__{key}": value for key, value in inner.items()})
    return params


def replaced(
    named: list[tuple[str, Any]], changes: Mapping[str, Any]
) -> list[tuple[str, Any]] | None:
    """Set parameters of the entries, in place, or return a list with others instead.

    None is returned where all entries stay the same objects.

    Raises
    ------
    ValueError
        For a name that there is not.
    """
    whole: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    names = [name for name, _ in named]
    for key, value in changes.items():
        name, separator, rest = key.partition("__")
        if separator and not rest:
            raise ValueError(
                f"Invalid parameter {key!r}: the name of a parameter is missing after "
                "'__'."
            )
        if name not in names:
            raise ValueError(
                f"Invalid parameter {key!r}: its name must begin with one of "
                f"{', '.join(map(repr, names))}."
            )
        if rest:
            inner.setdefault(name, {})[rest] = value
        else:
            whole[name] = value
    result = []
    for name, entry in named:
        entry = whole.get(name, entry)
        if name in inner and is_list(entry):
            others = replaced(named_entries(entry), inner[name])
            entry = entry if others is None else others
        elif name in inner:
            entry.set_params(**inner[name])
        result.append((name, entry))
    pairs = zip(named, result, strict=True)
    return None if all(old[1] is new[1] for old, new in pairs) else result
