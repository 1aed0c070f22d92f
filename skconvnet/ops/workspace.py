"""Arrays that are used again and again instead of being allocated anew."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Run = Callable[[int, Callable[[int, int], None]], None]


class Workspace:
    """Arrays that one thread reuses from one micro-batch to the next.

    `array` belongs to the one layer and lasts until that layer's next forward
    pass; `scratch` is shared by all layers of the thread and lasts only for one
    call. Neither is cleared.

    Attributes
    ----------
    run : callable or None
        Where the thread has others to help it, ``run(n, task)`` calls
        ``task(i, thread)`` for n tasks on all of them.

    Examples
    --------
    >>> workspace = Workspace()
    >>> y = workspace.array("y", (2, 3), np.float32)
    >>> workspace.array("y", (2, 3), np.float32) is y
    True
    """

    def __init__(self, shared: dict[str, np.ndarray] | None = None) -> None:
        self._own: dict[str, np.ndarray] = {}
        self._views: dict[str, np.ndarray] = {}
        self._shared: dict[str, np.ndarray] = {} if shared is None else shared
        self._nested: dict[str, Workspace] = {}
        self.run: Run | None = None

    def array(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype | type
    ) -> np.ndarray:
        """Return the layer's own array called `name`, contiguous."""
        view = self._views.get(name)
        if view is None or view.shape != shape or view.dtype != dtype:
            view = self._views[name] = _view(self._own, name, shape, dtype)
        return view

    def nested(self, name: str) -> Workspace:
        """Return the workspace of a layer within this one, with the same scratch."""
        if name not in self._nested:
            self._nested[name] = Workspace(self._shared)
        self._nested[name].run = self.run
        return self._nested[name]

    def scratch(
        self, name: str, shape: tuple[int, ...], dtype: np.dtype | type
    ) -> np.ndarray:
        """Return an array that all layers share, contiguous."""
        return _view(self._shared, name, shape, dtype)


def _view(
    store: dict[str, np.ndarray],
    name: str,
    shape: tuple[int, ...],
    dtype: np.dtype | type,
) -> np.ndarray:
    size = prod(shape)
    array: Any = store.get(name)
    if array is None or array.size < size or array.dtype != dtype:
        array = store[name] = np.empty(size, dtype=dtype)
    return array[:size].reshape(shape)
