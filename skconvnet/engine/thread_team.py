"""A team of threads that shares out numbered tasks."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import numpy as np

from skconvnet.engine.blas_threads import single_threaded_blas

Task = Callable[[int, int], None]


# A helper without orders looks for new ones so many times, about every 12 us, before
# it sleeps: waking it takes 40 us on a virtual machine, as long as a small task.
_PATIENCE = 200


class ThreadTeam:
    """The calling thread and its helpers, which start when they are first needed.

    Parameters
    ----------
    size : int
        Number of threads, the calling one included.

    Examples
    --------
    >>> team, done = ThreadTeam(2), []
    >>> team.run(3, lambda task, thread: done.append(task))
    >>> sorted(done)
    [0, 1, 2]
    >>> team.close()
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._helpers: list[_Helper] = []
        self._ahead: _Helper | None = None
        self._is_running = False

    def run(self, n_tasks: int, task: Task) -> None:
        """Call ``task(i, thread)`` once for every i, and return when all are done.

        `thread` is the number of the thread that runs it. If a task raises, no
        further ones are begun, and the error is raised here. A task that calls this
        itself finds the helpers busy, and runs all of its own.
        """
        n_helpers = min(self.size, n_tasks) - 1
        if n_helpers < 1 or self._is_running:
            for i in range(n_tasks):
                task(i, 0)
            return
        self.wait()
        helpers = self._wake(n_helpers)
        numbers = iter(range(n_tasks))
        self._is_running = True
        try:
            for helper in helpers:
                helper.begin(numbers, task)
            errors: list[BaseException | None] = []
            try:
                _work(numbers, task, 0)
            except BaseException as error:
                errors.append(error)
            errors.extend(helper.wait() for helper in helpers)
        finally:
            self._is_running = False
        for failure in errors:
            if failure is not None:
                raise failure

    def begin(self, task: Task) -> None:
        """Have a helper call ``task(0, 1)`` while the calling thread goes on."""
        self.wait()
        (self._ahead,) = self._wake(1)
        self._ahead.begin(iter(range(1)), task)

    def wait(self) -> None:
        """Wait until what was begun is done, and raise the error that it raised."""
        if self._ahead is None:
            return
        helper, self._ahead = self._ahead, None
        error = helper.wait()
        if error is not None:
            raise error

    def _wake(self, n_helpers: int) -> list[_Helper]:
        while len(self._helpers) < n_helpers:
            is_patient = self.size <= (os.cpu_count() or 1)
            self._helpers.append(_Helper(len(self._helpers) + 1, is_patient))
        return self._helpers[:n_helpers]

    def close(self) -> None:
        """End the helpers."""
        if self._ahead is not None:
            self._ahead.wait()
            self._ahead = None
        for helper in self._helpers:
            helper.end()
        self._helpers = []


class _Helper:
    """A thread that carries out one order after the other."""

    def __init__(self, number: int, is_patient: bool) -> None:
        self._order: tuple[Iterator[int], Task] | None = None
        self._error: BaseException | None = None
        self._ordered = _Signal(_PATIENCE if is_patient else 0)
        self._finished = _Signal(_PATIENCE if is_patient else 0)
        self._thread = threading.Thread(
            target=self._loop, args=(number,), name=f"skconvnet-{number}", daemon=True
        )
        self._thread.start()

    def begin(self, numbers: Iterator[int], task: Task) -> None:
        self._order = (numbers, task)
        self._ordered.give()

    def wait(self) -> BaseException | None:
        """Wait until the order is carried out, and return what it raised."""
        self._finished.wait()
        error, self._error = self._error, None
        return error

    def end(self) -> None:
        self._ordered.give()
        self._thread.join()

    def _loop(self, number: int) -> None:
        single_threaded_blas.hold_here()
        while True:
            self._ordered.wait()
            if self._order is None:
                return
            numbers, task = self._order
            try:
                _work(numbers, task, number)
            except BaseException as error:
                self._error = error
            # Neither the task nor what it holds should outlive its run.
            self._order = None
            del numbers, task
            self._finished.give()


class _Signal:
    """What one thread gives and another waits for, first awake and then asleep.

    Being awake must not hold the interpreter's lock, so the time is passed in an
    operation of NumPy's that takes some microseconds.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience
        self._is_given = False
        self._sleeps = False
        self._alarm: SimpleQueue[None] = SimpleQueue()
        self._pastime = np.ones(40_000, dtype=np.float32)

    def give(self) -> None:
        self._is_given = True
        if self._sleeps:
            self._alarm.put(None)

    def wait(self) -> None:
        turns, numbers, pastime = self._patience, self._pastime, np.sqrt
        while not self._is_given:
            if turns > 0:
                turns -= 1
                pastime(numbers, numbers)
                continue
            self._sleeps = True
            # Looked at again: it may have been given before `_sleeps` was set, and
            # rung no alarm. One too many does no harm.
            if not self._is_given:
                self._alarm.get()
            self._sleeps = False
        self._is_given = False


def _work(numbers: Iterator[int], task: Task, thread: int) -> None:
    """Run tasks until there is none left; an error takes the rest away."""
    try:
        for i in numbers:
            task(i, thread)
    except BaseException:
        for _ in numbers:
            pass
        raise
