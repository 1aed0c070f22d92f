"""What training has reached, and what it is asked to do."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from skconvnet.optimizers import Optimizer
from skconvnet.schedules import Schedule
from skconvnet.training.averaging import Average
from skconvnet.training.regularization import SparseMemory


@dataclass
class History:
    """What training has seen so far; a later call may go on from it.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    best_loss : float or None
        None under early stopping.
    validation_scores : list of float or None
    best_validation_score : float or None
    validation_loss_curve : list of float or None
        None where nothing is validated.
    best_weights : ndarray or None
        Those of the best validation score, with the layers' buffers, kept between the
        calls of an incremental training with early stopping.
    learning_rate_curve : list of float
        The rate of the last update of each epoch.
    n_seen : int
        Training samples seen in all.
    n_stalled : int
        Epochs in a row without improvement.
    """

    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = np.inf
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    validation_loss_curve: list[float] | None = None
    best_weights: np.ndarray | None = None
    learning_rate_curve: list[float] = field(default_factory=list)
    n_seen: int = 0
    n_stalled: int = 0

    @classmethod
    def with_early_stopping(cls) -> History:
        return cls(
            best_loss=None,
            validation_scores=[],
            best_validation_score=-np.inf,
            validation_loss_curve=[],
        )


@dataclass
class Settings:
    """Hyperparameters of the loop, in scikit-learn's words.

    With `incremental`, a later call goes on from where this one ends: under early
    stopping the best weights are then restored only when the score has stalled.
    """

    max_iter: int
    batch_size: int
    shuffle: bool
    alpha: float
    tol: float
    n_iter_no_change: float
    max_grad_norm: float | None
    early_stopping: bool
    verbose: bool
    incremental: bool = False
    l1_ratio: float = 0.0
    max_grad_value: float | None = None


@dataclass
class Progress:
    """What a call of an incremental training hands on, besides weights and history."""

    optimizer: Optimizer
    schedule: Schedule
    average: Average | None
    memory: SparseMemory = field(default_factory=SparseMemory)
