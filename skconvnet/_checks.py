"""Checks of numbers that users pass, with errors that name the parameter.

An int is any `numbers.Integral` except a bool, a float any `numbers.Real` except a
bool. NumPy scalars are therefore accepted, so that a search can draw values from
arrays. The checks return an int or a float of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np


def is_int(value: object) -> TypeGuard[int]:
    """Whether `value` is an int of Python or NumPy, but not a bool.

    >>> is_int(np.uint8(2)), is_int(True), is_int(2.0)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value: object) -> TypeGuard[float]:
    """Whether `value` is a real number of Python or NumPy, but not a bool.

    >>> is_real(np.float32(0.5)), is_real(1), is_real(np.True_)
    (True, True, False)
    """
    return isinstance(value, Real) and not isinstance(value, bool)


def as_python(value: Any) -> Any:  # noqa: ANN401  any value
    """Convert a NumPy scalar to Python's type, and return anything else unchanged.

    Python's numbers do not change the precision of an array that they are combined
    with, whereas ``np.float64`` does.

    >>> as_python(np.float64(0.5)), as_python("auto")
    (0.5, 'auto')
    """
    return value.item() if isinstance(value, np.generic) else value


def is_iterable(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether `value` holds values: neither text nor an array without axes.

    >>> import numpy as np
    >>> is_iterable((1, 2)), is_iterable("ab"), is_iterable(np.array(3))
    (True, False, False)
    """
    is_text = isinstance(value, (str, bytes))
    has_axes = getattr(value, "ndim", 1) > 0
    return isinstance(value, Iterable) and not is_text and has_axes


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is a list, a tuple or an array with an axis.

    >>> import numpy as np
    >>> is_sequence([1]), is_sequence(np.array([1])), is_sequence({1})
    (True, True, False)
    """
    is_array = hasattr(value, "ndim") and hasattr(value, "__array__")
    return isinstance(value, (list, tuple)) or (is_array and is_iterable(value))


def check_int(name: str, value: object, minimum: int = 1) -> int:
    """Return `value` as an int, or raise an error that names the parameter.

    >>> check_int("units", np.int64(3))
    3

    Raises
    ------
    TypeError
        If `value` is not an int.
    ValueError
        If it is less than `minimum`.
    """
    if not is_int(value):
        raise TypeError(f"{name} must be an int of at least {minimum}; got {value!r}.")
    if value < minimum:
        raise ValueError(f"{name} must be an int of at least {minimum}; got {value!r}.")
    return int(value)


def check_positive_int(name: str, value: object) -> int:
    """Return `value` as an int of at least 1, or raise an error."""
    return check_int(name, value, 1)


def check_float(
    name: str,
    value: object,
    allowed: str = "a finite float",
    accepts: Callable[[float], bool] | None = None,
) -> float:
    """Return `value` as a float, or raise an error that says what is `allowed`.

    Raises
    ------
    TypeError
        If `value` is not a real number.
    ValueError
        If it is not finite, or `accepts` returns False for it.
    """
    if not is_real(value):
        raise TypeError(f"{name} must be {allowed}; got {value!r}.")
    number = float(value)
    if not isfinite(number) or (accepts is not None and not accepts(number)):
        raise ValueError(f"{name} must be {allowed}; got {value!r}.")
    return number


def check_number(
    name: str, value: object, low: float = -inf, high: float = inf
) -> float:
    """Return `value` as a finite float within the bounds, both included.

    >>> check_number("probability", np.float32(0.5), 0, 1)
    0.5
    """
    allowed = "a finite number"
    if isfinite(low):
        allowed = f"a number of at least {low:g}"
        if isfinite(high):
            allowed = f"a number in [{low:g}, {high:g}]"
    return check_float(name, value, allowed, lambda number: low <= number <= high)


def per_axis(name: str, value: object, ndim: int, minimum: int = 1) -> tuple[int, ...]:
    """Return `value` as one int per axis.

    >>> per_axis("strides", 2, ndim=2)
    (2, 2)

    Raises
    ------
    TypeError, ValueError
        If `value` is neither an int nor a tuple of `ndim` ints, or is too small.
    """
    values: object = (value,) * ndim if is_int(value) else value
    if not is_sequence(values):
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
