"""Where tasks run: in this process, or on the workers of a Dask cluster."""

from __future__ import annotations

import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from skconvnet._optional import import_optional
from skconvnet._typing import override
from skconvnet.distributed.process import forget

# Seconds between two looks at the workers, while a result is waited for, and while
# there is none.
_PATIENCE, _PAUSE = 2.0, 0.1


class LostWorkersError(RuntimeError):
    """Raised if no worker is left, or the scheduler is gone."""


class LostResultsError(RuntimeError):
    """Raised if results were lost, which the same tasks give again."""


class Pool(ABC):
    """Runs functions, whose results stay where they are until they are asked for."""

    @abstractmethod
    def submit(self, function: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401  results of any function
        """Return a promise of ``function(*args)``, where args may be promises."""

    @abstractmethod
    def share(self, value: Any) -> Any:  # noqa: ANN401  anything that is pickled
        """Return a promise of the value, which all workers will need."""

    @abstractmethod
    def gather(self, promises: Sequence[Any]) -> list[Any]:
        """Return the results, in order.

        Raises
        ------
        LostResultsError
            If results were lost with their worker; the tasks have to be submitted
            again.
        LostWorkersError
            If there is no worker any more.
        """

    @abstractmethod
    def compute(self, delayed: Any) -> Any:  # noqa: ANN401  of Dask
        """Return a promise of a delayed object, or of a tuple of them."""

    @abstractmethod
    def forget(self, key: str) -> None:
        """Free what a training has needed, wherever tasks have run."""

    @property
    @abstractmethod
    def is_remote(self) -> bool:
        """Whether tasks run in other processes."""


class LocalPool(Pool):
    """Runs every task at once, in this process."""

    @property
    @override
    def is_remote(self) -> bool:
        return False

    @override
    def submit(self, function: Callable[..., Any], *args: Any) -> Any:
        return function(*args)

    @override
    def share(self, value: Any) -> Any:
        return value

    @override
    def gather(self, promises: Sequence[Any]) -> list[Any]:
        return list(promises)

    @override
    def forget(self, key: str) -> None:
        forget(key)

    @override
    def compute(self, delayed: Any) -> Any:
        dask = import_optional("dask", "Delayed shards need Dask", "dask", "dask")
        parts = delayed if isinstance(delayed, tuple) else (delayed,)
        computed = dask.compute(*parts, scheduler="synchronous")
        return computed if isinstance(delayed, tuple) else computed[0]


def _as_given(value: Any) -> Any:  # noqa: ANN401  anything that is pickled
    return value


class DaskPool(Pool):
    """Runs tasks on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
    timeout : float
        Seconds without any worker after which `gather` gives up.
    """

    def __init__(self, client: Any, timeout: float) -> None:  # noqa: ANN401  Dask has no types
        self._distributed = import_optional(
            "distributed", "Training on a cluster needs Dask", "dask", "distributed"
        )
        self.client = self._checked(client)
        self.timeout = timeout

    def _checked(self, client: Any) -> Any:  # noqa: ANN401  anything that users pass
        if not isinstance(client, self._distributed.Client):
            raise TypeError(
                f"client must be a distributed.Client; got {type(client).__name__}. "
                "Pass Client(...) of a cluster, or of the address of a scheduler."
            )
        if client.asynchronous:
            raise ValueError(
                "client must wait for its results; got one with asynchronous=True. "
                "Pass Client(..., asynchronous=False), and call fit in a thread, as "
                "with asyncio.to_thread, if an event loop is running."
            )
        return client

    @property
    @override
    def is_remote(self) -> bool:
        return True

    @override
    def submit(self, function: Callable[..., Any], *args: Any) -> Any:
        self._check_running()
        return self.client.submit(function, *args, pure=False)

    @override
    def share(self, value: Any) -> Any:
        # Through the scheduler, which gives it to another worker if one is lost. A
        # value that is scattered would be lost with its worker.
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Sending large graph")
            return self.submit(_as_given, value)

    @override
    def compute(self, delayed: Any) -> Any:
        if not isinstance(delayed, tuple):
            return self.client.compute(delayed)
        dask = import_optional("dask", "Delayed shards need Dask", "dask", "dask")
        return self.client.compute(dask.delayed(tuple)(list(delayed)))

    @override
    def gather(self, promises: Sequence[Any]) -> list[Any]:
        try:
            while not self._are_done(promises):
                self._wait_for_a_worker()
            results: list[Any] = self.client.gather(promises)
        except self._lost_results() as error:
            self._check_running()
            is_of_task = any(own.status == "error" for own in promises)
            if isinstance(error, TimeoutError) and is_of_task:
                raise
            raise LostResultsError(str(error)) from error
        return results

    def _are_done(self, promises: Sequence[Any]) -> bool:
        """Wait a while; return whether there are all results, or an error."""
        self._check_running()
        try:
            self._distributed.wait(promises, timeout=_PATIENCE)
        except TimeoutError:
            return False
        return True

    def _wait_for_a_worker(self) -> None:
        """Return when there is a worker, or raise an error if there is none in time."""
        start = time.monotonic()
        while not self._n_workers():
            self._check_running()
            if time.monotonic() - start > self.timeout:
                raise self._lost(f"there has been no worker for {self.timeout:g} s")
            time.sleep(_PAUSE)

    @override
    def forget(self, key: str) -> None:
        # Workers that are lost have nothing to free.
        with suppress(Exception):
            self.client.run(forget, key)

    def _lost_results(self) -> tuple[type[BaseException], ...]:
        from concurrent.futures import CancelledError

        comm, scheduler = self._distributed.comm, self._distributed.scheduler
        return (
            TimeoutError,
            CancelledError,
            comm.CommClosedError,
            scheduler.KilledWorker,
        )

    def _n_workers(self) -> int:
        return len(self.client.scheduler_info(n_workers=-1)["workers"])

    def _check_running(self) -> None:
        if self.client.status != "running":
            raise self._lost(f"the client is {self.client.status}")

    def _lost(self, reason: str) -> LostWorkersError:
        return LostWorkersError(
            f"Training cannot go on: {reason}. If a skconvnet.callbacks.Checkpoint was "
            "set by set_callbacks, start workers and pass resume_from=, the path of "
            "its last checkpoint, to go on from there."
        )
