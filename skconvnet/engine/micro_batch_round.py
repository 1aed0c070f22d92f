"""A round: micro-batches that are differentiated at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.engine.worker import MicroBatch, Worker


@dataclass(frozen=True)
class MicroBatchRound:
    """Micro-batches that are differentiated at the same time, each by one worker."""

    workers: Sequence[Worker]
    micro_batches: Sequence[MicroBatch]
    gradients: Sequence[FlatVector]
    losses: np.ndarray

    def __call__(self, i: int, _thread: int) -> None:
        """Write the gradient and the loss of the micro-batch of this number."""
        worker, micro_batch = self.workers[i], self.micro_batches[i]
        self.losses[i] = worker.differentiate(micro_batch, self.gradients[i])
