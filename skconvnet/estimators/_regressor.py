"""Regressors: y as real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from sklearn.base import RegressorMixin, _fit_context, clone
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if

from skconvnet.estimators._base import stochastic_only, unchanged_on_error
from skconvnet.estimators._introspection import IntrospectiveEstimator
from skconvnet.losses import (
    REGRESSION_LOSSES,
    Loss,
    SquaredError,
)


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkRegressor(RegressorMixin, IntrospectiveEstimator):
    """A network whose outputs are real numbers."""

    loss: Any = "squared_error"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **IntrospectiveEstimator._parameter_constraints,
        "loss": [StrOptions(set(REGRESSION_LOSSES)), *REGRESSION_LOSSES.values()],
    }
    _input_checks: ClassVar[dict[str, Any]] = {
        "multi_output": True,
        "y_numeric": True,
    }
    _losses: ClassVar[dict[str, type[Loss]]] = REGRESSION_LOSSES

    def _encode_y(self, y: Any, *, reset: bool, incremental: bool) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        name = self.loss if isinstance(self.loss, str) else self.loss.name
        if name == "poisson" and np.any(y < 0):
            raise ValueError(
                f"loss={self.loss!r} needs y >= 0; got a smallest y of {np.min(y)}."
            )
        targets = y.reshape(len(y), -1)
        if not reset and targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"y has {targets.shape[1]} outputs, but {type(self).__name__} was "
                f"fitted on {self.n_outputs_}."
            )
        return targets

    def _make_loss(self) -> Loss:
        if isinstance(self.loss, str):
            return self._losses[self.loss]()
        if type(self.loss) is SquaredError:
            return self._losses["squared_error"]()
        loss = clone(self.loss)
        loss.check_params()
        return loss

    def _score_outputs(
        self, targets: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
    ) -> float:
        predictions = scores.T
        self._loss.predict(predictions)
        if not np.isfinite(predictions).all():
            return float("nan")
        return float(r2_score(targets, predictions.T, sample_weight=weights))

    @available_if(stochastic_only)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Any:
        """Update the network with a single pass over X and y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set that is scored after the pass.

        Returns
        -------
        self : object
            If partial_fit raises, it is left as it was.
        """
        with unchanged_on_error(self):
            validation = (X_val, y_val, sample_weight_val)
            return self._fit(X, y, sample_weight, validation, incremental=True)

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        """
        predictions = self._raw_scores(X).T
        self._loss.predict(predictions)
        return predictions[0] if self.n_outputs_ == 1 else predictions.T

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
