"""The loss of guessing, without looking at X, to compare the loss of training with."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Rows
from skconvnet.engine.minibatches import Samples
from skconvnet.losses import Loss

# The root of the mean square from which targets are large for a network's outputs.
_LARGE = 10.0

# Samples that a loss is estimated from.
_SOME = 1000


class SomeSamples(NamedTuple):
    """Some of the samples, of those that have a weight.

    Attributes
    ----------
    targets : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
    """

    targets: Rows
    weights: npt.NDArray[Any] | None

    @classmethod
    def of(cls, samples: Samples) -> Self:
        index = np.arange(len(samples)) if samples.index is None else samples.index
        if samples.weights is not None:
            index = index[samples.weights[index] > 0]
        index = index[:: -(-len(index) // _SOME) or 1]
        weights = None if samples.weights is None else samples.weights[index]
        return cls(samples.targets[index], weights)


def loss_of_guessing(some: SomeSamples, loss: Loss, *, is_regression: bool) -> float:
    """Return the mean loss of a constant guess.

    For classes, all scores are 0. For real targets, each output is the mean target; if
    the targets are so small that weights soon reach them, the mean or 0, whichever is
    worse.
    """
    of_zero = mean_loss(np.zeros(some.targets.shape[1]), some, loss)
    if not is_regression:
        return of_zero
    mean = np.average(some.targets, axis=0, weights=some.weights).astype(np.float64)
    if loss.output == "exp":
        mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
    of_mean = mean_loss(mean, some, loss)
    return of_mean if is_large(some.targets) else max(of_mean, of_zero)


def mean_loss(scores: npt.NDArray[np.float64], some: SomeSamples, loss: Loss) -> float:
    """Return the mean loss of the same scores, one per output, for all samples."""
    repeated = np.repeat(scores[:, None], len(some.targets), axis=1)
    loss.predict(repeated)
    losses = loss.samplewise(repeated, some.targets.T.astype(np.float64))
    return float(np.average(losses, weights=some.weights))


def is_large(y: npt.NDArray[Any]) -> bool:
    """Whether outputs would need long to reach the targets from around 0."""
    return bool(np.sqrt(np.mean(np.square(y.astype(np.float64)))) > _LARGE)
