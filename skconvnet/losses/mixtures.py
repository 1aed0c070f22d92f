"""Raw scores whose prediction is a mixture of two predictions.

The prediction is the output activation of the scores: their softmax, for example. All
losses are convex functions of the prediction, so that the loss of a mean of predictions
is at most the mean of their losses. Logarithms are added in place of probabilities,
since these may underflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import log_expit, logsumexp

from skconvnet._typing import FeatureMap

# The share of the second of two, for all outputs or at each position.
Share: TypeAlias = float | npt.NDArray[np.floating]
_Array: TypeAlias = npt.NDArray[np.floating]


def mix_identity(scores: FeatureMap, others: FeatureMap, share: _Array) -> None:
    """Mix predictions that are the scores themselves.

    Parameters
    ----------
    scores : ndarray of shape (n_outputs, ...)
        Overwritten with the scores of the mixture.
    others : ndarray, shaped like scores
        Only read.
    share : ndarray, in (0, 1)
        The share of the others, of the same dtype. Broadcast.
    """
    scores += share * (others - scores)


def mix_exp(scores: FeatureMap, others: FeatureMap, share: _Array) -> None:
    """Mix predictions that are the exponentials of scores."""
    np.logaddexp(scores + np.log1p(-share), others + np.log(share), out=scores)


def mix_logistic(scores: FeatureMap, others: FeatureMap, share: _Array) -> None:
    """Mix predictions that are the logistic functions of scores."""
    of_one, of_zero = log_expit(scores), log_expit(-scores)
    mix_exp(of_one, log_expit(others), share)
    mix_exp(of_zero, log_expit(-others), share)
    np.subtract(of_one, of_zero, out=scores)


def mix_softmax(scores: FeatureMap, others: FeatureMap, share: _Array) -> None:
    """Mix predictions that are the softmax of scores along the first axis.

    The scores of the mixture are the logarithms of its probabilities.
    """
    scores -= logsumexp(scores, axis=0, keepdims=True)
    mix_exp(scores, others - logsumexp(others, axis=0, keepdims=True), share)


MIXTURES: dict[str, Callable[[FeatureMap, FeatureMap, _Array], None]] = {
    "identity": mix_identity,
    "exp": mix_exp,
    "logistic": mix_logistic,
    "softmax": mix_softmax,
}
