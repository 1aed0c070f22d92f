"""Losses on real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy

from skconvnet.losses.base import Loss
from skconvnet.losses.probabilities import LogisticSquaredError
from skconvnet.params.constraints import BETWEEN_0_AND_1, POSITIVE


class SquaredError(Loss):
    """Half the squared error, summed over the outputs.

    In a classifier it is `LogisticSquaredError`.
    """

    name = "squared_error"
    is_probabilistic = True

    def for_classes(self, exclusive: bool) -> Loss:
        return LogisticSquaredError(exclusive)

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

    def objective(self) -> Loss:
        return SquaredError()


class AbsoluteError(Loss):
    """The absolute error, summed over the outputs; its slope at 0 is 0."""

    name = "absolute_error"

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
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"delta": POSITIVE}

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        residual = np.abs(prediction - target)
        inner = np.minimum(residual, self.delta)
        # Equal to both cases: inner * residual - inner^2 / 2.
        return (inner * (residual - 0.5 * inner)).sum(axis=0)

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= target
        np.clip(prediction, -self.delta, self.delta, out=prediction)


@dataclass(eq=False, repr=False)
class Quantile(Loss):
    """The pinball loss, least where a share `quantile` of y is below [1]_.

    Summed over the outputs: ``quantile * r`` where the residual r = y - prediction is
    positive, else ``(quantile - 1) * r``. Its slope at 0 is 0. With a quantile of 0.5
    it is half the absolute error.

    Parameters
    ----------
    quantile : float, default=0.5
        In (0, 1).

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.

    Examples
    --------
    >>> scores = np.array([[0.0, 2.0]])
    >>> Quantile(0.75)(scores, np.ones((1, 2)), 1.0)
    1.0
    >>> scores
    array([[-0.75,  0.25]])
    """

    quantile: float = 0.5

    name = "quantile"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "quantile": BETWEEN_0_AND_1
    }

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        residual = target - prediction
        return np.maximum(self.quantile * residual, (self.quantile - 1) * residual).sum(
            axis=0
        )

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        prediction -= target
        # From the sign, -1 to -quantile, 0 to 0, and 1 to 1 - quantile.
        sign = np.sign(prediction)
        np.multiply(np.abs(sign), 0.5 - self.quantile, out=prediction)
        sign *= 0.5
        prediction += sign


class PoissonDeviance(Loss):
    """Half the Poisson deviance, with the exponential as output activation.

    Scores are held to where their exponential is a finite number with room for sums,
    below 84 in float32 and 705 in float64.
    """

    name = "poisson"
    output = "exp"

    def predict(self, scores: np.ndarray) -> None:
        limit = np.log(np.finfo(scores.dtype).max) - 4
        np.minimum(scores, limit, out=scores)
        np.exp(scores, out=scores)

    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        # So that the quotient is a number that a float holds.
        smallest = np.finfo(prediction.dtype).tiny * np.maximum(target, 1)
        ratio = target / np.maximum(prediction, smallest)
        return (xlogy(target, ratio) - target + prediction).sum(axis=0)
