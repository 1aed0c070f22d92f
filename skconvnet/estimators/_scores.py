"""The scores of estimators: accuracy and R^2, of maps and several outputs too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils.validation import _check_sample_weight, check_consistent_length

from skconvnet.estimators._map_form import MapForm, flat_and_weights
from skconvnet.estimators._padded_steps import has_target


def classifier_score(
    self: Any,  # noqa: ANN401  a classifier
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: Any = None,  # noqa: ANN401  of samples or positions
) -> float:
    """Return the accuracy of the predictions for X.

    With several labels per sample, all of them have to be right. With labels of
    positions, it is the share of positions whose label is right.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
        The input samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The true labels, in the form of the y of `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        The weights of samples, or of positions.

    Returns
    -------
    score : float
        The accuracy.
    """
    targets = getattr(self, "_targets", None)
    if getattr(targets, "form", None) is not None:
        return _score_of_positions(self, X, y, sample_weight, accuracy_score)
    if getattr(targets, "groups", None) is not None:
        predicted, true = self.predict(X), np.asarray(y)
        check_consistent_length(predicted, true)
        if true.shape != predicted.shape:
            raise ValueError(
                f"y must have shape {predicted.shape}, one column per output; got an "
                f"array of shape {true.shape}."
            )
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, true)
        right = (true == predicted).all(axis=1)
        return float(np.average(right, weights=sample_weight))
    return float(ClassifierMixin.score(self, X, y, sample_weight))


def regressor_score(
    self: Any,  # noqa: ANN401  a regressor
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    sample_weight: Any = None,  # noqa: ANN401  of samples or positions
) -> float:
    """Return the coefficient of determination, R^2, of the predictions for X.

    It is ``1 - u / v``, where u is the sum of squared errors and v the sum of squared
    deviations of y from its mean; with several outputs, the mean over them. The best
    score is 1, and that of a constant prediction of the mean is 0. If y has targets for
    each position, every position of every sample counts as a sample.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
        The input samples.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The true values, in the form of the y of `fit`.
    sample_weight : array-like of shape (n_samples,), default=None
        The weights of samples, or of positions.

    Returns
    -------
    score : float
        R^2.
    """
    if getattr(getattr(self, "_targets", None), "form", None) is not None:
        return _score_of_positions(self, X, y, sample_weight, r2_score)
    return float(RegressorMixin.score(self, X, y, sample_weight))


def _score_of_positions(
    estimator: Any,  # noqa: ANN401  has no type
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    weights: object,
    metric: Callable[..., float],
) -> float:
    """Return the score of maps, of which every position counts as a sample."""
    form: MapForm = estimator._targets.form  # noqa: SLF001  of this package
    true, predicted, own = flat_and_weights(y, estimator.predict(X), weights, form)
    has_targets = has_target(estimator, X)
    if has_targets is not None:
        is_own = has_targets.reshape(-1)
        true, predicted = true[is_own], predicted[is_own]
        own = None if own is None else own[is_own]
    return float(metric(true, predicted, sample_weight=own))


classifier_score.__name__ = regressor_score.__name__ = "score"
classifier_score.__qualname__ = regressor_score.__qualname__ = "score"
