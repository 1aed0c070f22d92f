"""Arrays that are reused rather than allocated again."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape

# ``run(n, task)`` calls ``task(i, thread)`` for each i below n, on threads.
Run = Callable[[int, Callable[[int, int], None]], None]

# With fewer numbers to process, waking another thread takes longer than it saves.
MIN_VALUES_FOR_THREADS = 400_000


class Scratch(dict[str, np.ndarray]):
    """Arrays that layers share, by name.

    Attributes
    ----------
    threads : dict of int to Scratch
        The scratch of each other thread, by the number of the thread.
    """

    def __init__(self) -> None:
        super().__init__()
        self.threads: dict[int, Scratch] = {}


class Workspace:
    """Arrays that one thread reuses from one micro-batch to the next.

    An `array` belongs to one layer and lasts until that layer's next forward pass.
    `scratch` is shared by all layers of the thread and lasts only for one call. Neither
    is cleared.

    Parameters
    ----------
    shared : Scratch, optional
        Scratch that other workspaces use, too. The default is new scratch.
    min_values_for_threads : int
        With fewer numbers to process, `share_out` uses one thread.

    Attributes
    ----------
    run : callable or None
        ``run(n, task)`` calls ``task(i, thread)`` for n tasks on several threads. None
        if there is only this one.

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

    def array(self, name: str, shape: Shape, dtype: npt.DTypeLike) -> np.ndarray:
        """Return the layer's own array called `name`, which is contiguous."""
        view = self._views.get(name)
        if view is None or view.shape != shape or view.dtype != dtype:
            view = self._views[name] = _view(self._own, name, shape, dtype)
        return view

    def nested(self, name: str) -> Workspace:
        """Return the workspace of a layer inside this one, with the same scratch."""
        if name not in self._nested:
            self._nested[name] = self._with_scratch(self._shared)
        self._nested[name].run = self.run
        return self._nested[name]

    @property
    def nbytes(self) -> int:
        """Bytes of its own arrays and of those nested in it, without scratch."""
        nested = sum(workspace.nbytes for workspace in self._nested.values())
        return nested + sum(array.nbytes for array in self._own.values())

    def _with_scratch(self, shared: Scratch) -> Workspace:
        return Workspace(shared, min_values_for_threads=self._min_values_for_threads)

    def of_thread(self, number: int) -> Workspace:
        """Return a workspace with the same arrays, and the scratch of a thread."""
        if number == 0:
            return self
        if number not in self._threads:
            shared = self._shared.threads.setdefault(number, Scratch())
            workspace = self._threads[number] = self._with_scratch(shared)
            workspace._own = self._own  # noqa: SLF001  of the same class
            workspace._views = self._views  # noqa: SLF001  of the same class
        return self._threads[number]

    def _run_for(self, n_tasks: int, size: int) -> Run | None:
        """Return `run`, or None if there is too little to do for several threads."""
        return (
            self.run if n_tasks > 1 and size >= self._min_values_for_threads else None
        )

    def share_out(
        self, n_tasks: int, task: Callable[[int, Workspace], None], size: int
    ) -> None:
        """Call ``task(i, workspace)`` for each i below `n_tasks`, on all threads.

        Each thread has its own scratch, and all share the layer's arrays. `size` is how
        many numbers the tasks process: if it is small, the calling thread does them
        all.
        """
        run = self._run_for(n_tasks, size)
        if run is None:
            for i in range(n_tasks):
                task(i, self)
            return
        run(n_tasks, lambda i, thread: task(i, self.of_thread(thread)))

    def share_out_channels(
        self, x: np.ndarray, task: Callable[[slice, Workspace], None]
    ) -> None:
        """Call ``task(channels, workspace)`` for all channels, or half of them each.

        The task must treat each channel separately, so that the results have the same
        bits on one thread and on two.
        """
        n, middle = len(x), len(x) // 2
        if self._run_for(n, x.size) is None:
            task(slice(0, n), self)
            return
        halves = slice(0, middle), slice(middle, n)
        self.share_out(2, lambda i, workspace: task(halves[i], workspace), x.size)

    def scratch(self, name: str, shape: Shape, dtype: npt.DTypeLike) -> np.ndarray:
        """Return the contiguous array called `name` that all layers share."""
        return _view(self._shared, name, shape, dtype)


def _view(
    store: dict[str, np.ndarray], name: str, shape: Shape, dtype: npt.DTypeLike
) -> np.ndarray:
    """View the start of the array called `name`, and allocate it if needed."""
    size = prod(shape)
    array = store.get(name)
    if array is None or array.size < size or array.dtype != dtype:
        array = store[name] = np.empty(size, dtype=dtype)
    return array[:size].reshape(shape)
