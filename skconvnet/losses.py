"""Losses: the output activation that belongs to each, its value and gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import expit, xlogy

from skconvnet._spec import POSITIVE, Searchable


class Loss(Searchable, ABC):
    """A loss on raw scores.

    Attributes
    ----------
    name : str
    output : str
        The activation that turns scores into predictions, in scikit-learn's words.
    """

    name: ClassVar[str]
    output: ClassVar[str]

    @abstractmethod
    def predict(self, scores: np.ndarray) -> None:
        """Turn raw `scores` of shape (n_outputs, batch) into predictions, in place."""

    @abstractmethod
    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return the loss of each sample, of shape (batch,)."""

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        """Turn `prediction` into the gradient with respect to the scores, in place.

        For a loss with its canonical output activation that is their difference.
        """
        prediction -= target

    def objective(self) -> Loss:
        """Return the loss whose value is what the gradient descends, usually self."""
        return self

    def for_mixtures(self) -> Loss:
        """Return the loss for targets mixed of several samples', usually self."""
        return self

    def __call__(
        self, scores: np.ndarray, target: np.ndarray, weight: np.ndarray | float
    ) -> float:
        """Return the weighted sum of losses and turn `scores` into its gradient.

        Parameters
        ----------
        scores, target : ndarray of shape (n_outputs, batch)
        weight : ndarray of shape (batch,) or float

        Returns
        -------
        value : float
        """
        self.predict(scores)
        losses = self.samplewise(scores, target)
        losses *= weight
        value = float(np.add.reduce(losses))
        self.differentiate(scores, target)
        scores *= weight
        return value


class LogLoss(Loss):
    """Negative log-likelihood of one class out of many, with softmax.

    As in scikit-learn, probabilities are clipped to [eps, 1 - eps] of their dtype.

    Examples
    --------
    >>> scores = np.zeros((2, 1))
    >>> round(LogLoss()(scores, np.array([[1.0], [0.0]]), 1.0), 4)
    0.6931
    >>> scores.ravel()
    array([-0.5,  0.5])
    """

    name = "log_loss"
    output = "softmax"

    def predict(self, scores: np.ndarray) -> None:
        scores -= np.maximum.reduce(scores, axis=0)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=0)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        # `target` is 1 for one class and 0 for the others.
        likelihood = np.add.reduce(prediction * target, axis=0)
        _clip(likelihood)
        np.log(likelihood, out=likelihood)
        return np.negative(likelihood, out=likelihood)

    def for_mixtures(self) -> Loss:
        return SoftLogLoss()


class SoftLogLoss(LogLoss):
    """Cross-entropy of the probabilities of all classes that sum to 1, with softmax.

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
        logarithms *= target
        return -np.add.reduce(logarithms, axis=0)


class BinaryLogLoss(Loss):
    """Negative log-likelihood of independent yes-or-no outputs, with logistic."""

    name = "binary_log_loss"
    output = "logistic"

    def predict(self, scores: np.ndarray) -> None:
        expit(scores, out=scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        p = prediction.copy()
        _clip(p)
        return -(xlogy(target, p) + xlogy(1 - target, 1 - p)).sum(axis=0)


class SquaredError(Loss):
    """Half the squared error, summed over the outputs."""

    name = "squared_error"
    output = "identity"

    def predict(self, scores: np.ndarray) -> None:
        return

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        difference = prediction - target
        difference *= difference
        return 0.5 * difference.sum(axis=0)


class MeanOutputSquaredError(SquaredError):
    """Half the squared error, as scikit-learn's `MLPRegressor` has it.

    Its value is the mean over the outputs while its gradient is that of the sum.
    """

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        return super().samplewise(prediction, target) / len(target)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        """Turn `prediction` into the gradient with respect to the scores, in place.

        For a loss with its canonical output activation that is their difference.
        """
        prediction -= target

    def objective(self) -> Loss:
        return SquaredError()


class AbsoluteError(Loss):
    """The absolute error, summed over the outputs; its slope at 0 is 0."""

    name = "absolute_error"
    output = "identity"

    def predict(self, scores: np.ndarray) -> None:
        return

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.abs(prediction - target).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= target
        np.sign(prediction, out=prediction)


@dataclass(eq=False, repr=False)
class Huber(Loss):
    """Half the squared error up to an error of `delta`, linear beyond [1]_.

    Summed over the outputs: ``r ** 2 / 2`` where ``|r| <= delta``, else
    ``delta * (|r| - delta / 2)``.

    Parameters
    ----------
    delta : float, default=1.0
        In the units of y.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", 1964.

    Examples
    --------
    >>> scores = np.array([[0.5, 3.0]])
    >>> Huber(delta=1.0)(scores, np.zeros((1, 2)), np.array([0.0, 1.0]))
    2.5
    """

    delta: float = 1.0

    name = "huber"
    output = "identity"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"delta": POSITIVE}

    def predict(self, scores: np.ndarray) -> None:
        return

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        residual = np.abs(prediction - target)
        inner = np.minimum(residual, self.delta)
        # Equal to both cases: inner * residual - inner^2 / 2.
        return (inner * (residual - 0.5 * inner)).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= target
        np.clip(prediction, -self.delta, self.delta, out=prediction)


class PoissonDeviance(Loss):
    """Half the Poisson deviance, with the exponential as output activation."""

    name = "poisson"
    output = "exp"

    def predict(self, scores: np.ndarray) -> None:
        np.exp(scores, out=scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        return (xlogy(target, target / prediction) - target + prediction).sum(axis=0)


def _clip(probability: np.ndarray) -> None:
    eps = np.finfo(probability.dtype).eps
    np.maximum(probability, eps, out=probability)
    np.minimum(probability, 1 - eps, out=probability)
