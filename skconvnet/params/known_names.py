"""Objects that refuse unknown names of hyperparameters, and suggest known ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from skconvnet._foreign_words import Words
from skconvnet._suggestions import closest, did_you_mean, shown_value, translations
from skconvnet.params.documented import Documented

_KEYWORDS = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_ANY = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


@runtime_checkable
class Node(Protocol):
    """What a name such as ``conv1__filters`` goes through: an object, or a list."""

    _words: Words

    def _children(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what can be reached from here, by name.

        Parameters
        ----------
        path : str
            How this node is reached, with "__" at its end, or an empty string.
        given : mapping of str to object
            Values that are being set, by their whole names. They replace the present
            ones.
        """


class _KnownArguments(Documented):
    """Checks the names of the arguments before ``__init__`` does."""

    _words: ClassVar[Words] = {}

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:  # noqa: ANN401  as __init__
        owner: Any = cls
        accepted = _accepted(owner)
        for name, value in kwargs.items():
            if accepted is not None and name not in accepted:
                raise TypeError(
                    f"{cls.__name__}.__init__() got an unexpected keyword argument "
                    f"{name!r}.{_hint(name, value, accepted, cls._words)}"
                )
        if args and accepted == ():
            raise TypeError(f"{cls.__name__}() takes no arguments")
        new: Self = super().__new__(cls)
        return new


class KnownNames(_KnownArguments):
    """An estimator whose errors about unknown names say which one was meant.

    Attributes
    ----------
    _words : mapping
        Foreign words for its hyperparameters, see `skconvnet._foreign_words`.
    """

    if not TYPE_CHECKING:  # type checkers take it for that of all subclasses
        # Closer than __new__: the signature of a class without parameters.
        def __init__(self) -> None:
            pass

    @classmethod
    def _get_param_names(cls) -> list[str]:
        # scikit-learn inspects the signature in every call.
        accepted = _accepted(cls)
        if accepted is None:
            names: list[str] = super()._get_param_names()
            return names
        return sorted(accepted)

    def set_params(self, **params: object) -> Self:
        """Set the parameters, as in scikit-learn.

        Parameters
        ----------
        **params : dict
            Names and values of parameters. ``name__parameter`` is the parameter of an
            object.

        Returns
        -------
        self : object
        """
        check_names(self, params)
        super().set_params(**params)
        return self

    def _children(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        own = {name: getattr(self, name, None) for name in self._get_param_names()}
        return {name: given.get(path + name, value) for name, value in own.items()}


def words_of(node: Node) -> Words:
    """Return the foreign words for what can be reached from an object."""
    return node._words  # noqa: SLF001  private to users, not to the package


def children_of(node: Node, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be reached from an object or a list, see `Node`."""
    return node._children(path, given)  # noqa: SLF001  as above


@cache
def _accepted(cls: type) -> tuple[str, ...] | None:
    """Return the names of the arguments of a class, or None if it accepts any."""
    init = next(vars(c)["__init__"] for c in cls.__mro__ if "__init__" in vars(c))
    parameters = list(signature(init).parameters.values())[1:]
    if any(parameter.kind in _ANY for parameter in parameters):
        return None
    return tuple(p.name for p in parameters if p.kind in _KEYWORDS)


def _hint(name: str, value: object, accepted: tuple[str, ...], words: Words) -> str:
    """Return which argument was meant, with its value, or a list of all of them."""
    shown = shown_value(value)
    hint = did_you_mean(
        name, accepted, words, write=lambda own: f"{own}={shown}", value=shown
    )
    if hint:
        return hint
    return f" Its parameters are {listed(accepted)}." if accepted else " It has none."


def listed(names: Any) -> str:  # noqa: ANN401  any iterable of str
    """Return the names, sorted and quoted.

    >>> listed(["b", "a"])
    "'a', 'b'"
    """
    return ", ".join(map(repr, sorted(names)))


def check_names(owner: KnownNames, given: Mapping[str, Any]) -> None:
    """Raise a ValueError if a name such as ``conv1__filters`` leads nowhere.

    Nothing has been set yet when this is raised.
    """
    for key in given:
        _check_name(owner, key, given)


def _check_name(owner: KnownNames, key: str, given: Mapping[str, Any]) -> None:
    node: Any = owner
    path, rest = "", key
    while True:
        name, separator, rest = rest.partition("__")
        children = children_of(node, path, given)
        if name not in children:
            _refuse(owner, key, given, _Place(node, path, name, rest))
        if not separator:
            return
        if not rest:
            raise ValueError(
                f"Invalid parameter {key!r}: the name of a parameter is missing after "
                "'__'."
            )
        value = children[name]
        if not isinstance(value, Node):
            if hasattr(value, "set_params"):  # it checks the rest itself
                return
            _refuse_inside(owner, key, given, _Place(node, path, name, rest), value)
        node, path = value, f"{path}{name}__"


class _Place:
    """Where a key leads nowhere: at `name` below `node`, followed by `rest`."""

    def __init__(self, node: Node, path: str, name: str, rest: str) -> None:
        self.node, self.path, self.name, self.rest = node, path, name, rest

    def key_with(self, name: str) -> str:
        """Return the key with another name at this place."""
        return self.path + name + (f"__{self.rest}" if self.rest else "")


def _refuse(
    owner: KnownNames, key: str, given: Mapping[str, Any], place: _Place
) -> None:
    children = children_of(place.node, place.path, given)
    hint = _key_hint(owner, key, given, place, list(children))
    where = f"of {key!r} " if "__" in key else ""
    inside = "" if place.node is owner else f"{place.path[:-2]} is {_kind(place.node)}."
    inside = f" {inside}" if inside else ""
    raise ValueError(
        f"Invalid parameter {place.name!r} {where}for estimator "
        f"{type(owner).__name__}.{inside}{hint} Valid parameters are: "
        f"[{listed(children)}]."
    )


def _kind(node: object) -> str:
    is_object = isinstance(node, KnownNames)
    return f"of class {type(node).__name__}" if is_object else "a list"


def _key_hint(
    owner: KnownNames,
    key: str,
    given: Mapping[str, Any],
    place: _Place,
    children: list[str],
) -> str:
    """Return what was meant by a key, as a whole key that is valid."""
    if place.name.isdigit() and int(place.name) < len(children):
        candidate = place.key_with(children[int(place.name)])
        if _leads_somewhere(owner, candidate, given):
            return f" Entries are addressed by name: did you mean {candidate!r}?"
    words = translations(place.name, words_of(place.node))
    similar = closest(place.name, children)
    for name in (*words, *([similar] if similar else [])):
        candidate = place.key_with(name)
        if name in children and _leads_somewhere(owner, candidate, given):
            return f" Did you mean {candidate!r}?"
        if name.endswith("."):
            value = shown_value(given[key])
            return " " + name.format(value=value)
    names = [name for name in owner.get_params(deep=True) if name != key]
    return did_you_mean(key, names)


def _leads_somewhere(owner: KnownNames, key: str, given: Mapping[str, Any]) -> bool:
    node: Any = owner
    path = ""
    for name in key.split("__"):
        if not isinstance(node, Node):
            return hasattr(node, "set_params")
        children = children_of(node, path, given)
        if name not in children:
            return False
        node, path = children[name], f"{path}{name}__"
    return True


def _refuse_inside(
    owner: KnownNames, key: str, given: Mapping[str, Any], place: _Place, value: object
) -> None:
    """Refuse a key that goes on below a value without parameters."""
    name = place.path + place.name
    problem = f"{name}={shown_value(value)} has no parameters of its own."
    hint = ""
    if isinstance(value, (list, tuple)):
        problem = f"{name} is a list."
        hint = _hint_without_list(owner, given, place)
    elif isinstance(value, str):
        hint = f" Set {name} to an object, whose parameters have names of this form."
    raise ValueError(
        f"Invalid parameter {place.rest!r} of {key!r} for estimator "
        f"{type(owner).__name__}: {problem}{hint}"
    )


def _hint_without_list(
    owner: KnownNames, given: Mapping[str, Any], place: _Place
) -> str:
    """Say that the entries of a list are addressed without the name of the list."""
    node: Any = place.node
    own = node.get_params(deep=False) if isinstance(node, KnownNames) else {}
    entries = [n for n in children_of(place.node, place.path, given) if n not in own]
    first, separator, last = place.rest.partition("__")
    if first.isdigit() and int(first) < len(entries):
        first = entries[int(first)]
    candidate: str | None = f"{place.path}{first}{separator}{last}"
    if not _leads_somewhere(owner, f"{candidate}", given):
        candidate = closest(f"{candidate}", owner.get_params(deep=True))
    hint = f" Its entries are addressed by name: {', '.join(map(repr, entries))}."
    return f"{hint} Did you mean {candidate!r}?" if candidate else hint
