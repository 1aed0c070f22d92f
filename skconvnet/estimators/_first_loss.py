"""A warning if training starts far from what guessing would give.

A network with suitable inputs and initial weights starts near the loss of a constant
guess. A first loss far above it means that the outputs are large at random, nearly
always because X, or y of a regressor, has a scale that the weights are not made for.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from skconvnet._typing import Rows
from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.losses import Loss

# The ratio of the first loss to the loss of guessing from which it is worth a warning.
# Wide layers and unlucky weights start at up to twice the loss of guessing.
FAR_ABOVE = 3.0

# Samples that the loss of guessing is estimated from.
_SOME = 1000


def loss_of_guessing(samples: Samples, loss: Loss, *, is_regression: bool) -> float:
    """Return the mean loss of a constant guess for all samples.

    For classes, all scores are 0. For real targets, each output is the mean target.
    """
    index = np.arange(len(samples)) if samples.index is None else samples.index
    index = index[:: -(-len(index) // _SOME)]
    targets: Rows = samples.targets[index]
    weights = None if samples.weights is None else samples.weights[index]
    if weights is not None and not weights.any():
        return np.inf
    scores = np.zeros(targets.shape[::-1], dtype=np.float64)
    if is_regression:
        mean = np.average(targets, axis=0, weights=weights).astype(np.float64)
        if loss.output == "exp":
            mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
        scores += mean[:, None]
    loss.predict(scores)
    losses = loss.samplewise(scores, targets.T.astype(np.float64))
    return float(np.average(losses, weights=weights))


def warn_of_first_loss(
    estimator: BaseEstimator, samples: Samples, loss: Loss, first: float | None
) -> None:
    """Warn if the first loss of a training is far above the loss of guessing.

    Parameters
    ----------
    estimator : estimator
    samples : Samples
        The training samples.
    loss : Loss
    first : float or None
        Mean loss of the first samples, without the penalty.
    """
    is_regression = not isinstance(estimator, ClassifierMixin)
    if first is None:
        return
    guessing = loss_of_guessing(samples, loss, is_regression=is_regression)
    if not np.isfinite(guessing) or first <= FAR_ABOVE * guessing:
        return
    what = "the mean of y" if is_regression else "the classes"
    targets = samples.targets if is_regression else None
    warn_caller(
        f"Training started with a loss of {first:.3g}, far above {guessing:.3g}, the "
        f"loss of guessing {what} without looking at X. "
        + _advice(targets, has_rescale=hasattr(estimator, "rescale"))
    )


def _advice(y: npt.NDArray[Any] | None, *, has_rescale: bool) -> str:
    """Return what to do about the scale of X, or of y if that is far from 1.

    `y` has the targets of a regressor; None for a classifier.
    """
    if y is not None and _is_far_from_standardized(y):
        own = "set rescale='auto', or " if has_rescale else ""
        return (
            f"The values of y have a mean of {np.mean(y):.3g} and a standard deviation "
            f"of {np.std(y):.3g}: {own}scale y, for example with scikit-learn's "
            "TransformedTargetRegressor(regressor, transformer=StandardScaler())."
        )
    own = "set rescale='auto'" if has_rescale else "begin layers with Standardize()"
    return (
        "X probably has a scale that the initial weights are not made for: "
        f"{own}, or scale X, for example with StandardScaler."
    )


def _is_far_from_standardized(y: npt.NDArray[Any]) -> bool:
    mean, deviation = np.mean(y, axis=0), np.std(y, axis=0)
    return bool(np.any(np.abs(mean) > 3 * deviation) or np.any(deviation > 3))
