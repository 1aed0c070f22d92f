"""Errors about the arguments of methods, which name the class that users know."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, signature
from typing import Any, TypeVar, cast

from skconvnet._foreign_words import FIT_ARGUMENTS
from skconvnet._suggestions import did_you_mean, plain, shown_value, translations
from skconvnet.params.known_names import KnownNames, words_of

_Method = TypeVar("_Method", bound=Callable[..., Any])


def explains_arguments(method: _Method) -> _Method:
    """Let a method explain arguments that it does not take, instead of Python."""
    parameters = list(signature(method).parameters.values())[1:]
    names = [parameter.name for parameter in parameters]
    positional = [p.name for p in parameters if p.kind is not Parameter.KEYWORD_ONLY]
    required = [p.name for p in parameters if p.default is Parameter.empty]

    @wraps(method)
    def explained(self: KnownNames, *args: object, **kwargs: object) -> object:
        call = f"{type(self).__name__}.{method.__name__}()"
        for name, value in kwargs.items():
            if name not in names:
                hint = _hint(self, method.__name__, name, value, names)
                raise TypeError(
                    f"{call} got an unexpected keyword argument {name!r}.{hint}"
                )
        if len(args) > len(positional):
            by_name = [name for name in names if name not in positional]
            others = f", and {', '.join(by_name)} only by name" if by_name else ""
            raise TypeError(
                f"{call} takes {', '.join(positional)} by position{others}; got "
                f"{len(args)} positional arguments."
            )
        missing = [name for name in required[len(args) :] if name not in kwargs]
        if missing:
            raise TypeError(
                f"{call} missing {len(missing)} required positional argument"
                f"{'s' if len(missing) > 1 else ''}: {' and '.join(map(repr, missing))}"
            )
        return method(self, *args, **kwargs)

    return cast(_Method, explained)


def _hint(
    estimator: KnownNames, method: str, name: str, value: object, names: list[str]
) -> str:
    """Return which argument was meant, or which parameter of the constructor."""
    shown = shown_value(value)
    own = list(estimator.get_params(deep=False))
    is_own = plain(name) in map(plain, own)
    is_argument = plain(name) in map(plain, names) or translations(name, FIT_ARGUMENTS)
    if method.endswith("fit") and is_argument and not is_own:
        return did_you_mean(name, names, FIT_ARGUMENTS)
    words = {} if is_own else words_of(estimator)
    if is_own or translations(name, words):
        return (
            did_you_mean(
                name,
                own,
                words,
                write=lambda mine: f"{mine}={shown} in {type(estimator).__name__}(...)",
                value=shown,
            )
            .replace("Did you mean", "Set")
            .replace("?", ".")
        )
    hint = did_you_mean(name, [*names, *own])
    return hint or f" Its arguments are {', '.join(names)}."
