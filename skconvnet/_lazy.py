"""Packages whose names are imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazily(
    package: str,
    modules: Mapping[str, Sequence[str]],
    packages: Sequence[str] = (),
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package [1]_.

    Importing this library takes half as long for it: most networks have a handful of
    the layers that there are.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    modules : mapping of str to sequence of str
        The public names in each module of it.
    packages : sequence of str
        Packages within it that are public themselves.

    References
    ----------
    .. [1] PEP 562, "Module __getattr__ and __dir__".
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name in packages:
            return import_module(f"{package}.{name}")
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return get, lambda: sorted([*homes, *packages]), sorted(homes)
