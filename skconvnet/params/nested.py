"""Access by name to the hyperparameters of objects in lists: ``conv1__filters``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeGuard

from skconvnet._foreign_words import Words
from skconvnet._typing import override
from skconvnet.params.base import Params
from skconvnet.params.known_names import KnownNames, check_names
from skconvnet.params.naming import name_layers

Entries = list[tuple[str, Any]]


class NestedParams(KnownNames):
    """An object whose hyperparameters include lists of other such objects.

    The entries of a list have names, given or generated (`name_layers`). `get_params`
    and `set_params` access an entry as ``name`` and its parameters as
    ``name__parameter``, to any depth. Subclasses only declare which of their parameters
    are lists.

    Attributes
    ----------
    _lists : tuple of str
        Parameters whose entries are accessed by their own names, such as ``layers``:
        ``conv1__filters``.
    _prefixed_lists : tuple of str
        Parameters whose entries are accessed with the name of the parameter as a
        prefix, such as ``augmentation``: ``augmentation__shift__max_pixels``. Their
        values need not be lists.

    Examples
    --------
    >>> from skconvnet.layers import Dense, Residual
    >>> block = Residual([("hidden", Dense(4))], shortcut=[Dense(4)])
    >>> block.set_params(hidden__units=8, shortcut__dense__units=8).layers
    [('hidden', Dense(units=8))]
    """

    _lists: ClassVar[tuple[str, ...]] = ()
    _prefixed_lists: ClassVar[tuple[str, ...]] = ()

    def _entries(self) -> Entries:
        """Return the named entries of all lists, as `get_params` names them."""
        found = [self._entries_of(parameter) for parameter in self._lists]
        found += [self._as_entry(parameter) for parameter in self._prefixed_lists]
        return [entry for entries in found for entry in entries]

    def _entries_of(self, parameter: str) -> Entries:
        """Return the named entries of one list, or none if it is not valid."""
        return named_entries(getattr(self, parameter))

    def _as_entry(self, parameter: str) -> Entries:
        value = getattr(self, parameter)
        return [(parameter, value)] if is_list(value) else []

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters and, if `deep`, the parameters of nested objects.

        Parameters
        ----------
        deep : bool, default=True
            Whether to add the parameters of objects, and of the entries of lists, as
            ``name__parameter``.

        Returns
        -------
        params : dict of str to object
        """
        params: dict[str, Any] = super().get_params(deep=deep)
        return {**params, **nested_params(self._entries())} if deep else params

    def set_params(self, **params: object) -> Self:
        """Set parameters, whole entries of lists, or parameters of entries.

        Parameters
        ----------
        **params : dict
            For example ``layers=[...]``, ``conv1=Conv2D(8, 3)``,
            ``conv1="passthrough"`` or ``conv1__filters=8``. Names are as deep as the
            lists: ``inception__b3__conv__filters=8``. Existing lists are replaced,
            never modified.

        Returns
        -------
        self : object
        """
        check_names(self, params)
        # Whole lists are set first: other parameters may belong to their entries.
        for parameter in (*self._lists, *self._prefixed_lists):
            if parameter in params:
                setattr(self, parameter, params.pop(parameter))
        for parameter in self._lists:
            entries = self._entries_of(parameter)
            changed = replaced(entries, self._taken(entries, params))
            if changed is not None:
                setattr(self, parameter, changed)
        for parameter in self._prefixed_lists:
            entries = self._as_entry(parameter)
            changed = replaced(entries, self._taken(entries, params))
            if changed is not None:
                setattr(self, parameter, changed[0][1])
        super().set_params(**params)
        return self

    def _taken(self, entries: Entries, params: dict[str, object]) -> dict[str, object]:
        """Remove and return the items of `params` that belong to these entries."""
        names = {name for name, _ in entries}
        # A parameter of the object itself precedes an entry of the same name.
        own = set(self._get_param_names())
        keys = [key for key in params if key not in own and _first(key) in names]
        return {key: params.pop(key) for key in keys}

    @override
    def _children(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        own = super()._children(path, given)
        entries = [entry for name in self._lists for entry in named_entries(own[name])]
        lists = {
            name: EntryList(own[name])
            for name in self._prefixed_lists
            if is_list(own[name])
        }
        return {**_as_nodes(entries, path, given), **own, **lists}


class EntryList:
    """A list as a part of a name such as ``augmentation__shift__max_pixels``.

    Parameters
    ----------
    values : list
        Objects with or without names.
    """

    _words: ClassVar[Words] = {}

    def __init__(self, values: object) -> None:
        self._values = values

    def _children(self, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
        return _as_nodes(named_entries(self._values), path, given)


def _as_nodes(entries: Entries, path: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries by name, or what is `given` for them; lists as nodes."""
    current = {name: given.get(path + name, entry) for name, entry in entries}
    return {
        name: EntryList(entry) if is_list(entry) else entry
        for name, entry in current.items()
    }


def is_list(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Whether `value` is a list or a tuple."""
    return isinstance(value, (list, tuple))


def named_entries(values: object) -> Entries:
    """Return the entries with their names, or none if `values` is not a valid list."""
    try:
        entries = name_layers(values) if is_list(values) else []
    except TypeError:
        return []
    return entries if all(isinstance(name, str) for name, _ in entries) else []


def nested_params(entries: Entries) -> dict[str, Any]:
    """Return each entry as ``name``, and its parameters as ``name__parameter``.

    An entry is an object of hyperparameters, or a list of such objects.

    >>> from skconvnet.layers import Dense
    >>> sorted(nested_params([("hidden", [Dense(4)])]))[:3]
    ['hidden', 'hidden__dense', 'hidden__dense__activation']
    """
    params = {}
    for name, entry in entries:
        params[name] = entry
        inner: Mapping[str, Any] = {}
        if isinstance(entry, Params):
            inner = entry.get_params(deep=True)
        elif is_list(entry):
            inner = nested_params(named_entries(entry))
        params.update({f"{name}__{key}": value for key, value in inner.items()})
    return params


def replaced(entries: Entries, changes: Mapping[str, Any]) -> Entries | None:
    """Set parameters of the entries in place, or return a list with new entries.

    If all entries remain the same objects, return None.

    Raises
    ------
    ValueError
        If no entry has the name of a change.
    """
    whole, inner = _by_entry([name for name, _ in entries], changes)
    result: Entries = []
    for name, old in entries:
        entry: Any = whole.get(name, old)
        if name in inner and is_list(entry):
            others = replaced(named_entries(entry), inner[name])
            entry = entry if others is None else others
        elif name in inner:
            entry.set_params(**inner[name])
        result.append((name, entry))
    is_same = all(a[1] is b[1] for a, b in zip(entries, result, strict=True))
    return None if is_same else result


def _by_entry(
    names: list[str], changes: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Divide the changes into new entries and parameters of each entry."""
    whole: dict[str, Any] = {}
    inner: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        name, separator, rest = key.partition("__")
        if separator and not rest:
            raise ValueError(
                f"Invalid parameter {key!r}: the name of a parameter is missing after "
                "'__'."
            )
        if name not in names:
            raise ValueError(
                f"Invalid parameter {key!r}: its name must begin with one of "
                f"{', '.join(map(repr, names))}."
            )
        if rest:
            inner.setdefault(name, {})[rest] = value
        else:
            whole[name] = value
    return whole, inner


def _first(key: str) -> str:
    return key.partition("__")[0]
