"""Which module of a state of PyTorch belongs to which layer: by names, or in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from skconvnet._suggestions import did_you_mean
from skconvnet.engine.network import Network
from skconvnet.interop.counterparts import (
    Counterpart,
    ForeignModule,
    check_layer_names,
)
from skconvnet.interop.foreign_values import listed

Names: TypeAlias = Mapping[str, str | Sequence[str]]
# A layer of ours, one of its modules, and the beginning of its names in the state.
Match: TypeAlias = tuple[Counterpart, ForeignModule, str]
# The arrays of each module by its name.
Groups: TypeAlias = dict[str, dict[str, Any]]


def grouped(state: Mapping[str, Any]) -> Groups:
    """Return the arrays of each module of a state, in order.

    Numbers, which `torch.nn.Sequential` gives, are in their own order: files may have
    sorted them as text.

    >>> list(grouped({"10.weight": 0, "2.weight": 0, "2.bias": 0}))
    ['2', '10']
    """
    groups: Groups = {}
    for key, value in state.items():
        module, _, array = key.rpartition(".")
        groups.setdefault(module, {})[array] = value
    first_seen: dict[tuple[str, ...], int] = {}
    for module in groups:
        parts = tuple(module.split("."))
        for end in range(len(parts)):
            first_seen.setdefault(parts[: end + 1], len(first_seen))

    def place(module: str) -> list[tuple[int, int]]:
        parts = tuple(module.split("."))
        return [
            (0, int(part)) if part.isdecimal() else (1, first_seen[parts[: i + 1]])
            for i, part in enumerate(parts)
        ]

    return {module: groups[module] for module in sorted(groups, key=place)}


def own_matches(counterparts: Sequence[Counterpart]) -> list[Match]:
    """Return all modules, under the names of our layers."""
    return [
        (own, module, f"{own.name.replace('/', '.')}{module.suffix}")
        for own in counterparts
        for module in own.modules
    ]


def check_names(names: object, network: Network) -> None:
    """Raise an error unless `names` is None or a mapping of layers with weights."""
    if names is None:
        return
    if not isinstance(names, Mapping):
        raise TypeError(
            "names must be a mapping of our layers to modules of PyTorch, such as "
            f"{{'conv1': 'features.0'}}; got {names!r}."
        )
    check_layer_names(names, network, "names")


def named_matches(counterparts: Sequence[Counterpart], names: Names) -> list[Match]:
    """Return the modules of the layers that `names` mentions, under these names.

    Raises
    ------
    ValueError
        If `names` has a wrong number of modules, or a module twice.
    """
    by_name = {own.name: own for own in counterparts}
    matches: list[Match] = []
    for layer, given in names.items():
        own = by_name[layer]
        if isinstance(given, str):
            prefixes = [f"{given}{module.suffix}" for module in own.modules]
        else:
            prefixes = list(given)
        if len(prefixes) != len(own.modules) or not all(
            isinstance(prefix, str) for prefix in prefixes
        ):
            kinds = " and ".join(module.kind for module in own.modules)
            raise ValueError(
                f"names[{layer!r}] must be the name of a module, or names of "
                f"{len(own.modules)} modules in order ({kinds}); got {given!r}."
            )
        matches += zip([own] * len(prefixes), own.modules, prefixes, strict=True)
    counts = Counter(prefix for _, _, prefix in matches)
    twice = [repr(prefix) for prefix, count in counts.items() if count > 1]
    if twice:
        raise ValueError(
            f"names must have each module once; got {listed(twice)} twice."
        )
    return matches


def _common_beginning(prefixes: Sequence[str], groups: Groups) -> str | None:
    """Return what our names begin with in a state, or None if it has other names.

    >>> _common_beginning(["a", "b"], {"net.b": {}, "net.a": {}})
    'net.'
    """
    ends = (name for name in groups if f".{name}".endswith(f".{prefixes[0]}"))
    for name in ends:
        begin = name.removesuffix(prefixes[0])
        if {begin + prefix for prefix in prefixes} == set(groups):
            return begin
    return None


def matched(
    counterparts: Sequence[Counterpart], groups: Groups, names: Names | None
) -> list[Match]:
    """Return which modules of a state belong to which layers.

    Raises
    ------
    ValueError
        If there are other modules than needed.
    """
    if names is not None:
        matches = named_matches(counterparts, names)
        missing = [prefix for _, _, prefix in matches if prefix not in groups]
        if missing:
            raise ValueError(
                f"names has {listed(list(map(repr, missing)))}, but the modules with "
                f"arrays in the state are {listed(list(map(repr, groups)))}."
                f"{did_you_mean(missing[0], groups)}"
            )
        return matches
    matches = own_matches(counterparts)
    begin = _common_beginning([prefix for _, _, prefix in matches], groups)
    if begin is not None:
        return [(own, module, begin + prefix) for own, module, prefix in matches]
    if len(matches) != len(groups):
        ours = [f"{own.name} ({module.kind})" for own, module, _ in matches]
        theirs = [
            f"{prefix!r} ({', '.join(arrays)})" for prefix, arrays in groups.items()
        ]
        raise ValueError(
            f"The state has {len(groups)} modules with arrays, but the network needs "
            f"{len(matches)}.\nThe network needs: {listed(ours)}.\n"
            f"The state has: {listed(theirs)}.\n"
            "Pass names={layer: module} to say which layer gets which module; layers "
            "that it does not mention keep their weights."
        )
    return [
        (own, module, prefix)
        for (own, module, _), prefix in zip(matches, groups, strict=True)
    ]
