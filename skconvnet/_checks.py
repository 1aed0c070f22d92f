"""Checks of numbers that users pass, with errors that name the parameter.

An int is any `numbers.Integral` except a bool, a float any `numbers.Real` except a
bool. NumPy scalars are therefore accepted, so that a search can draw values from
arrays. The checks return an int or a float of Python.
"""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Iterable, Sequence
from math import inf, isfinite
from numbers import Integral, Real
from typing import Any, TypeGuard

import numpy as np

from skconvnet._suggestions import percent_suggestion, value_suggestion

# The largest length of an array.
LARGEST_INT = 2**63 - 1
# Ten times as many as in the deepest published network. Building more takes so long
# that it must be a mistake.
MAX_LAYERS = 10_000

_SHORT = reprlib.Repr()
_SHORT.maxlist = _SHORT.maxtuple = 12
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200


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


def is_path(value: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether a value is the path of a file or folder."""
    return isinstance(value, (str, os.PathLike))


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether `value` is a list, a tuple, a range or an array with an axis.

    Text, bytes, sets, dicts and generators are not: they have no numbers, no order, or
    no second use.

    >>> import numpy as np
    >>> is_sequence([1]), is_sequence(np.array([1])), is_sequence(np.array(1))
    (True, True, False)
    >>> is_sequence(b"1"), is_sequence({1}), is_sequence(iter([1]))
    (False, False, False)
    """
    is_array = hasattr(value, "ndim") and hasattr(value, "__array__")
    has_axes = is_array and getattr(value, "ndim", 0) > 0
    return isinstance(value, (list, tuple, range)) or has_axes


def shown(value: object) -> str:
    """Return the representation of a value, shortened if it is very long.

    >>> shown((1, 2)), shown([0] * 1000)
    ('(1, 2)', '[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ...]')
    """
    return _SHORT.repr(value)


def check_length(name: str, value: Sequence[Any]) -> None:
    """Raise a ValueError if a sequence describes more layers than a network may have.

    >>> check_length("filters", (32, 64))
    """
    check_n_layers(name, len(value))


def check_n_layers(name: str, n: int) -> None:
    """Raise a ValueError if there are more layers than a network may have."""
    if n > MAX_LAYERS:
        raise ValueError(
            f"{name} must describe at most {MAX_LAYERS} layers; got {shown(n)}."
        )


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
    _check_not_huge(name, value)
    return int(value)


def _check_not_huge(name: str, value: int) -> None:
    if value > LARGEST_INT:
        raise ValueError(f"{name} must be at most {LARGEST_INT}; got {shown(value)}.")


def check_positive_int(name: str, value: object) -> int:
    """Return `value` as an int of at least 1, or raise an error."""
    return check_int(name, value, 1)


def check_bool(name: str, value: object) -> bool:
    """Return `value` if it is True or False, or raise a TypeError.

    >>> check_bool("use_bias", np.True_)
    True
    """
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be True or False; got {shown(value)}.")
    return bool(value)


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
    number = _as_float(value)
    if not isfinite(number) or (accepts is not None and not accepts(number)):
        raise ValueError(f"{name} must be {allowed}; got {shown(value)}.")
    return number


def _as_float(value: float) -> float:
    """Return a float, which is infinite for an int that is too large."""
    try:
        return float(value)
    except OverflowError:
        return inf


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
    try:
        return check_float(name, value, allowed, lambda number: low <= number <= high)
    except ValueError as error:
        if (low, high) != (0, 1):
            raise
        raise ValueError(f"{error}{percent_suggestion(name, value)}") from None


def check_positive_float(name: str, value: object) -> float:
    """Return `value` as a finite float larger than 0, or raise an error.

    >>> check_positive_float("epsilon", 1e-6)
    1e-06
    """
    return check_float(name, value, "a finite float larger than 0", lambda v: v > 0)


def check_nonnegative_float(name: str, value: object) -> float:
    """Return `value` as a finite float of at least 0, or raise an error.

    >>> check_nonnegative_float("alpha", 0)
    0.0
    """
    return check_float(name, value, "a finite float of at least 0", lambda v: v >= 0)


def check_fraction(name: str, value: object) -> float:
    """Return `value` as a float of at least 0 and below 1, or raise an error.

    >>> check_fraction("rate", 0.5)
    0.5
    """
    try:
        return check_float(name, value, "a float in [0, 1)", lambda v: 0 <= v < 1)
    except ValueError as error:
        raise ValueError(f"{error}{percent_suggestion(name, value)}") from None


def check_choice(
    name: str, value: object, choices: Iterable[str], otherwise: str = ""
) -> str:
    """Return `value` if it is one of the strings that are allowed, or raise an error.

    Parameters
    ----------
    name : str
        The parameter.
    value : object
    choices : iterable of str
    otherwise : str, default=""
        What else is allowed, such as " or None".

    Examples
    --------
    >>> check_choice("mode", "nearest", ["nearest", "bilinear"])
    'nearest'
    """
    known = list(choices)
    if isinstance(value, str) and value in known:
        return value
    raise ValueError(
        f"{name} must be one of {', '.join(map(repr, known))}{otherwise}; got "
        f"{shown(value)}.{value_suggestion(name, value, known)}"
    )


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
            f"{name} must be an int or a tuple of {ndim} ints; got {shown(value)}."
        )
    if len(values) != ndim or not all(is_int(v) for v in values):
        raise ValueError(
            f"{name} must be an int or a tuple of {ndim} ints, one for each spatial "
            f"axis; got {shown(value)}."
        )
    _check_not_huge(name, max(values))
    if min(values) < minimum:
        raise ValueError(f"{name} must be at least {minimum}; got {value!r}.")
    return tuple(int(v) for v in values)
