"""Losses on the margin of a score: hinge, squared hinge, and the perceptron's."""

from __future__ import annotations

import numpy as np

from skconvnet.losses.base import Loss


class _MarginLoss(Loss):
    """What the losses have in common: a target is one side or the other."""

    def for_mixtures(self) -> Loss:
        raise ValueError(
            f"loss={self.name!r} cannot be used with Mixup: a mixture of two targets "
            "lies on neither side. Use loss='log_loss', or leave Mixup out of the "
            "augmentation."
        )


class Hinge(_MarginLoss):
    """``max(0, 1 - t * s)`` of each score s, with t = 1 for its class, else -1.

    One score for two classes; of more classes or labels each has a score, one against
    the rest, and their losses are summed. The slope at a margin of exactly 1 is 0.

    Examples
    --------
    >>> scores = np.array([[-2.0, 0.5, -1.5]])
    >>> Hinge()(scores, np.array([[0.0, 0.0, 1.0]]), 1.0)
    4.0
    >>> scores
    array([[ 0.,  1., -1.]])
    """

    name = "hinge"

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        return _shortfall(prediction, target).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        falls_short = _shortfall(prediction, target) > 0
        np.multiply(falls_short, 1 - 2 * target, out=prediction)


class SquaredHinge(_MarginLoss):
    """``max(0, 1 - t * s) ** 2`` of each score, t and the sum as in `Hinge`.

    Examples
    --------
    >>> SquaredHinge()(np.array([[-1.0]]), np.array([[1.0]]), 1.0)
    4.0
    """

    name = "squared_hinge"

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        shortfall = _shortfall(prediction, target)
        shortfall *= shortfall
        return shortfall.sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        shortfall = _shortfall(prediction, target)
        shortfall *= 2
        np.multiply(shortfall, 1 - 2 * target, out=prediction)


class Perceptron(_MarginLoss):
    """Rosenblatt's rule as a loss: ``max(0, -t * s)`` of each score s [1]_.

    t is 1 for the score's class, else -1; scores and their sum are as in `Hinge`. With
    y = 1 where s >= 0, else 0, and t' the same as t in zeros and ones, the gradient is
    y - t'. Without hidden layers, an update for one sample x with a learning rate of
    eta is then the rule ``w += eta * (t' - y) * x``, and ``b += eta * (t' - y)``.

    A score of exactly 0 counts as a yes, also where classes are predicted.

    References
    ----------
    .. [1] F. Rosenblatt, "The perceptron: a probabilistic model for information
       storage and organization in the brain", Psychological Review 65, 1958.

    Examples
    --------
    >>> scores = np.array([[2.0, -3.0, 0.0]])
    >>> Perceptron()(scores, np.array([[0.0, 1.0, 0.0]]), 1.0)
    5.0
    >>> scores
    array([[ 1., -1.,  1.]])
    """

    name = "perceptron"

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        margin = (1 - 2 * target) * prediction
        return np.maximum(margin, 0, out=margin).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        np.greater_equal(prediction, 0, out=prediction)
        prediction -= target

    def is_positive(self, scores: np.ndarray) -> np.ndarray:
        return scores >= 0


def _shortfall(scores: np.ndarray, target: np.ndarray) -> np.ndarray:
    """How far each margin is below 1."""
    shortfall = (1 - 2 * target) * scores
    shortfall += 1
    return np.maximum(shortfall, 0, out=shortfall)
