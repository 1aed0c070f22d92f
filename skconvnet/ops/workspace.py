"""Arrays that are reused rather than allocated again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import prod
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Lengths, Shape
from skconvnet.ops.program import Program

# ``run(n, task)`` calls ``task(i, thread)`` for each i below n, on threads.
Run = Callable[[int, Callable[[int, int], None]], None]

# With fewer numbers to process, waking another thread takes longer than it saves.
MIN_VALUES_FOR_THREADS = 400_000

# How many programs a workspace keeps. Predictions of ever new numbers of samples must
# not take ever more memory.
_MAX_PROGRAMS = 512


class Store(dict[tuple[str, np.dtype], np.ndarray]):
    """Arrays by name and dtype.

    Attributes
    ----------
    n_allocated : int
        How many arrays have been allocated so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_allocated = 0

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.values())

    def view(self, name: str, shape: Shape, dtype: npt.DTypeLike) -> np.ndarray:
        """View the start of the array called `name`, and allocate it if needed."""
        size, key = prod(shape), (name, np.dtype(dtype))
        array = self.get(key)
        if array is None or array.size < size:
            array = self[key] = np.empty(size, dtype=dtype)
            self.n_allocated += 1
        return array[:size].reshape(shape)


class Scratch(Store):
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
    lengths : ndarray of int of shape (batch,) or None
        The length of each sample that goes through the layer, if samples are padded to
        a common length. See `skconvnet.ops.lengths`.

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
        self._own = Store()
        self._views: dict[str, np.ndarray] = {}
        self._shared = Scratch() if shared is None else shared
        self._nested: dict[str, Workspace] = {}
        self._threads: dict[int, Workspace] = {}
        self._programs: dict[Hashable, _Stored] = {}
        # How many arrays there were when these programs were written.
        self._allocated = (0, 0)
        self.run: Run | None = None
        self.lengths: Lengths | None = None

    def array(self, name: str, shape: Shape, dtype: npt.DTypeLike) -> np.ndarray:
        """Return the layer's own array called `name`, which is contiguous."""
        view = self._views.get(name)
        if view is None or view.shape != shape or view.dtype != dtype:
            view = self._views[name] = self._own.view(name, shape, dtype)
        return view

    def program(
        self,
        key: Hashable,
        arrays: Sequence[np.ndarray | None],
        write: Callable[[Program], None],
    ) -> Program:
        """Return a program that was written before, or let `write` write it.

        Parameters
        ----------
        key : hashable
            Tells apart the programs of a layer.
        arrays : sequence of ndarray or None
            Arrays from outside of this workspace that the program uses. If they are not
            the ones of the last time, it is written anew. It is also written anew if
            any array of the workspace, or any scratch, has been allocated since.
        write : callable
            ``write(program)`` adds calls to an empty program.
        """
        if self._allocated != self._count_allocated():
            self._programs.clear()
        stored = self._programs.pop(key, None)
        if stored is None or not _are_same(stored.arrays, arrays):
            program = Program()
            write(program)
            if len(self._programs) >= _MAX_PROGRAMS:
                del self._programs[next(iter(self._programs))]
            stored = _Stored(program, tuple(arrays))
            if self._allocated != self._count_allocated():
                # The other programs are stale, and would keep arrays that are replaced.
                self._programs.clear()
                self._allocated = self._count_allocated()
        self._programs[key] = stored  # as the last one used
        return stored.program

    def _count_allocated(self) -> tuple[int, int]:
        """Return how many arrays there have been, of its own and of scratch."""
        return self._own.n_allocated, self._shared.n_allocated

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
        return nested + self._own.nbytes

    @property
    def scratch_nbytes(self) -> int:
        """Bytes of scratch, that of all threads included."""
        threads = self._shared.threads.values()
        return self._shared.nbytes + sum(scratch.nbytes for scratch in threads)

    def _with_scratch(self, shared: Scratch) -> Workspace:
        return Workspace(shared, min_values_for_threads=self._min_values_for_threads)

    def of_thread(self, number: int) -> Workspace:
        """Return a workspace with the same arrays, and the scratch of a thread.

        Tasks that run at the same time must not allocate arrays of the same name.
        """
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
        return self._shared.view(name, shape, dtype)


class _Stored(NamedTuple):
    """A program and the arrays from outside that it uses.

    As long as they are kept, no other array can have their addresses.
    """

    program: Program
    arrays: tuple[np.ndarray | None, ...]


def _are_same(
    stored: Sequence[np.ndarray | None], arrays: Sequence[np.ndarray | None]
) -> bool:
    """Return whether arrays have the same memory, shapes and dtypes."""
    return len(stored) == len(arrays) and all(map(_is_same, stored, arrays))


def _is_same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Return whether two views have the same memory, shape and dtype."""
    if a is b:
        return True
    if a is None or b is None:
        return False
    return bool(a.__array_interface__ == b.__array_interface__)
