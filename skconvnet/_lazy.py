"""Packages whose names are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from skconvnet._foreign_words import Words
from skconvnet._suggestions import unknown_attribute


def lazily(
    package: str,
    modules: Mapping[str, Sequence[str]],
    packages: Sequence[str] = (),
    words: Words | None = None,
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """Return `__getattr__`, `__dir__` and `__all__` of a package [1]_.

    This halves the time to import the library, as most networks use only a handful of
    the layers.

    Parameters
    ----------
    package : str
        The ``__name__`` of the package.
    modules : mapping of str to sequence of str
        The public names in each module of the package.
    packages : sequence of str
        The public packages inside the package.
    words : mapping, default=None
        Foreign names, for which an error suggests ours.

    References
    ----------
    .. [1] PEP 562, "Module __getattr__ and __dir__".
    """
    module_of = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:  # noqa: ANN401  a class, a function or a package
        if name in packages:
            return import_module(f"{package}.{name}")
        if name not in module_of:
            known = [*module_of, *packages]
            raise unknown_attribute(package, name, known, words or {})
        return getattr(import_module(f"{package}.{module_of[name]}"), name)

    return get, lambda: sorted([*module_of, *packages]), sorted(module_of)
