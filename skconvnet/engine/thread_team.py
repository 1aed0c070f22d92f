"""A team of threads that run numbered tasks.

How it is safe, with or without the interpreter's global lock: the threads share
nothing that one of them changes, other than

- the number of the next task, which `_Tasks` guards with a lock, and
- mailboxes, which are instances of `queue.SimpleQueue`. What a thread did before it
  put something into one is visible to the thread that takes it out.

A run goes as follows, for a team of two threads::

    calling thread            thread 1
    --------------            ---------------------------
    put tasks        ------>  take tasks from its mailbox
    run tasks 0, 2, ...       run tasks 1, 3, ...            as they come, in any order
    take the outcome <------  put None, or the error
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np

from skconvnet.engine.blas_threads import single_threaded_blas

Task = Callable[[int, int], None]
Item = TypeVar("Item")

# How often a thread looks into its mailbox, about every 12 us, before it sleeps: waking
# it takes 40 us on a virtual machine, as long as a small task.
_LOOKS_BEFORE_SLEEP = 200
# Numbers whose square roots take about 12 us.
_N_IDLE_NUMBERS = 40_000


class ThreadTeam:
    """The calling thread and others, which start when they are first needed.

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
        self._threads: list[_TeamThread] = []
        self._in_background: _TeamThread | None = None
        # Set before any thread is given tasks and reset after all have finished, so
        # that each of them sees True.
        self._is_running = False

    def run(self, n_tasks: int, task: Task) -> None:
        """Call ``task(i, thread)`` once for every i, and return when all are done.

        `thread` is the number of the thread that runs it, 0 for the calling one. If a
        task raises an error, no more tasks are begun, and the error is raised here. A
        task that calls this itself finds the other threads busy, and runs all of its
        own.
        """
        n_others = min(self.size, n_tasks) - 1
        if n_others < 1 or self._is_running:
            for i in range(n_tasks):
                task(i, 0)
            return
        self.wait()
        threads = self._first_threads(n_others)
        tasks = _Tasks(n_tasks, task)
        self._is_running = True
        try:
            for thread in threads:
                thread.begin(tasks)
            outcomes = [tasks.work(0), *(thread.wait() for thread in threads)]
        finally:
            self._is_running = False
        _raise_first(outcomes)

    def begin(self, task: Task) -> None:
        """Have another thread call ``task(0, 1)`` while the calling thread goes on."""
        self.wait()
        (self._in_background,) = self._first_threads(1)
        self._in_background.begin(_Tasks(1, task))

    def wait(self) -> None:
        """Wait until what was begun is done, and raise the error that it raised."""
        if self._in_background is None:
            return
        thread, self._in_background = self._in_background, None
        _raise_first([thread.wait()])

    def _first_threads(self, n_others: int) -> list[_TeamThread]:
        """Return threads besides the calling one, starting those that are missing."""
        while len(self._threads) < n_others:
            # With more threads than CPUs, one that stays awake takes another's time.
            stays_awake = self.size <= (os.cpu_count() or 1)
            looks = _LOOKS_BEFORE_SLEEP if stays_awake else 0
            self._threads.append(_TeamThread(len(self._threads) + 1, looks))
        return self._threads[:n_others]

    def close(self) -> None:
        """End the other threads."""
        if self._in_background is not None:
            self._in_background.wait()
            self._in_background = None
        for thread in self._threads:
            thread.end()
        self._threads = []


def _raise_first(outcomes: list[BaseException | None]) -> None:
    for error in outcomes:
        if error is not None:
            raise error


class _Tasks:
    """Numbered tasks that the threads of a team work on together.

    Parameters
    ----------
    n_tasks : int
    task : callable
    """

    def __init__(self, n_tasks: int, task: Task) -> None:
        # An iterator that is not shared without a lock: two threads must never get the
        # same number. Taking one costs some 0.2 us; a task worth a thread takes 20 us.
        self._numbers = iter(range(n_tasks))
        self._lock = threading.Lock()
        self._task = task

    def work(self, thread: int) -> BaseException | None:
        """Run tasks until none is left; return the error that ended this, if any."""
        numbers, lock, task = self._numbers, self._lock, self._task
        try:
            while True:
                with lock:
                    i = next(numbers, None)
                if i is None:
                    return None
                task(i, thread)
        except BaseException as error:
            # No thread begins another task.
            with lock:
                for _ in numbers:
                    pass
            return error


class _TeamThread:
    """A thread that works on tasks whenever it is given some."""

    def __init__(self, number: int, looks: int) -> None:
        # None ends the thread.
        self._inbox: _Mailbox[_Tasks | None] = _Mailbox(looks)
        self._outbox: _Mailbox[BaseException | None] = _Mailbox(looks)
        self._thread = threading.Thread(
            target=self._loop, args=(number,), name=f"skconvnet-{number}", daemon=True
        )
        self._thread.start()

    def begin(self, tasks: _Tasks) -> None:
        """Give it tasks. Each call needs one of `wait`."""
        self._inbox.put(tasks)

    def wait(self) -> BaseException | None:
        """Wait until no task is left, and return the error that it raised, if any."""
        return self._outbox.take()

    def end(self) -> None:
        """Wait until the thread has ended."""
        self._inbox.put(None)
        self._thread.join()

    def _loop(self, number: int) -> None:
        single_threaded_blas.hold_here()
        while True:
            tasks = self._inbox.take()
            if tasks is None:
                return
            outcome = tasks.work(number)
            # Neither the task nor what it refers to should outlive the run.
            tasks = None
            self._outbox.put(outcome)
            outcome = None


class _Mailbox(Generic[Item]):
    """A queue whose only reader waits awake for a while before it sleeps.

    `SimpleQueue.get` alone would do, but waking a thread that sleeps in it is slow.
    Looking whether the queue is empty is only a matter of speed: `get` is what takes
    the item, and as no other thread takes any, it does not block once there is one.

    Staying awake must not hold the interpreter's lock, so the time between two looks is
    passed in an operation of NumPy's that releases it.

    Parameters
    ----------
    looks : int
        How often to look before sleeping.
    """

    def __init__(self, looks: int) -> None:
        self._looks = looks
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._idle_numbers = np.ones(_N_IDLE_NUMBERS, dtype=np.float32)

    def put(self, item: Item) -> None:
        self._queue.put(item)

    def take(self) -> Item:
        is_empty, idle, numbers = self._queue.empty, np.sqrt, self._idle_numbers
        for _ in range(self._looks):
            if not is_empty():
                break
            idle(numbers, numbers)
        return self._queue.get()
