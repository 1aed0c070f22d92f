"""What `help` shows of an estimator: the order of parameters, and the methods."""

from __future__ import annotations

import inspect
import re
from ast import literal_eval
from collections.abc import Callable, Mapping
from typing import Any

from sklearn.utils._metadata_requests import RequestMethod

from skconvnet.params.documented import Text, readable

# Described first, in this order; the others follow.
_MOST_USED = (
    "layers",
    "filters",
    "kernel_size",
    "hidden_layer_sizes",
    "activation",
    "input_shape",
    "max_iter",
    "batch_size",
    "solver",
    "learning_rate_init",
    "early_stopping",
    "random_state",
    "verbose",
    "n_jobs",
    "dropout",
    "batch_norm",
    "augmentation",
    "rescale",
    "loss",
    "class_weight",
)
_SECTION = re.compile(
    r"(?s)(    Parameters\n    -+\n)(.*?)(\n\n    [A-Z]\w+\n    -+\n|\Z)"
)
_DEFAULT = re.compile(r"(?m)^(    (\w+) : .*, default=)(.*)$")
_ENTRY = re.compile(r"(?m)^(?=    \w+ : )")


def most_used_first(doc: str) -> str:
    """Return a docstring in which the parameters that most users set come first.

    >>> doc = '''Summary.
    ...
    ...     Parameters
    ...     ----------
    ...     tol : float
    ...         The tolerance.
    ...     max_iter : int
    ...         The maximum number.'''
    >>> most_used_first(doc).splitlines()[4]
    '    max_iter : int'
    """
    match = _SECTION.search(doc)
    if match is None:
        return doc
    entries = [entry.rstrip("\n") for entry in _ENTRY.split(match[2]) if entry]
    ordered = "\n".join(sorted(entries, key=_rank))
    return f"{doc[: match.start(2)]}{ordered}{doc[match.end(2) :]}"


def _rank(entry: str) -> int:
    name = entry.split(" : ")[0].strip()
    return _MOST_USED.index(name) if name in _MOST_USED else len(_MOST_USED)


def give_defaults(doc: str, defaults: Mapping[str, object]) -> str:
    """Return a docstring in which every ``default=`` is that of `defaults`.

    A default that is written in another way, such as 1e-4 for 0.0001, stays.

    >>> doc = "    alpha : float, default=0.1"
    >>> give_defaults(doc, {"alpha": 1.0})
    '    alpha : float, default=1.0'
    """

    def with_default(match: re.Match[str]) -> str:
        name, stated = match[2], match[3]
        if name not in defaults or literal_eval(stated) == defaults[name]:
            return match[0]
        default = defaults[name]
        text = f'"{default}"' if isinstance(default, str) else repr(default)
        return f"{match[1]}{text}"

    return _DEFAULT.sub(with_default, doc)


def gather_methods(cls: type) -> None:
    """Make the public methods of our base classes attributes of the class itself.

    `help` then shows them in one list, and not under the names of private classes.
    """
    fields = getattr(cls, "__dataclass_fields__", {})
    for base in cls.__mro__[1:]:
        if not base.__module__.startswith("skconvnet."):
            continue
        for name, value in list(vars(base).items()):
            is_public = not name.startswith("_") and name not in fields
            if is_public and inspect.getattr_static(cls, name) is value:
                _unquote_annotations(value)
                setattr(cls, name, value)


def _unquote_annotations(value: object) -> None:
    """Let a method or property show the types of its arguments without quotes."""
    # The function of `available_if`, or of a property.
    function: Any = getattr(value, "fn", getattr(value, "fget", value))
    function = inspect.unwrap(function)
    for name, annotation in getattr(function, "__annotations__", {}).items():
        if isinstance(annotation, str):
            function.__annotations__[name] = Text(annotation)


def shorten_requests(cls: type) -> None:
    """Give the methods ``set_{method}_request`` of scikit-learn shorter docstrings."""
    for name, value in list(vars(cls).items()):
        if type(value) is RequestMethod:
            short = ShortRequestMethod(value.name, value.keys, value.validate_keys)
            setattr(cls, name, short)


class ShortRequestMethod(RequestMethod):
    """scikit-learn's method for metadata routing, with a docstring of our own."""

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        """Return the method of an instance, or the function of the class."""
        method: Any = super().__get__(instance, owner)
        method.__doc__ = (
            f"Choose which arguments of `{self.name}` a Pipeline or a search passes on."
            "\n\nFor scikit-learn's metadata routing, "
            "``set_config(enable_metadata_routing=True)``.\n\n"
            "Parameters\n----------\n"
            f"{', '.join(self.keys)} : bool, None or str\n"
            "    True passes the argument on if it is given, False does not, None "
            "raises\n    an error if it is given, and a str is the name by which it is "
            "given.\n\nReturns\n-------\nself : object\n"
        )
        signature = readable(method.__signature__)
        method.__signature__ = signature.replace(
            parameters=[
                parameter.replace(annotation=parameter.empty)
                for parameter in signature.parameters.values()
            ]
        )
        return method  # type: ignore[no-any-return]  # scikit-learn has no types
