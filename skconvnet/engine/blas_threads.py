"""The number of threads of BLAS: how many it may use, and a limit of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController


class SingleThreadedBLAS:
    """Limits BLAS to one thread, for the whole process.

    BLAS has one setting for the whole process. If two fits run at the same time, the
    first one to limit it saves it, and the last one to release it restores it. Users
    are told apart, so that releasing twice does no harm: whoever is interrupted need
    not know whether the limit is set yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Found on first use; threadpoolctl has no types.
        self._libraries: list[Any] | None = None
        self._users: set[object] = set()
        # None unless they are limited.
        self._saved_counts: list[int] | None = None

    def granted(self) -> int:
        """Return how many threads the user or joblib lets BLAS use."""
        with self._lock:
            return max(self._saved_counts or self._thread_counts(), default=1)

    def limit(self, user: object) -> None:
        """Limit BLAS until this user, and all others, have released it."""
        with self._lock:
            if self._saved_counts is None:
                self._saved_counts = self._thread_counts()
            if not self._users:
                self._limit_to_one()
            self._users.add(user)

    def release(self, user: object) -> None:
        """Restore the setting, unless other users need the limit."""
        with self._lock:
            self._users.discard(user)
            if self._users or self._saved_counts is None:
                return
            try:
                self._set_thread_counts(self._saved_counts)
            except KeyboardInterrupt:
                self._set_thread_counts(self._saved_counts)
                raise
            finally:
                self._saved_counts = None

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Limit BLAS inside a context."""
        user = object()
        try:
            self.limit(user)
            yield
        finally:
            self.release(user)

    def limit_calling_thread(self) -> None:
        """Limit BLAS in the calling thread, for libraries that have a limit per thread.

        It is never restored.
        """
        with self._lock:
            self._limit_to_one()

    def _find_libraries(self) -> list[Any]:
        # Looking for the loaded libraries takes milliseconds, so it is done only once.
        if self._libraries is None:
            controller = ThreadpoolController().select(user_api="blas")
            self._libraries = list(controller.lib_controllers)
        return self._libraries

    def _thread_counts(self) -> list[int]:
        return [library.num_threads or 1 for library in self._find_libraries()]

    def _limit_to_one(self) -> None:
        self._set_thread_counts([1] * len(self._find_libraries()))

    def _set_thread_counts(self, counts: list[int]) -> None:
        # In threadpoolctl, one thread at a time controls the limits of all OpenBLAS
        # libraries, and limits that other threads set are ignored without an error. So
        # this thread takes control first, and gives it up afterward.
        self._clear_controlling_thread()
        for library, count in zip(self._find_libraries(), counts, strict=True):
            library.set_num_threads(count)
        self._clear_controlling_thread()

    def _clear_controlling_thread(self) -> None:
        for library in self._find_libraries():
            clear = getattr(library, "clear_controlling_thread", None)
            if clear is not None:
                clear(force=True)
                return


single_threaded_blas = SingleThreadedBLAS()


def resolve_n_threads(n_jobs: int | None) -> int:
    """Return the number of threads for `n_jobs`.

    None means as many as BLAS may use, which joblib lowers in its workers. Negative
    numbers count back from the number of CPUs; -1 means all CPUs.

    Examples
    --------
    >>> resolve_n_threads(3)
    3
    """
    if n_jobs is None:
        return single_threaded_blas.granted()
    if n_jobs < 0:
        import joblib  # here, since importing it takes longer than this whole package

        return max(int(joblib.cpu_count()) + 1 + n_jobs, 1)
    return n_jobs
