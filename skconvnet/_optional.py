"""Packages of extras, which are imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def import_optional(module: str, needed: str, extra: str, package: str) -> ModuleType:
    """Import a module, or raise an error that says how to install its package.

    Parameters
    ----------
    module : str
    needed : str
        What needs it, such as "Loading images needs Pillow".
    extra : str
        The extra of this package that has it.
    package : str
        What pip calls it.

    Raises
    ------
    ImportError
        If it cannot be imported.

    Examples
    --------
    >>> import_optional("json", "Reading needs json", "read", "json").loads("[1]")
    [1]
    """
    try:
        # A module may have been imported by whoever could, its package no longer.
        import_module(module.partition(".")[0])
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f'{needed}: pip install "skconvnet[{extra}]", or pip install {package}.'
        ) from error
