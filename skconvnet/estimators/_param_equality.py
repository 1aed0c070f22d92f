"""Whether hyperparameters are equal, of any kind."""

from __future__ import annotations

from typing import Any

import numpy as np


def have_same_params(own: Any, other: Any) -> bool:  # noqa: ANN401  any object
    """Return whether two objects have one class and the same hyperparameters.

    >>> from skconvnet.optimizers import SGD
    >>> have_same_params(SGD(0.9), SGD(0.9)), have_same_params(SGD(0.9), SGD(0.5))
    (True, False)
    """
    if type(own) is not type(other):
        return False
    mine, theirs = own.get_params(), other.get_params()
    return mine.keys() == theirs.keys() and not any(
        differ(mine[name], theirs[name]) for name in mine
    )


def differ(mine: object, theirs: object) -> bool:
    """Return whether two hyperparameters differ.

    Objects with hyperparameters of their own, and functions, are compared by name.
    """
    if hasattr(mine, "get_params") or hasattr(theirs, "get_params"):
        return type(mine) is not type(theirs)
    if callable(mine) or callable(theirs):
        return _name_of(mine) != _name_of(theirs)
    if isinstance(mine, list | tuple) and isinstance(theirs, list | tuple):
        if len(mine) != len(theirs):
            return True
        return any(map(differ, mine, theirs))
    return not np.array_equal(np.asarray(mine), np.asarray(theirs))


def _name_of(function: object) -> object:
    """Return what tells functions and scorers apart."""
    if hasattr(function, "__qualname__"):
        return function.__module__, function.__qualname__
    return repr(function)
