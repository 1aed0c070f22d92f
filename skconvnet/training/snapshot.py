"""Training between two epochs, from which it can go on."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FlatVector
from skconvnet.training.state import TrainingState

RandomNumbers = dict[str, Any]


@dataclass
class TrainingSnapshot:
    """Everything on which the rest of a training depends, besides its samples.

    Training that starts from it ends with the same bits as training that never stopped.

    Attributes
    ----------
    n_epochs : int
        Number of epochs that have ended.
    numbers : ndarray
        Weights and buffers of the network, not averaged.
    state : TrainingState
        The optimizer, the schedule, the average and the history.
    best : ndarray or None
        Weights and buffers of the best epoch, with early stopping.
    order : ndarray of int or None
        The order of the samples in the last epoch. The next one shuffles it again. None
        if samples are not shuffled.
    random_numbers : dict
        The state of the generator that shuffles, augments and drops out.
    """

    n_epochs: int
    numbers: FlatVector
    state: TrainingState
    best: FlatVector | None
    order: npt.NDArray[np.integer] | None
    random_numbers: RandomNumbers

    def copy(self) -> TrainingSnapshot:
        """Return a copy that shares nothing with a training that goes on."""
        state, interrupt = self.state, self.state.interrupt
        # An interrupt refers to frames, which cannot be copied.
        state.interrupt = None
        try:
            return copy.deepcopy(self)
        finally:
            state.interrupt = interrupt
