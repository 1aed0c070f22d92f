"""Losses on probabilities of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit, xlogy

from skconvnet._typing import FeatureMap, override
from skconvnet.losses.base import Loss, PerSample
from skconvnet.params.constraints import BELOW_1


@dataclass(eq=False, repr=False)
class LogLoss(Loss):
    """Cross-entropy with softmax outputs.

    The loss is ``-log(p)``, where p is the probability of the true class according to
    the softmax of the scores. Its gradient with respect to the scores is
    ``probabilities - target``. For two classes, or labels that are not exclusive,
    `BinaryLogLoss` is used. As in scikit-learn, probabilities are clipped to
    [eps, 1 - eps] for the value but not for the gradient, where eps is the resolution
    of their dtype.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The fraction of the target's probability, in [0, 1), that is distributed evenly
        over all classes, the true one included [1]_. It keeps the network from becoming
        overconfident. With a single output, for two classes or for a label, each of the
        two sides gets half of it.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import LogLoss
    >>> scores = np.zeros((2, 1))
    >>> round(LogLoss()(scores, np.array([[1.0], [0.0]]), 1.0), 4)
    0.6931
    >>> scores.ravel()
    array([-0.5,  0.5])
    """

    label_smoothing: float = 0.0

    name = "log_loss"
    output = "softmax"
    is_probabilistic = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "label_smoothing": BELOW_1
    }

    @override
    def for_classes(self, exclusive: bool) -> Loss:
        return self if exclusive else BinaryLogLoss(self.label_smoothing)

    @override
    def predict(self, scores: FeatureMap) -> None:
        _softmax(scores)

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        if self.label_smoothing:
            return SoftLogLoss(self.label_smoothing).samplewise(prediction, target)
        # `target` is 1 for one class and 0 for the others.
        losses: PerSample = np.add.reduce(prediction * target, axis=0)
        _clip(losses)
        np.log(losses, out=losses)
        return np.negative(losses, out=losses)

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        prediction -= self._smoothed(target)

    @override
    def for_mixtures(self) -> Loss:
        return SoftLogLoss(self.label_smoothing)

    def _smoothed(self, target: FeatureMap) -> FeatureMap:
        return _smoothed(target, self.label_smoothing, len(target))


@dataclass(eq=False, repr=False)
class SoftLogLoss(LogLoss):
    """Cross-entropy with softmax outputs, for targets that are probabilities.

    The loss is ``-sum(target * log(p))`` over the classes. It is used for the mixtures
    of targets that `Mixup` makes.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The fraction of the target's probability to distribute, as in `LogLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import SoftLogLoss
    >>> scores = np.log([[0.25], [0.75]])
    >>> round(SoftLogLoss()(scores, np.array([[0.5], [0.5]]), 1.0), 4)
    0.837
    >>> scores.ravel()
    array([-0.25,  0.25])
    """

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        logarithms = prediction.copy()
        _clip(logarithms)
        np.log(logarithms, out=logarithms)
        logarithms *= self._smoothed(target)
        losses: PerSample = -np.add.reduce(logarithms, axis=0)
        return losses


@dataclass(eq=False, repr=False)
class BinaryLogLoss(Loss):
    """Binary cross-entropy of independent logistic outputs.

    The loss is ``-sum(target * log(p) + (1 - target) * log(1 - p))`` over the outputs,
    where p is the logistic function of the score.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        The fraction of the target's probability to distribute, as in `LogLoss`.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import BinaryLogLoss
    >>> scores = np.zeros((1, 1))
    >>> round(BinaryLogLoss()(scores, np.array([[1.0]]), 1.0), 4)
    0.6931
    >>> scores.ravel()
    array([-0.5])
    """

    label_smoothing: float = 0.0

    name = "binary_log_loss"
    output = "logistic"
    is_probabilistic = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "label_smoothing": BELOW_1
    }

    @override
    def predict(self, scores: FeatureMap) -> None:
        expit(scores, out=scores)

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        p, target = prediction.copy(), self._smoothed(target)
        _clip(p)
        likelihoods = xlogy(target, p) + xlogy(1 - target, 1 - p)
        losses: PerSample = -likelihoods.sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        prediction -= self._smoothed(target)

    def _smoothed(self, target: FeatureMap) -> FeatureMap:
        return _smoothed(target, self.label_smoothing, 2)


@dataclass(eq=False, repr=False)
class LogisticSquaredError(Loss):
    """Half the squared error of logistic outputs, summed over the outputs.

    This is the meaning of "squared_error" in a classifier. The loss is
    ``sum((t - y) ** 2) / 2`` with y = logistic(score) and t either 0 or 1. Its gradient
    with respect to a score is ``(y - t) * y * (1 - y)``. Since an output that is
    certain but wrong learns slowly, `LogLoss` is usually the better choice.

    Parameters
    ----------
    exclusive : bool, default=False
        Whether the outputs belong to classes of which exactly one is true. Each output
        is still the logistic function of its own score, but the probabilities of the
        classes are the outputs divided by their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import LogisticSquaredError
    >>> scores = np.zeros((1, 1))
    >>> LogisticSquaredError()(scores, np.array([[1.0]]), 1.0)
    0.125
    >>> scores.ravel()
    array([-0.125])
    """

    exclusive: bool = False

    name = "squared_error"
    output = "logistic"
    is_probabilistic = True

    @override
    def predict(self, scores: FeatureMap) -> None:
        expit(scores, out=scores)

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        difference = prediction - target
        difference *= difference
        losses: PerSample = 0.5 * difference.sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        slope = 1 - prediction
        slope *= prediction
        prediction -= target
        prediction *= slope

    @override
    def probabilities(self, scores: FeatureMap) -> None:
        if not self.exclusive:
            self.predict(scores)
            return
        # Compute with logarithms, since the sum of the outputs may underflow.
        log_expit(scores, out=scores)
        _softmax(scores)


def _softmax(scores: FeatureMap) -> None:
    # Subtracting the largest score first prevents overflow.
    scores -= np.maximum.reduce(scores, axis=0)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=0)


def _smoothed(target: FeatureMap, smoothing: float, n_classes: int) -> FeatureMap:
    if not smoothing:
        return target
    return target * (1 - smoothing) + smoothing / n_classes


def _clip(probability: FeatureMap) -> None:
    eps = np.finfo(probability.dtype).eps
    np.maximum(probability, eps, out=probability)
    np.minimum(probability, 1 - eps, out=probability)
