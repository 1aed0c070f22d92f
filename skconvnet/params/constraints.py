"""Constraints on the values of hyperparameters, for scikit-learn's validation."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

from sklearn.utils._param_validation import Interval, StrOptions

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


def one_of(*names: str) -> list[Any]:
    """Return the constraint that a hyperparameter must be one of these strings."""
    return [StrOptions(set(names))]
