"""Losses on probabilities of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, log_expit, xlogy

from skconvnet.losses.base import Loss
from skconvnet.params.constraints import BELOW_1


@dataclass(eq=False, repr=False)
class LogLoss(Loss):
    """Negative log-likelihood of the true class, with softmax.

    With two classes, or labels that are not exclusive, it is `BinaryLogLoss`. As in
    scikit-learn, probabilities are clipped to [eps, 1 - eps] of their dtype in the
    value, but not in the gradient.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target's probability, in [0, 1), that is spread evenly over all
        classes, the true one included [1]_. It keeps the network from growing ever
        more certain. Of an output for two classes or for a label, half of the share
        goes to either side.

    References
    ----------
    .. [1] C. Szegedy et al., "Rethinking the Inception architecture for computer
       vision", CVPR 2016.

    Examples
    --------
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

    def for_classes(self, exclusive: bool) -> Loss:
        return self if exclusive else BinaryLogLoss(self.label_smoothing)

    def predict(self, scores: np.ndarray) -> None:
        _softmax(scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        if self.label_smoothing:
            return SoftLogLoss(self.label_smoothing).samplewise(prediction, target)
        # `target` is 1 for one class and 0 for the others.
        likelihood = np.add.reduce(prediction * target, axis=0)
        _clip(likelihood)
        np.log(likelihood, out=likelihood)
        return np.negative(likelihood, out=likelihood)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= self._smoothed(target)

    def for_mixtures(self) -> Loss:
        return SoftLogLoss(self.label_smoothing)

    def _smoothed(self, target: np.ndarray) -> np.ndarray:
        return _smoothed(target, self.label_smoothing, len(target))


@dataclass(eq=False, repr=False)
class SoftLogLoss(LogLoss):
    """Cross-entropy of the probabilities of all classes that sum to 1, with softmax.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        As in `LogLoss`.

    Examples
    --------
    >>> scores = np.log([[0.25], [0.75]])
    >>> round(SoftLogLoss()(scores, np.array([[0.5], [0.5]]), 1.0), 4)
    0.837
    >>> scores.ravel()
    array([-0.25,  0.25])
    """

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        logarithms = prediction.copy()
        _clip(logarithms)
        np.log(logarithms, out=logarithms)
        logarithms *= self._smoothed(target)
        return -np.add.reduce(logarithms, axis=0)


@dataclass(eq=False, repr=False)
class BinaryLogLoss(Loss):
    """Negative log-likelihood of independent yes-or-no outputs, with logistic.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        As in `LogLoss`.
    """

    label_smoothing: float = 0.0

    name = "binary_log_loss"
    output = "logistic"
    is_probabilistic = True
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "label_smoothing": BELOW_1
    }

    def predict(self, scores: np.ndarray) -> None:
        expit(scores, out=scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        p, target = prediction.copy(), self._smoothed(target)
        _clip(p)
        return -(xlogy(target, p) + xlogy(1 - target, 1 - p)).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= self._smoothed(target)

    def _smoothed(self, target: np.ndarray) -> np.ndarray:
        return _smoothed(target, self.label_smoothing, 2)


@dataclass(eq=False, repr=False)
class LogisticSquaredError(Loss):
    """Half the squared error of logistic outputs, summed over the outputs.

    ``sum((t - y) ** 2) / 2`` with y = logistic(score) and t either 0 or 1: what
    "squared_error" stands for in a classifier. The gradient with respect to a score is
    ``(y - t) * y * (1 - y)``: an output that is sure and wrong learns slowly, so that
    `LogLoss` is the better choice as a rule.

    Parameters
    ----------
    exclusive : bool, default=False
        Whether the outputs are classes of which one is true. Each output is then the
        logistic function of its own score still; their probabilities are the outputs
        divided by their sum.
    """

    exclusive: bool = False

    name = "squared_error"
    output = "logistic"
    is_probabilistic = True

    def predict(self, scores: np.ndarray) -> None:
        expit(scores, out=scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        difference = prediction - target
        difference *= difference
        return 0.5 * difference.sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        slope = 1 - prediction
        slope *= prediction
        prediction -= target
        prediction *= slope

    def probabilities(self, scores: np.ndarray) -> None:
        if not self.exclusive:
            self.predict(scores)
            return
        # The sum of the outputs may be too small for a float, not its logarithm.
        log_expit(scores, out=scores)
        _softmax(scores)


def _softmax(scores: np.ndarray) -> None:
    scores -= np.maximum.reduce(scores, axis=0)
    np.exp(scores, out=scores)
    scores /= np.add.reduce(scores, axis=0)


def _smoothed(target: np.ndarray, smoothing: float, n_classes: int) -> np.ndarray:
    if not smoothing:
        return target
    return target * (1 - smoothing) + smoothing / n_classes


def _clip(probability: np.ndarray) -> None:
    eps = np.finfo(probability.dtype).eps
    np.maximum(probability, eps, out=probability)
    np.minimum(probability, 1 - eps, out=probability)
