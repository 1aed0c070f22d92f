"""Arrays that are used again and again instead of being allocated anew."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

Run = Callable[[int, Callable[[int, int], None]], None]


# With fewer numbers to compute on, waking another thread takes longer than it saves.
MIN_VALUES_FOR_THREADS = 400_000


class Scratch(dict[str, np.ndarray]):
    """Arrays that layers share, by name, and those of other threads."""

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[int, Scratch] = {}


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

    def __init__(
        self,
        shared: Scratch | None = None,
        *,
        min_values_for_threads: int = MIN_VALUES_FOR_THREADS,
    ) -> None:
        self._min_values_for_threads = min_values_for_threads
        self._own: dict[str, np.ndarray] = {}
        self._views: dict[str, np.ndarray] = {}
        self._shared = Scratch() if shared is None else shared
        self._nested: dict[str, Workspace] = {}
        self._threads: dict[int, Workspace] = {}
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
            self._nested[name] = self._with_scratch(self._shared)
        self._nested[name].run = self.run
        return self._nested[name]

    def _with_scratch(self, shared: Scratch) -> Workspace:
        return Workspace(shared, min_values_for_threads=self._min_values_for_threads)

    def of_thread(self, number: int) -> Workspace:
        """Return this with scratch of its own, for a thread that helps the first."""
        if number == 0:
            return self
        if number not in self._threads:
            shared = self._shared.threads.setdefault(number, Scratch())
            workspace = self._threads[number] = self._with_scratch(shared)
            workspace._own, workspace._views = self._own, self._views
        return self._threads[number]

    def _help(self, n_tasks: int, size: int) -> Run | None:
        """Return `run` where there is enough to do for more than one thread."""
        return (
            self.run if n_tasks > 1 and size >= self._min_values_for_threads else None
        )

    def share_out(
        self, n_tasks: int, task: Callable[[int, Workspace], None], size: int
    ) -> None:
        """Call ``task(i, workspace)`` for n tasks, on all threads that there are.

        Each thread has scratch of its own, and arrays are common to all. With fewer
        than some `size` numbers to work on, the calling thread does it all.
        """
        run = self._help(n_tasks, size)
        if run is None:
            for i in range(n_tasks):
                task(i, self)
            return
        run(n_tasks, lambda i, thread: task(i, self.of_thread(thread)))

    def share_out_channels(
        self, x: np.ndarray, task: Callable[[slice, Workspace], None]
    ) -> None:
        """Call ``task(channels, workspace)`` for all of `x`, or halves on two threads.

        For what treats each channel alike, so that cuts do not change a bit.
        """
        n, middle = len(x), len(x) // 2
        if self._help(n, x.size) is None:
            task(slice(0, n), self)
            return
        halves = slice(0, middle), slice(middle, n)
        self.share_out(2, lambda i, workspace: task(halves[i], workspace), x.size)

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
