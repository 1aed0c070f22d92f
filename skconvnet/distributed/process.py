"""What the tasks of one process keep for the next ones, as long as a training lasts."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from skconvnet.distributed.part_in_progress import PartInProgress
from skconvnet.distributed.work import Training, Work
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.executor import Executor


class EndedTrainingError(RuntimeError):
    """Ends a task that is late: the training that it is for has ended."""


@dataclass
class Process:
    """What the tasks of one process share.

    Attributes
    ----------
    free : dict of str to list of Executor
        Executors that no task is using, by the key of the training.
    parts : dict of (str, int) to (int, PartInProgress)
        The part of each shard that waits for others, and the number of its update.
    ended : set of str
        The keys of trainings for which nothing is kept any more. Tasks may run on for a
        while after an interrupt.
    """

    free: dict[str, list[Executor]] = field(default_factory=dict)
    parts: dict[tuple[str, int], tuple[int, PartInProgress]] = field(
        default_factory=dict
    )
    ended: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, training: Training) -> Executor:
        """Return an executor with a network of its own."""
        with self.lock:
            self._check_not_ended(training)
            free = self.free.get(training.key)
            if free:
                return free.pop()
            if training.limits_blas:
                single_threaded_blas.limit(training.key)
        network = copy.deepcopy(training.network)
        return Executor(network, training.loss, training.n_threads, training.augmenter)

    def give(self, training: Training, executor: Executor) -> None:
        """Keep an executor for the next task."""
        with self.lock:
            if training.key not in self.ended:
                self.free.setdefault(training.key, []).append(executor)
                return
        executor.team.close()

    def part(
        self,
        training: Training,
        number: int,
        work: Work,
        gathered: list[list[Any]],
        make: Callable[[], PartInProgress],
    ) -> PartInProgress:
        """Return the part of a shard that can go on with what was gathered.

        It is a new one for another update, or if the same update is made again.
        """
        key = training.key, number
        with self.lock:
            self._check_not_ended(training)
            update, part = self.parts.get(key, (-1, None))
            if part is not None:
                if update == work.update and part.can_advance(gathered):
                    return part
                part.abandon()
            part = make()
            self.parts[key] = work.update, part
            return part

    def _check_not_ended(self, training: Training) -> None:
        if training.key in self.ended:
            raise EndedTrainingError("The training of this task has ended.")

    def forget(self, key: str) -> None:
        """Free what a training has needed."""
        with self.lock:
            self.ended.add(key)
            for executor in self.free.pop(key, []):
                executor.team.close()
            for own in [own for own in self.parts if own[0] == key]:
                self.parts.pop(own)[1].abandon()
        # Workers may be threads of a process that has other uses for BLAS.
        single_threaded_blas.release(key)


process = Process()


def forget(key: str) -> None:
    """Free what a training has needed in this process."""
    process.forget(key)
