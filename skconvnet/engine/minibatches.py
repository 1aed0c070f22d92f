"""Minibatches of a training set, and the modes in which they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skconvnet._typing import Index
from skconvnet.engine.inputs import Inputs, index_length

BATCH_MODES = ("mbgd", "bgd", "sgd")


@dataclass
class Samples:
    """The samples that a network is trained on.

    Attributes
    ----------
    inputs : Inputs
    targets : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
    index : ndarray of int or None
        The samples to use. None means all samples.
    """

    inputs: Inputs
    targets: np.ndarray
    weights: np.ndarray | None = None
    index: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs) if self.index is None else len(self.index)

    def total_weight(self, index: Index) -> float:
        """Return the sum of the weights of the samples at `index`."""
        if self.weights is None:
            return float(index_length(index))
        return float(self.weights[index].sum())


def resolve_batch_size(mode: str, batch_size: int | str, n_samples: int) -> int:
    """Return the number of samples in an update.

    >>> resolve_batch_size("mbgd", "auto", 1000), resolve_batch_size("bgd", 32, 1000)
    (200, 1000)
    """
    if mode == "bgd":
        return n_samples
    if mode == "sgd":
        return 1
    if isinstance(batch_size, str):
        return min(200, n_samples)
    return min(int(batch_size), n_samples)


def minibatches(
    samples: Samples, order: np.ndarray | None, batch_size: int
) -> Iterator[Index]:
    """Yield the indices of each minibatch, in `order` or in the order of X."""
    for start in range(0, len(samples), batch_size):
        batch = slice(start, min(start + batch_size, len(samples)))
        if order is not None:
            chosen = order[batch]
            yield chosen if samples.index is None else samples.index[chosen]
        elif samples.index is not None:
            yield samples.index[batch]
        else:
            yield batch
