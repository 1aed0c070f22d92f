"""What a task is told: the training that it is for, and its part of a minibatch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet.augmentation.base import Augmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.engine.network import Network
from skconvnet.losses import Loss

_Numbers: TypeAlias = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Training:
    """What a training consists of besides weights and samples.

    Attributes
    ----------
    key : str
        Tells trainings apart.
    network : Network
        Its weights do not matter.
    loss : Loss
    augmenter : Augmenter or None
    n_threads : int
    channels_first : bool
    gradient_dtype : str or None
        The dtype in which gradients travel. None means that of the network.
    limits_blas : bool
        Whether BLAS has to be limited to one thread in the process of a task.
    """

    key: str
    network: Network
    loss: Loss
    augmenter: Augmenter | None
    n_threads: int
    channels_first: bool
    gradient_dtype: str | None
    limits_blas: bool


class Work(NamedTuple):
    """The part of a minibatch that belongs to one shard.

    Attributes
    ----------
    update : int
        Number of the update.
    rows : ndarray of int
        The samples of the part, by their positions in the shard.
    total_weight : float
        Sum of the weights of the minibatch.
    seed : int or None
        Seed of the minibatch.
    epoch : Epoch or None
    """

    update: int
    rows: _Numbers
    total_weight: float
    seed: int | None
    epoch: Epoch | None
