"""Constraints on the values of hyperparameters, for scikit-learn's validation."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import (
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    make_constraint,
    validate_parameter_constraints,
)

from skconvnet._checks import is_int, is_real, shown
from skconvnet._suggestions import percent_suggestion, value_suggestion
from skconvnet._typing import override

# From this number on, an error lists the classes whose objects are allowed: they are
# not base classes, and not all classes of their module.
_MANY = 3

# Larger numbers are not written out as ints.
_LARGEST_SHOWN = 1e15

# Words in a configuration file or on a command line.
_WORDS = {
    "none": None,
    "null": None,
    **dict.fromkeys(("true", "yes", "on"), True),
    **dict.fromkeys(("false", "no", "off"), False),
}

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
        Where users import the classes from, or the full name of a single class.
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
    return value_suggestion(name, value, choices) or _meant(name, value, constraints)


def _meant(name: str, value: Any, constraints: list[Any]) -> str:  # noqa: ANN401  by users
    """Return which value of another type was meant, or which fraction, or nothing.

    >>> _meant("max_iter", "20", COUNT), _meant("shuffle", "true", BOOLEAN)
    (' Did you mean max_iter=20?', ' Did you mean shuffle=True?')
    """
    for other in _values_of_other_types(value):
        if _is_allowed(other, constraints):
            return f" Did you mean {name}={other!r}?"
    percent = percent_suggestion(name, value)
    return percent if percent and _is_allowed(value / 100, constraints) else ""


def _values_of_other_types(value: object) -> Iterator[object]:
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _WORDS:
            yield _WORDS[word]
        for number in (int, float):
            with suppress(ValueError):
                yield number(word)
    elif is_real(value) and abs(value) < _LARGEST_SHOWN and value == int(value):
        yield int(value)
        if value in (0, 1):
            yield bool(value)


def _is_allowed(value: object, constraints: list[Any]) -> bool:
    if isinstance(value, bool):  # also a number, for an interval
        return "boolean" in constraints
    return any(make_constraint(c).is_satisfied_by(value) for c in constraints)
