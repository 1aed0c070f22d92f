"""A warning if training starts far from what guessing would give.

A network with suitable inputs and initial weights starts near the loss of a constant
guess. A first loss far above it means that the outputs are large at random, nearly
always because X, or y of a regressor, has a scale that the weights are not made for.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator

from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._guessing import Guessing

# The ratio of the first loss to the loss of guessing from which it is worth a warning.
FAR_ABOVE = 3.0

# The deviation that the first outputs have in deep or wide networks, on suitable X.
_USUAL_OUTPUT = 2.0


def warn_of_first_loss(
    estimator: BaseEstimator, guessing: Guessing, first: float | None
) -> None:
    """Warn if the first loss of a training is far above the loss of guessing.

    Parameters
    ----------
    estimator : estimator
    guessing : Guessing
    first : float or None
        Mean loss of the first samples, without the penalty.
    """
    if first is None or not len(guessing.targets):
        return
    large_y = guessing.targets_are_large
    if getattr(estimator, "rescale", None) == "auto" and not large_y:
        return  # X has a suitable scale
    guessed = guessing.mean_loss()
    usual = 0.0 if large_y else _loss_of_usual_outputs(guessing)
    if first <= FAR_ABOVE * max(guessed, usual):
        return
    what = "the mean of y" if guessing.is_regression else "the classes"
    advice = _advice_on_y if large_y else _advice_on_X
    warn_caller(
        f"Training started with a loss of {first:.3g}, far above {guessed:.3g}, the "
        f"loss of guessing {what} without looking at X. {advice(estimator, guessing)}"
    )


def _loss_of_usual_outputs(guessing: Guessing) -> float:
    """Return the mean loss of outputs as the weights of a new network give them."""
    # With signs that alternate, as equal scores of all classes would be a guess.
    outputs = np.full(guessing.targets.shape[1], _USUAL_OUTPUT)
    outputs[1::2] *= -1
    return float(np.mean([guessing.mean_loss_of(sign * outputs) for sign in (-1, 1)]))


def _advice_on_y(estimator: BaseEstimator, guessing: Guessing) -> str:
    """Return what to do about the scale of a large y."""
    y = guessing.targets
    # Deviances require a positive y, which ConvNetRegressor does not standardize.
    is_positive = guessing.loss.output == "exp"
    can_rescale = hasattr(estimator, "rescale") and not is_positive
    own = "set rescale='auto', or " if can_rescale else ""
    scaler = "MaxAbsScaler" if is_positive else "StandardScaler"
    how = (
        "with scikit-learn's TransformedTargetRegressor(regressor, "
        f"transformer={scaler}())"
    )
    if guessing.has_maps:  # which transformers do not take
        how = "as y / y.max()" if is_positive else "as (y - y.mean()) / y.std()"
    return (
        f"The values of y have a mean of {np.mean(y):.3g} and a standard deviation "
        f"of {np.std(y):.3g}: {own}scale y, for example {how}."
    )


def _advice_on_X(
    estimator: BaseEstimator,
    _guessing: Guessing,
) -> str:
    """Return what to do about the scale of X."""
    has_rescale = hasattr(estimator, "rescale")
    own = "set rescale='auto'" if has_rescale else "begin layers with Standardize()"
    return (
        "X probably has a scale that the initial weights are not made for: "
        f"{own}, or scale X, for example with StandardScaler."
    )
