"""Constraints on the values of hyperparameters, for scikit-learn's validation."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)

from skconvnet._checks import is_int, shown
from skconvnet._suggestions import value_suggestion
from skconvnet._typing import override

# From this number on, an error lists the classes whose objects are allowed: they are
# not base classes, and not all classes of their module.
_MANY = 3

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


class SortedNames(StrOptions):
    """One of several strings, which an error lists in alphabetical order."""

    @override
    def __str__(self) -> str:
        return f"a str among {{{', '.join(map(repr, sorted(self.options)))}}}"


class ObjectOf(Options):
    """An object of a class, which an error names by its public module.

    Parameters
    ----------
    module : str
        Where users import the classes from.
    *classes : type
        An object must be an instance of one of them.
    """

    def __init__(self, module: str, *classes: type) -> None:
        super().__init__(object, set())
        self.module = module
        self.classes = classes

    @override
    def is_satisfied_by(self, val: object) -> bool:
        return isinstance(val, self.classes)

    @override
    def __str__(self) -> str:
        names = ", ".join(sorted(cls.__name__ for cls in self.classes))
        is_listed = len(self.classes) >= _MANY
        return f"an object of {self.module}" + (f" ({names})" if is_listed else "")


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
    return [SortedNames(set(names))]


def check_values(owner: BaseEstimator, constraints_of: Mapping[str, list[Any]]) -> None:
    """Validate hyperparameters as scikit-learn does, and suggest what was meant.

    Raises
    ------
    InvalidParameterError
        It is a ValueError and a TypeError.
    """
    for name, value in owner.get_params(deep=False).items():
        if name not in constraints_of:
            continue
        constraints = constraints_of[name]
        try:
            validate_parameter_constraints(
                {name: constraints}, {name: value}, caller_name=type(owner).__name__
            )
        except InvalidParameterError as error:
            hint = _hint(name, value, constraints)
            raise InvalidParameterError(f"{error}{hint}") from None


def _hint(name: str, value: object, constraints: list[Any]) -> str:
    objects = [c for c in constraints if isinstance(c, ObjectOf)]
    if isinstance(value, type) and any(
        issubclass(value, allowed) for c in objects for allowed in c.classes
    ):
        return f" Pass an object of this class, {name}={value.__name__}()."
    choices = [
        option
        for constraint in constraints
        if isinstance(constraint, StrOptions)
        for option in constraint.options
    ]
    return value_suggestion(name, value, choices)
