"""The packages of the extra ``onnx``, which are imported when they are first needed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def import_optional(package: str) -> ModuleType:
    """Import a package of the extra ``onnx``, or raise an error that says how.

    Parameters
    ----------
    package : {"onnx", "skl2onnx"}

    Raises
    ------
    ImportError
        If the package is not installed.
    """
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f'Export to ONNX needs {package}: pip install "skconvnet[onnx]", or pip '
            f"install {package}."
        ) from error
