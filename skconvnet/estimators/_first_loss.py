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
# Unlucky weights start at up to twice the loss of guessing classes; squares of errors
# vary more.
FAR_ABOVE_CLASSES, FAR_ABOVE_MEAN = 3.0, 10.0

# The outputs of such weights for a suitable X. Where the loss of guessing is small, as
# it is for small targets, or even 0, as for the perceptron, they cost far more.
_UNLUCKY = 2.0
FAR_ABOVE_UNLUCKY = 3.0

# The outputs of such weights for a suitable X. Where the loss of guessing is small, as
# it is for small targets, or even 0, as for the perceptron, they cost far more.
_UNLUCKY = 2.0

# The root of the mean square from which targets are large for a network's outputs.
_LARGE = 10.0

# Samples that the loss of guessing is estimated from.
_SOME = 1000


def loss_of_guessing(samples: Samples, loss: Loss, *, is_regression: bool) -> float:
    """Return the mean loss of a constant guess for all samples.

    For classes, all scores are 0. For real targets, each output is the mean target; if
    the targets are so small that weights soon reach them, the mean or 0, whichever is
    worse.
    """
    targets, weights = _some_targets(samples)
    if weights is not None and not weights.any():
        return np.inf
    zeros = np.zeros(targets.shape[1])
    of_zero = _mean_loss(zeros, targets, weights, loss)
    if not is_regression:
        return of_zero
    mean = np.average(targets, axis=0, weights=weights).astype(np.float64)
    if loss.output == "exp":
        mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
    of_mean = _mean_loss(mean, targets, weights, loss)
    return of_mean if _is_large(targets) else max(of_mean, of_zero)


def _loss_of_unlucky_outputs(samples: Samples, loss: Loss) -> float:
    """Return the mean loss if all outputs are as large as unlucky weights make them."""
    targets, weights = _some_targets(samples)
    ones = np.ones(targets.shape[1])
    signs = (-_UNLUCKY, _UNLUCKY)
    return float(
        np.mean([_mean_loss(sign * ones, targets, weights, loss) for sign in signs])
    )


def _some_targets(samples: Samples) -> tuple[Rows, npt.NDArray[Any] | None]:
    """Return the targets and the weights of some of the samples."""
    index = np.arange(len(samples)) if samples.index is None else samples.index
    index = index[:: -(-len(index) // _SOME)]
    weights = None if samples.weights is None else samples.weights[index]
    return samples.targets[index], weights


def _mean_loss(
    scores: npt.NDArray[Any],
    targets: Rows,
    weights: npt.NDArray[Any] | None,
    loss: Loss,
) -> float:
    """Return the mean loss of the same scores, one per output, for all samples."""
    repeated = np.repeat(scores[:, None].astype(np.float64), len(targets), axis=1)
    loss.predict(repeated)
    losses = loss.samplewise(repeated, targets.T.astype(np.float64))
    return float(np.average(losses, weights=weights))


def warn_of_first_loss(
    estimator: BaseEstimator,
    samples: Samples,
    loss: Loss,
    first: float | None,
    *,
    is_standardized: bool,
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
    is_standardized : bool
        Whether the network itself standardizes X, so that its scale does not matter.
    """
    is_regression = not isinstance(estimator, ClassifierMixin)
    if first is None:
        return
    has_large_y = is_regression and _is_large(samples.targets)
    if is_standardized and not has_large_y:
        return
    guessing = loss_of_guessing(samples, loss, is_regression=is_regression)
    far_above = FAR_ABOVE_MEAN if is_regression else FAR_ABOVE_CLASSES
    if not np.isfinite(guessing) or first <= far_above * guessing:
        return
    if not has_large_y:
        unlucky = _loss_of_unlucky_outputs(samples, loss)
        if first <= FAR_ABOVE_UNLUCKY * unlucky:
            return
    what = "the mean of y" if is_regression else "the classes"
    targets = samples.targets if is_regression else None
    warn_caller(
        f"Training started with a loss of {first:.3g}, far above {guessing:.3g}, the "
        f"loss of guessing {what} without looking at X. "
        + _advice(targets, has_rescale=_can_rescale(estimator))
    )


def _advice(y: npt.NDArray[Any] | None, *, has_rescale: bool) -> str:
    """Return what to do about the scale of X, or of y if that is large.

    `y` has the targets of a regressor; None for a classifier.
    """
    if y is not None and _is_large(y):
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


def _can_rescale(estimator: BaseEstimator) -> bool:
    """Whether an estimator has a parameter ``rescale`` that is not in use."""
    return getattr(estimator, "rescale", "auto") is None


def _is_large(y: npt.NDArray[Any]) -> bool:
    """Whether outputs would need long to reach the targets from around 0."""
    return bool(np.sqrt(np.mean(np.square(y.astype(np.float64)))) > _LARGE)
