"""A team of threads that run numbered tasks.

The team is thread-safe, with or without the global interpreter lock, since the only
mutable objects that threads share are

- the number of the next task, and the number of threads at work, which `_Tasks` guards
  with a lock, and
- mailboxes, which are instances of `queue.SimpleQueue`. What a thread did before it put
  an item into a mailbox is visible to the thread that takes the item out.

A run goes as follows, for a team of two threads::

    calling thread            thread 1
    --------------            ---------------------------
    put tasks        ------>  take tasks from its mailbox
    run tasks 0, 2, ...       run tasks 1, 3, ...            whichever is next
    take the outcome <------  put None, or the error

The user may interrupt the calling thread anywhere. A run then leaves no thread at work:
it takes away the tasks that are left, and waits for those that were begun. An outcome
that nobody took is recognized by its tasks, and dropped.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Generic, TypeVar

import numpy as np

from skconvnet.engine.blas_threads import single_threaded_blas

Task = Callable[[int, int], None]
Item = TypeVar("Item")

# How often a thread polls its mailbox, about every 12 us, before it sleeps. Waking it
# takes 40 us on a virtual machine, as long as a small task.
_POLLS_BEFORE_SLEEP = 200
# If another thread waits for the same CPU, which may be the one that the polling thread
# waits for, it runs next. Not all systems have the first function.
_give_way: Callable[[], object] = getattr(os, "sched_yield", partial(time.sleep, 0))
# How often an interrupted run looks whether its threads have finished.
_SECONDS_BETWEEN_LOOKS = 1e-3
# The square roots of this many numbers take about 12 us.
_N_IDLE_NUMBERS = 40_000


class ThreadTeam:
    """The calling thread and other threads, which start when they are first needed.

    Parameters
    ----------
    size : int
        Number of threads, including the calling one.

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
        self._in_background: tuple[_TeamThread, _Tasks] | None = None
        # Set before any thread is given tasks, and reset after all threads have
        # finished, so that all tasks read True.
        self._is_running = False

    def run(self, n_tasks: int, task: Task) -> None:
        """Call ``task(i, thread)`` for every i below `n_tasks`, and wait for all calls.

        `thread` is the number of the thread that makes the call, which is 0 for the
        calling thread. If a task raises an error, no more tasks are begun, and the
        error is raised here. If a task calls `run`, its thread does all of these tasks,
        since the other threads are busy.
        """
        n_others = min(self.size, n_tasks) - 1
        if n_others < 1 or self._is_running:
            for i in range(n_tasks):
                task(i, 0)
            return
        self.wait()
        threads = self._first_threads(n_others)
        tasks = _Tasks(n_tasks, task)
        try:
            self._is_running = True
            for thread in threads:
                thread.begin(tasks)
            outcomes = [tasks.work(0), *(thread.wait(tasks) for thread in threads)]
        except BaseException:
            tasks.abandon()
            raise
        finally:
            self._is_running = False
        _raise_first(outcomes)

    def begin(self, task: Task) -> None:
        """Let another thread call ``task(0, 1)``, without waiting for it."""
        self.wait()
        (thread,) = self._first_threads(1)
        tasks = _Tasks(1, task)
        thread.begin(tasks)
        self._in_background = thread, tasks

    def wait(self) -> None:
        """Wait until the task of `begin` is done, and raise its error, if any."""
        if self._in_background is None:
            return
        (thread, tasks), self._in_background = self._in_background, None
        try:
            outcome = thread.wait(tasks)
        except BaseException:
            tasks.abandon()
            raise
        _raise_first([outcome])

    def _first_threads(self, n_others: int) -> list[_TeamThread]:
        """Return the threads besides the calling one, starting those missing."""
        while len(self._threads) < n_others:
            # With more threads than CPUs, polling would slow down other threads.
            has_own_cpu = self.size <= (os.cpu_count() or 1)
            n_polls = _POLLS_BEFORE_SLEEP if has_own_cpu else 0
            self._threads.append(_TeamThread(len(self._threads) + 1, n_polls))
        return self._threads[:n_others]

    def close(self) -> None:
        """End the other threads, when they have done what they were given."""
        self._in_background = None
        threads, self._threads = self._threads, []
        # All are told before the first wait, which the user may interrupt.
        for thread in threads:
            thread.end()
        for thread in threads:
            thread.join()


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

    Attributes
    ----------
    key : object
        Tells the outcomes of these tasks from others.
    """

    def __init__(self, n_tasks: int, task: Task) -> None:
        # The lock ensures that two threads never take the same number. Taking one costs
        # some 0.2 us, while a task that is worth a thread takes 20 us.
        self._numbers = iter(range(n_tasks))
        self._lock = threading.Lock()
        self._task = task
        self._n_others_at_work = 0
        self.key = object()

    def work(self, thread: int) -> BaseException | None:
        """Run tasks until none is left, and return the error of a task, if any."""
        numbers, lock, task = self._numbers, self._lock, self._task
        try:
            while True:
                with lock:
                    i = next(numbers, None)
                if i is None:
                    return None
                task(i, thread)
        except BaseException as error:
            self._take_all()
            return error

    def work_in_background(self, thread: int) -> BaseException | None:
        """Do the same as `work` on another thread than the calling one."""
        with self._lock:
            self._n_others_at_work += 1
        try:
            return self.work(thread)
        finally:
            with self._lock:
                self._n_others_at_work -= 1

    def abandon(self) -> None:
        """Leave no tasks, and wait until no other thread is at work.

        Another interrupt does not end the wait: a thread that is still at work writes
        to arrays that the caller is about to use.
        """
        self._take_all()
        while self._n_others_at_work:
            with suppress(KeyboardInterrupt):
                time.sleep(_SECONDS_BETWEEN_LOOKS)

    def _take_all(self) -> None:
        """Take all tasks that are left, so that no thread begins another one."""
        with self._lock:
            for _ in self._numbers:
                pass


class _TeamThread:
    """A thread that works on tasks whenever it is given some."""

    def __init__(self, number: int, n_polls: int) -> None:
        # None ends the thread.
        self._inbox: _Mailbox[_Tasks | None] = _Mailbox(n_polls)
        self._outbox: _Mailbox[tuple[object, BaseException | None]] = _Mailbox(n_polls)
        self._thread = threading.Thread(
            target=self._loop, args=(number,), name=f"skconvnet-{number}", daemon=True
        )
        try:
            self._thread.start()
        except BaseException:
            # It may have begun, and must not wait for tasks forever.
            self._inbox.put(None)
            raise

    def begin(self, tasks: _Tasks) -> None:
        """Give the thread tasks. Each call must be followed by one of `wait`."""
        self._inbox.put(tasks)

    def wait(self, tasks: _Tasks) -> BaseException | None:
        """Wait until none of these tasks is left, and return the error of one, if any.

        Outcomes of earlier tasks are dropped: their run was interrupted.
        """
        while True:
            done, outcome = self._outbox.take()
            if done is tasks.key:
                return outcome

    def end(self) -> None:
        """Let the thread end when it has done what it was given."""
        self._inbox.put(None)

    def join(self) -> None:
        """Wait until the thread has ended."""
        self._thread.join()

    def _loop(self, number: int) -> None:
        single_threaded_blas.limit_calling_thread()
        while True:
            tasks = self._inbox.take()
            if tasks is None:
                return
            outcome, key = tasks.work_in_background(number), tasks.key
            # Keep no reference to the task, which should not outlive the run.
            tasks = None
            self._outbox.put((key, outcome))
            outcome = None


class _Mailbox(Generic[Item]):
    """A queue whose only reader polls it for a while before it sleeps.

    `SimpleQueue.get` alone would be correct, but waking a thread that sleeps in it is
    slow. Polling matters only for speed: `get` takes the item, and since no other
    thread takes items, it does not block once there is one.

    Polling must not hold the global interpreter lock, so the reader waits between two
    polls in an operation of NumPy that releases it. Nor may it keep the CPU from
    another thread: if the machine has fewer free CPUs than threads, that thread may be
    the one that is waited for.

    Parameters
    ----------
    n_polls : int
        How often to poll before sleeping.
    """

    def __init__(self, n_polls: int) -> None:
        self._n_polls = n_polls
        self._queue: SimpleQueue[Item] = SimpleQueue()
        self._idle_numbers = np.ones(_N_IDLE_NUMBERS, dtype=np.float32)

    def put(self, item: Item) -> None:
        self._queue.put(item)

    def take(self) -> Item:
        is_empty, idle, numbers = self._queue.empty, np.sqrt, self._idle_numbers
        for _ in range(self._n_polls):
            if not is_empty():
                break
            idle(numbers, numbers)
            _give_way()
        return self._queue.get()
