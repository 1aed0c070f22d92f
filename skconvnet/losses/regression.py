"""Losses for real targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from scipy.special import xlogy

from skconvnet._typing import FeatureMap, override
from skconvnet.losses.base import Loss, PerSample
from skconvnet.losses.probabilities import LogisticSquaredError
from skconvnet.params.constraints import BETWEEN_0_AND_1, POSITIVE


class SquaredError(Loss):
    """Half the squared error, summed over the outputs: ``sum((y - s) ** 2) / 2``.

    A classifier uses `LogisticSquaredError` instead.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import SquaredError
    >>> scores = np.array([[1.0, 5.0]])
    >>> SquaredError()(scores, np.array([[0.0, 3.0]]), 1.0)
    2.5
    >>> scores
    array([[1., 2.]])
    """

    name = "squared_error"
    is_probabilistic = True

    @override
    def for_classes(self, exclusive: bool) -> Loss:
        return LogisticSquaredError(exclusive)

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        difference = prediction - target
        difference *= difference
        losses: PerSample = 0.5 * difference.sum(axis=0)
        return losses


class MeanOutputSquaredError(SquaredError):
    """Half the squared error as reported by scikit-learn's `MLPRegressor`.

    Its value is the mean over the outputs, but its gradient is that of their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import MeanOutputSquaredError
    >>> scores = np.array([[1.0], [5.0]])
    >>> MeanOutputSquaredError()(scores, np.array([[0.0], [2.0]]), 1.0)
    2.5
    >>> scores
    array([[1.],
           [3.]])
    """

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        return super().samplewise(prediction, target) / len(target)

    @override
    def objective(self) -> Loss:
        return SquaredError()


class AbsoluteError(Loss):
    """The absolute error, summed over the outputs; its slope at 0 is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import AbsoluteError
    >>> scores = np.array([[1.0, 5.0, 2.0]])
    >>> AbsoluteError()(scores, np.array([[0.0, 8.0, 2.0]]), 1.0)
    4.0
    >>> scores
    array([[ 1., -1.,  0.]])
    """

    name = "absolute_error"

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        losses: PerSample = np.abs(prediction - target).sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        prediction -= target
        np.sign(prediction, out=prediction)


@dataclass(eq=False, repr=False)
class Huber(Loss):
    """Huber loss: half the squared error up to `delta`, linear beyond [1]_.

    For a residual r, the loss is ``r ** 2 / 2`` if ``abs(r) <= delta`` and
    ``delta * (abs(r) - delta / 2)`` otherwise, summed over the outputs.

    Parameters
    ----------
    delta : float, default=1.0
        The absolute error beyond which the loss is linear, in the units of y.

    References
    ----------
    .. [1] P. J. Huber, "Robust estimation of a location parameter", Annals of
       Mathematical Statistics 35, 1964.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import Huber
    >>> scores = np.array([[0.5, 3.0]])
    >>> Huber(delta=1.0)(scores, np.zeros((1, 2)), np.array([0.0, 1.0]))
    2.5
    """

    delta: float = 1.0

    name = "huber"
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"delta": POSITIVE}

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        residual = np.abs(prediction - target)
        inner = np.minimum(residual, self.delta)
        # With inner = min(residual, delta), both cases have the value
        # inner * residual - inner ** 2 / 2.
        losses: PerSample = (inner * (residual - 0.5 * inner)).sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        prediction -= target
        np.clip(prediction, -self.delta, self.delta, out=prediction)


@dataclass(eq=False, repr=False)
class Quantile(Loss):
    """Pinball loss, which is minimized by a quantile of y [1]_.

    For a residual r = y - prediction, the loss is ``quantile * r`` if r is positive and
    ``(quantile - 1) * r`` otherwise, summed over the outputs. Its slope at 0 is 0. With
    a quantile of 0.5 it is half the absolute error.

    Parameters
    ----------
    quantile : float, default=0.5
        The quantile to estimate, in (0, 1).

    References
    ----------
    .. [1] R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46, 1978.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import Quantile
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

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        residual = target - prediction
        losses: PerSample = np.maximum(
            self.quantile * residual, (self.quantile - 1) * residual
        ).sum(axis=0)
        return losses

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        prediction -= target
        # A sign of -1 has the slope -quantile, 0 has 0, and 1 has 1 - quantile.
        sign = np.sign(prediction)
        np.multiply(np.abs(sign), 0.5 - self.quantile, out=prediction)
        sign *= 0.5
        prediction += sign


class PoissonDeviance(Loss):
    """Half the Poisson deviance, with the exponential as output activation [1]_.

    The loss is ``sum(y * log(y / p) - y + p)`` over the outputs, with
    ``p = exp(score)``. Its gradient with respect to a score is ``p - y``. Scores are
    limited to about 84 in float32 and 705 in float64, so that exponentials and their
    sums are finite.

    References
    ----------
    .. [1] P. McCullagh and J. A. Nelder, "Generalized linear models", 1989.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.losses import PoissonDeviance
    >>> scores = np.zeros((1, 2))
    >>> PoissonDeviance()(scores, np.array([[0.0, 1.0]]), 1.0)
    1.0
    >>> scores
    array([[1., 0.]])
    """

    name = "poisson"
    output = "exp"

    @override
    def predict(self, scores: FeatureMap) -> None:
        limit = np.log(np.finfo(scores.dtype).max) - 4
        np.minimum(scores, limit, out=scores)
        np.exp(scores, out=scores)

    @override
    def output_slope(self, prediction: FeatureMap) -> FeatureMap:
        return prediction

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        # A prediction may underflow to 0, but the quotient must be finite.
        smallest = np.finfo(prediction.dtype).tiny * np.maximum(target, 1)
        ratio = target / np.maximum(prediction, smallest)
        losses: PerSample = (xlogy(target, ratio) - target + prediction).sum(axis=0)
        return losses
