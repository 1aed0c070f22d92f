"""Losses on the margin of a score: hinge, squared hinge and perceptron.

The margin of a score s is ``t * s``, with t = 1 for samples of its class and t = -1 for
all others. It is positive if the score has the right sign. Targets are 1 and 0, so
``-t = 1 - 2 * target``.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, override
from skconvnet.losses.base import Loss, PerSample


class _MarginLoss(Loss):
    """A loss whose targets must be 1 or 0, with nothing in between."""

    @override
    def for_mixtures(self) -> Loss:
        raise ValueError(
            f"loss={self.name!r} cannot be used with Mixup, since a mixture of two "
            "targets is on neither side of the margin. Use loss='log_loss', or remove "
            "Mixup from the augmentation."
        )


class Hinge(_MarginLoss):
    """Hinge loss, ``max(0, 1 - t * s)`` for each score s [1]_.

    The sign t is 1 for samples of the class and -1 for all others. Two classes share
    one score. Otherwise each class or label has a score of its own, against the rest,
    and the losses are summed. The slope at a margin of exactly 1 is 0.

    References
    ----------
    .. [1] C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20,
       1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import Hinge
    >>> scores = np.array([[-2.0, 0.5, -1.5]])
    >>> Hinge()(scores, np.array([[0.0, 0.0, 1.0]]), 1.0)
    4.0
    >>> scores
    array([[ 0.,  1., -1.]])
    """

    name = "hinge"

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        losses: PerSample = _shortfall(prediction, target).sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        falls_short = _shortfall(prediction, target) > 0
        np.multiply(falls_short, 1 - 2 * target, out=prediction)


class SquaredHinge(_MarginLoss):
    """Squared hinge loss, ``max(0, 1 - t * s) ** 2`` for each score s.

    The signs t and the sum over the scores are as in `Hinge`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import SquaredHinge
    >>> SquaredHinge()(np.array([[-1.0]]), np.array([[1.0]]), 1.0)
    4.0
    """

    name = "squared_hinge"

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        shortfall = _shortfall(prediction, target)
        shortfall *= shortfall
        losses: PerSample = shortfall.sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        shortfall = _shortfall(prediction, target)
        shortfall *= 2
        np.multiply(shortfall, 1 - 2 * target, out=prediction)


class Perceptron(_MarginLoss):
    """Rosenblatt's perceptron loss, ``max(0, -t * s)`` for each score s [1]_.

    The signs t and the scores are as in `Hinge`. Let the prediction y be 1 if s >= 0
    and 0 otherwise, and let the target be 1 or 0 as well. Then the gradient is
    ``y - target``. Without hidden layers, an update for one sample x with the learning
    rate eta is the perceptron rule, ``w += eta * (target - y) * x`` and
    ``b += eta * (target - y)``.

    A score of exactly 0 predicts the positive class.

    References
    ----------
    .. [1] F. Rosenblatt, "The perceptron: a probabilistic model for information
       storage and organization in the brain", Psychological Review 65, 1958.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import Perceptron
    >>> scores = np.array([[2.0, -3.0, 0.0]])
    >>> Perceptron()(scores, np.array([[0.0, 1.0, 0.0]]), 1.0)
    5.0
    >>> scores
    array([[ 1., -1.,  1.]])
    """

    name = "perceptron"

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        negated = (1 - 2 * target) * prediction
        losses: PerSample = np.maximum(negated, 0, out=negated).sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        np.greater_equal(prediction, 0, out=prediction)
        prediction -= target

    @override
    def is_positive(self, scores: FeatureMap) -> npt.NDArray[np.bool_]:
        return scores >= 0


def _shortfall(scores: FeatureMap, target: FeatureMap) -> FeatureMap:
    """Return how far each margin is below 1, or 0 if it is not."""
    shortfall: FeatureMap = (1 - 2 * target) * scores
    shortfall += 1
    return np.maximum(shortfall, 0, out=shortfall)
