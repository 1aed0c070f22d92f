"""The packages of the extra ``onnx``, which are imported when they are first needed."""

from __future__ import annotations

from types import ModuleType

from skconvnet._optional import import_optional


def import_for_export(module: str) -> ModuleType:
    """Import a module of onnx or skl2onnx, or raise an error that says how."""
    package = module.partition(".")[0]
    needed = f"Export to ONNX needs {package}"
    return import_optional(module, needed, "onnx", package)
