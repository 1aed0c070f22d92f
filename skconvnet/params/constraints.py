"""Constraints on the values of hyperparameters, for scikit-learn's validation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    StrOptions,
)

from skconvnet._checks import is_int, shown

_LARGEST_FLOAT = sys.float_info.max

BOOLEAN: list[Any] = ["boolean"]
FROM_0_TO_1: list[Any] = [Interval(Real, 0, 1, closed="both")]
BETWEEN_0_AND_1: list[Any] = [Interval(Real, 0, 1, closed="neither")]
BELOW_1: list[Any] = [Interval(Real, 0, 1, closed="left")]
FINITE: list[Any] = [Interval(Real, None, None, closed="neither")]
POSITIVE: list[Any] = [Interval(Real, 0, None, closed="neither")]
NOT_NEGATIVE: list[Any] = [Interval(Real, 0, None, closed="left")]
ABOVE_0_TO_1: list[Any] = [Interval(Real, 0, 1, closed="right")]
FROM_1: list[Any] = [Interval(Real, 1, None, closed="left")]
COUNT: list[Any] = [Interval(Integral, 1, None, closed="left")]
COUNT_OR_0: list[Any] = [Interval(Integral, 0, None, closed="left")]


def check_magnitudes(params: Mapping[str, object], owner: str) -> None:
    """Raise an InvalidParameterError if an int is too large for a float.

    An interval of real numbers, such as that of `alpha`, holds ints of any size.
    """
    for name, value in params.items():
        if is_int(value) and abs(value) > _LARGEST_FLOAT:
            raise InvalidParameterError(
                f"The {name!r} parameter of {owner} must be at most {_LARGEST_FLOAT:g} "
                f"in absolute value. Got {shown(value)} instead."
            )


def one_of(*names: str) -> list[Any]:
    """Return the constraint that a hyperparameter must be one of these strings."""
    return [StrOptions(set(names))]
