"""Recognizes pickles that a version with another layout of this package wrote.

A pickle contains the names of modules and attributes, which are private to a version.
If they have changed, the error says what happened and what to do.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from importlib.abc import MetaPathFinder
from typing import Any

# Increment with every change to the attributes of a fitted estimator, or to the modules
# of the objects in them. Files written before layouts had numbers have layout 1.
LAYOUT = 5
_KEY = "_layout"

_ADVICE = (
    "A pickle can only be loaded by the version that wrote it. Load the file with that "
    "version, save get_params() and get_weights() of the estimator, and build a new "
    "one with this version by initialize(X, y).set_weights(weights); or fit it again."
)

_MOVED = {
    "skconvnet": """_nested _spec averaging batches blas network parallel penalty pieces
        ragged statistics threads weights whole_set""",
    "skconvnet.layers": """branches composition convolution elementwise noise
        pooled_convolution rectifiers standardize transposed""",
    "skconvnet.ops": """axpy bands constants depthwise emptiness fft filtering flipped
        gather im2col interpolation local matmul method random rows runs scattered
        shifts sums surplus tile_pool tiles transposed winograd""",
}
MOVED_MODULES = frozenset(
    f"{package}.{name}" for package, names in _MOVED.items() for name in names.split()
)


def add_layout(state: MutableMapping[str, Any]) -> None:
    """Record the current layout in the state of an object."""
    state[_KEY] = LAYOUT


def check_layout(state: MutableMapping[str, Any], name: str) -> None:
    """Remove the layout from the state of an object, and check it.

    Raises
    ------
    ValueError
        If it is not the current layout.
    """
    layout = state.pop(_KEY, 1)
    if layout != LAYOUT:
        age = "an earlier" if layout < LAYOUT else "a later"
        raise ValueError(
            f"This {name} was saved by {age} version of skconvnet, with layout "
            f"{layout} of its attributes; this version reads layout {LAYOUT}. {_ADVICE}"
        )


class MovedModules(MetaPathFinder):
    """Raises an error that explains the import of a module that has moved."""

    def find_spec(
        self, fullname: str, _path: object = None, _target: object = None
    ) -> None:
        """Raise an error if `fullname` is a module that moved."""
        if fullname in MOVED_MODULES:
            raise ModuleNotFoundError(
                f"skconvnet no longer has a module {fullname!r}. If a file is being "
                f"loaded, an earlier version of skconvnet wrote it. {_ADVICE}",
                name=fullname,
            )


def recognize_moved_modules() -> None:
    """Install `MovedModules` as the last finder, after all that may find a module.

    `skconvnet` does so when it is imported: a file may name any module of it first.
    """
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
