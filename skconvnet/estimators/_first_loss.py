"""A warning if training starts far from what guessing would give.

A network with suitable inputs and initial weights starts near the loss of a constant
guess. A first loss far above it means that the outputs are large at random, nearly
always because X, or y of a regressor, has a scale that the weights are not made for.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from skconvnet._typing import Rows
from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.losses import Loss

# The ratio of the first loss to the loss of guessing from which it is worth a warning.
FAR_ABOVE = 3.0

# The deviation that the first outputs have in deep or wide networks, on suitable X.
_USUAL_OUTPUT = 2.0

# The root of the mean square from which targets are large for a network's outputs.
_LARGE = 10.0

# Samples that the loss of guessing is estimated from.
_SOME = 1000


class _Some(NamedTuple):
    """Some of the samples, of those that have a weight.

    Attributes
    ----------
    targets : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
    """

    targets: Rows
    weights: npt.NDArray[Any] | None

    @classmethod
    def of(cls, samples: Samples) -> _Some:
        index = np.arange(len(samples)) if samples.index is None else samples.index
        if samples.weights is not None:
            index = index[samples.weights[index] > 0]
        index = index[:: -(-len(index) // _SOME) or 1]
        weights = None if samples.weights is None else samples.weights[index]
        return cls(samples.targets[index], weights)


def _loss_of_guessing(some: _Some, loss: Loss, *, is_regression: bool) -> float:
    """Return the mean loss of a constant guess.

    For classes, all scores are 0. For real targets, each output is the mean target; if
    the targets are so small that weights soon reach them, the mean or 0, whichever is
    worse.
    """
    of_zero = _mean_loss(np.zeros(some.targets.shape[1]), some, loss)
    if not is_regression:
        return of_zero
    mean = np.average(some.targets, axis=0, weights=some.weights).astype(np.float64)
    if loss.output == "exp":
        mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
    of_mean = _mean_loss(mean, some, loss)
    return of_mean if _is_large(some.targets) else max(of_mean, of_zero)


def _loss_of_usual_outputs(some: _Some, loss: Loss) -> float:
    """Return the mean loss of outputs as the weights of a new network give them."""
    outputs = np.full(some.targets.shape[1], _USUAL_OUTPUT)
    return float(np.mean([_mean_loss(sign * outputs, some, loss) for sign in (-1, 1)]))


def _mean_loss(scores: npt.NDArray[np.float64], some: _Some, loss: Loss) -> float:
    """Return the mean loss of the same scores, one per output, for all samples."""
    repeated = np.repeat(scores[:, None], len(some.targets), axis=1)
    loss.predict(repeated)
    losses = loss.samplewise(repeated, some.targets.T.astype(np.float64))
    return float(np.average(losses, weights=some.weights))


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
    some = _Some.of(samples)
    if first is None or not len(some.targets):
        return
    large_y = is_regression and _is_large(some.targets)
    if getattr(estimator, "rescale", None) == "auto" and not large_y:
        return  # X has a suitable scale
    guessing = _loss_of_guessing(some, loss, is_regression=is_regression)
    usual = 0.0 if large_y else _loss_of_usual_outputs(some, loss)
    if first <= FAR_ABOVE * max(guessing, usual):
        return
    what = "the mean of y" if is_regression else "the classes"
    advice = (
        _advice_on_y(estimator, some.targets, loss)
        if large_y
        else _advice_on_X(estimator)
    )
    warn_caller(
        f"Training started with a loss of {first:.3g}, far above {guessing:.3g}, the "
        f"loss of guessing {what} without looking at X. {advice}"
    )


def _advice_on_y(estimator: BaseEstimator, y: npt.NDArray[Any], loss: Loss) -> str:
    """Return what to do about the scale of a large y."""
    # Deviances require a positive y, which ConvNetRegressor does not standardize.
    is_positive = loss.output == "exp"
    can_rescale = hasattr(estimator, "rescale") and not is_positive
    own = "set rescale='auto', or " if can_rescale else ""
    scaler = "MaxAbsScaler" if is_positive else "StandardScaler"
    return (
        f"The values of y have a mean of {np.mean(y):.3g} and a standard deviation "
        f"of {np.std(y):.3g}: {own}scale y, for example with scikit-learn's "
        f"TransformedTargetRegressor(regressor, transformer={scaler}())."
    )


def _advice_on_X(estimator: BaseEstimator) -> str:
    """Return what to do about the scale of X."""
    has_rescale = hasattr(estimator, "rescale")
    own = "set rescale='auto'" if has_rescale else "begin layers with Standardize()"
    return (
        "X probably has a scale that the initial weights are not made for: "
        f"{own}, or scale X, for example with StandardScaler."
    )


def _is_large(y: npt.NDArray[Any]) -> bool:
    """Whether outputs would need long to reach the targets from around 0."""
    return bool(np.sqrt(np.mean(np.square(y.astype(np.float64)))) > _LARGE)
