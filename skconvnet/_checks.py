"""Checks of numbers that users pass, with errors that name the parameter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np


def check_positive_int(name: str, value: Any) -> int:
    """Return `value` as an int, or raise an error that names the parameter."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int of at least 1; got {value!r}.")
    if value < 1:
        raise ValueError(f"{name} must be an int of at least 1; got {value!r}.")
    return int(value)


def check_float(
    name: str,
    value: Any,
    allowed: str = "a finite float",
    accepts: Callable[[float], bool] = lambda value: True,
) -> float:
    """Return `value` as a float, or raise an error that says what is `allowed`."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {allowed}; got {value!r}.")
    if not np.isfinite(float(value)) or not accepts(float(value)):
        raise ValueError(f"{name} must be {allowed}; got {value!r}.")
    return float(value)


def per_axis(name: str, value: Any, ndim: int, minimum: int = 1) -> tuple[int, ...]:
    """Return `value` as one int an axis.

    >>> per_axis("strides", 2, ndim=2)
    (2, 2)

    Raises
    ------
    TypeError, ValueError
        If `value` is neither an int nor a tuple of `ndim` ints, or is too small.
    """
    values = (value,) * ndim if is_int(value) else value
    if isinstance(values, str) or not isinstance(values, Sequence):
        raise TypeError(
            f"{name} must be an int or a tuple of {ndim} ints; got {value!r}."
        )
    if len(values) != ndim or not all(is_int(v) for v in values):
        raise ValueError(
            f"{name} must be an int or a tuple of {ndim} ints, one for each spatial "
            f"axis; got {value!r}."
        )
    if min(values) < minimum:
        raise ValueError(f"{name} must be at least {minimum}; got {value!r}.")
    return tuple(int(v) for v in values)


def is_int(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
