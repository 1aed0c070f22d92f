"""Names of the layers in a list: given or generated, unique and valid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeGuard

from skconvnet._checks import check_length, is_sequence
from skconvnet._foreign_words import LAYERS
from skconvnet._suggestions import did_you_mean, translations
from skconvnet.params.base import LayerSpec

PASSTHROUGH = "passthrough"
OUTPUT_NAME = "output"


def name_layers(layers: Iterable[Any]) -> list[tuple[str, Any]]:
    """Return the entries of `layers` as pairs (name, layer).

    A layer without a name is named after its class in lower case. If there are several
    of one class, they are numbered: ``conv2d_1``, ``conv2d_2``.

    >>> from skconvnet.layers import Dense, Dropout
    >>> [name for name, _ in name_layers([Dense(8), ("drop", Dropout(0.1)), Dense(4)])]
    ['dense_1', 'drop', 'dense_2']
    """
    entries = list(layers)
    taken = {entry[0] for entry in entries if _is_named(entry)}
    kinds = Counter(_kind(entry) for entry in entries if not _is_named(entry))
    numbers: Counter[str] = Counter()
    named = []
    for entry in entries:
        if _is_named(entry):
            named.append((entry[0], entry[1]))
            continue
        kind = _kind(entry)
        name = kind
        while name in taken or (name == kind and kinds[kind] > 1):
            numbers[kind] += 1
            name = f"{kind}_{numbers[kind]}"
        taken.add(name)
        named.append((name, entry))
    return named


def check_layers(
    layers: object, reserved: Iterable[str] = ()
) -> list[tuple[str, LayerSpec]]:
    """Return the named specs of `layers`, except for those set to "passthrough".

    Parameters
    ----------
    layers : iterable of LayerSpec or of (str, LayerSpec) tuples
        ``"passthrough"`` in place of a layer leaves it out.
    reserved : iterable of str
        Names that a layer must not have: the parameters of the estimator.

    Raises
    ------
    TypeError
        If `layers` is not a list, or an entry is not a spec.
    ValueError
        If a name is empty, repeated, reserved, or contains ``"__"``.
    """
    if isinstance(layers, LayerSpec) or not is_sequence(layers):
        raise TypeError(
            "layers must be a list of layers or of (name, layer) tuples, such as "
            f"[('conv1', Conv2D(32, 3)), ('flatten', Flatten())]; got {layers!r}."
        )
    check_length("layers", layers)
    named = name_layers(layers)
    reserved = {*reserved, OUTPUT_NAME}
    counts = Counter(name for name, _ in named)
    for position, (name, spec) in enumerate(named):
        where = f"layers[{position}]"
        _check_name(where, name, counts[name], reserved)
        if isinstance(spec, str) and spec == PASSTHROUGH:
            continue
        if isinstance(spec, type) and issubclass(spec, LayerSpec):
            raise TypeError(
                f"{where} ({name!r}) is the class {spec.__name__}; pass an instance of "
                f"it, {spec.__name__}(...)."
            )
        if not isinstance(spec, LayerSpec):
            raise TypeError(
                f"{where} ({name!r}) must be a layer of skconvnet.layers, a (name, "
                f"layer) tuple or {PASSTHROUGH!r}; got {spec!r}.{_hint(spec)}"
            )
    return [(name, spec) for name, spec in named if isinstance(spec, LayerSpec)]


def _check_name(where: str, name: object, count: int, reserved: set[str]) -> None:
    if not isinstance(name, str) or not name:
        raise TypeError(f"{where} must be named by a non-empty str; got {name!r}.")
    if "__" in name or "/" in name:
        raise ValueError(
            f"{where} is named {name!r}; a layer's name must not contain '__' or '/', "
            "which separate it from the names of its parameters and weights."
        )
    if count > 1:
        raise ValueError(
            f"layers has {count} layers named {name!r}; names must be unique, "
            f"for example {name}_1 and {name}_2."
        )
    if name in reserved:
        raise ValueError(
            f"{where} is named {name!r}, which is taken by a parameter of the "
            "estimator or by the output layer; choose another name."
        )


def _hint(spec: object) -> str:
    """Suggest a layer for a foreign object, or for the name of a layer."""
    word = spec if isinstance(spec, str) else type(spec).__name__
    names = [name for name in translations(word, LAYERS) if name.isidentifier()]
    return did_you_mean(word, names, LAYERS)


def _is_named(entry: object) -> TypeGuard[tuple[Any, Any]]:
    return isinstance(entry, tuple) and len(entry) == 2


def _kind(entry: object) -> str:
    if isinstance(entry, str):
        return entry.lower()
    return (entry if isinstance(entry, type) else type(entry)).__name__.lower()
