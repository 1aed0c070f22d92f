"""Files of pickle and joblib that another layout of this package wrote.

A pickle names modules and holds attributes, and both are private to a version. What
cannot be read is recognized here, so that the error says what happened and what to do.
"""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from importlib.abc import MetaPathFinder
from typing import Any

# To be raised with every change to what a fitted estimator holds, or to where a class
# is that it holds. Files before the first layout with a number had modules that moved.
LAYOUT = 2
_KEY = "_layout"

_CURE = (
    "Pickles are only for the version that wrote them: load the file with that version "
    "and save get_params() and get_weights() of the estimator from there, then build a "
    "new one here by initialize(X, y).set_weights(weights); or fit it again."
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
    """Note in the state of an object which layout it has."""
    state[_KEY] = LAYOUT


def check_layout(state: MutableMapping[str, Any], name: str) -> None:
    """Take the layout out of the state of an object, or raise if it is another.

    Raises
    ------
    ValueError
        If the state is that of another layout.
    """
    layout = state.pop(_KEY, 1)
    if layout != LAYOUT:
        age = "an earlier" if layout < LAYOUT else "a later"
        raise ValueError(
            f"This {name} was saved by {age} version of skconvnet, with layout "
            f"{layout} of its attributes; this version reads layout {LAYOUT}. {_CURE}"
        )


class MovedModules(MetaPathFinder):
    """Finds no module, but raises an error for those that an old pickle names."""

    def find_spec(
        self, fullname: str, _path: object = None, _target: object = None
    ) -> None:
        """Raise an error if `fullname` is a module that moved."""
        if fullname in MOVED_MODULES:
            raise ModuleNotFoundError(
                f"skconvnet has no module {fullname!r} any more. If a file is being "
                f"loaded, an earlier version of skconvnet wrote it. {_CURE}",
                name=fullname,
            )


def recognize_moved_modules() -> None:
    """Explain failed imports of modules that moved.

    `skconvnet` calls this when it is imported, since a file may name any module of it
    first. The finder comes last, so that imports which succeed do not get to it.
    """
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
