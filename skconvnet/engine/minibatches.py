"""Minibatches of a training set, and the modes in which they are taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Index, Rows
from skconvnet.engine.inputs import Inputs, index_length

BATCH_MODES = ("mbgd", "bgd", "sgd")

Weights: TypeAlias = npt.NDArray[np.floating]


@dataclass
class Samples:
    """The samples that a network is trained on.

    Attributes
    ----------
    inputs : Inputs
    targets : ndarray of shape (n_samples, n_outputs), or MapTargets
    weights : ndarray of shape (n_samples,) or None
    index : ndarray of int or None
        The samples to use. None means all samples.
    """

    inputs: Inputs
    targets: Any
    weights: np.ndarray | None = None
    index: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs) if self.index is None else len(self.index)

    def total_weight(self, index: Index) -> float:
        """Return the sum of the weights of the samples at `index`."""
        if self.weights is None:
            return float(index_length(index))
        return float(self.weights[index].sum())

    def read_targets(self, index: Index) -> FeatureMap:
        """Return the targets of the samples at `index`, batch last."""
        targets: FeatureMap = self.targets[index].T
        return targets

    def read_weights(self, index: Index, total: float) -> Weights | float:
        """Return the weights of the samples at `index`, divided by `total`.

        Returns
        -------
        weights : ndarray of shape (batch,) or float
            Or of shape (*spatial, batch) if positions differ in weight.
        """
        if self.weights is None:
            return 1 / total
        return (self.weights[index] / total).astype(self.inputs.dtype)

    def rows(self, index: npt.NDArray[np.integer]) -> tuple[Rows, Weights | None]:
        """Return targets as rows, each of which has a loss, and their weights."""
        targets: Rows = self.targets[index]
        return targets, None if self.weights is None else self.weights[index]

    def weights_at(self, index: npt.NDArray[np.integer]) -> Any:  # noqa: ANN401  of samples or positions
        """Return the weights of the samples, or of their positions; None if equal."""
        return None if self.weights is None else self.weights[index]

    @property
    def rows_per_sample(self) -> int:
        """The largest number of rows that `rows` returns for one sample."""
        return 1

    def at(self, index: npt.NDArray[np.integer]) -> Self:
        """Return the same samples, of which only those at `index` are used."""
        return replace(self, index=index)


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
