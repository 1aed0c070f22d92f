"""The threads of BLAS: how many were granted, and holding them to one."""

from __future__ import annotations

import threading

from threadpoolctl import ThreadpoolController


class SingleThreadedBLAS:
    """Holds BLAS to one thread while anyone in the process needs it so.

    BLAS has one setting for the whole process. With two fits at once in two
    threads, the first to come saves it and the last to go puts it back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._controller: ThreadpoolController | None = None
        self._users = 0
        self._saved: list[int] = []

    def granted(self) -> int:
        """Return the threads that BLAS has been granted by the user or by joblib."""
        with self._lock:
            return max(self._saved if self._users else self._now(), default=1)

    def hold_here(self) -> None:
        """Hold BLAS in the calling thread, where its limits are a thread's own."""
        with self._lock:
            self._set([1] * len(self._libraries()))

    def __enter__(self) -> None:
        with self._lock:
            if self._users == 0:
                self._saved = self._now()
                self._set([1] * len(self._saved))
            self._users += 1

    def __exit__(self, *exc: object) -> None:
        with self._lock:
            self._users -= 1
            if self._users == 0:
                self._set(self._saved)

    def _libraries(self) -> list:
        # Looking for the loaded libraries takes milliseconds: it is done once.
        if self._controller is None:
            self._controller = ThreadpoolController().select(user_api="blas")
        return self._controller.lib_controllers

    def _now(self) -> list[int]:
        return [library.num_threads or 1 for library in self._libraries()]

    def _set(self, counts: list[int]) -> None:
        # threadpoolctl lets a single thread set the limits of all OpenBLAS, and
        # ignores the others without a word: each must take over first.
        self._take_over()
        for library, count in zip(self._libraries(), counts, strict=True):
            library.set_num_threads(count)
        self._take_over()

    def _take_over(self) -> None:
        for library in self._libraries():
            take_over = getattr(library, "clear_controlling_thread", None)
            if take_over is not None:
                take_over(force=True)
                return


single_threaded_blas = SingleThreadedBLAS()


def resolve_n_threads(n_jobs: int | None) -> int:
    """Return the number of threads for `n_jobs`.

    None stands for what BLAS has been granted, which joblib lowers inside its
    workers; negative numbers count back from the number of CPUs, -1 being all.

    Examples
    --------
    >>> resolve_n_threads(3)
    3
    """
    if n_jobs is None:
        return single_threaded_blas.granted()
    if n_jobs < 0:
        import joblib  # here, since it takes longer to import than all of this package

        return max(joblib.cpu_count() + 1 + n_jobs, 1)
    return n_jobs
