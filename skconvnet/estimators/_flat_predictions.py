"""Predictions of maps, position by position, for scorers of scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from skconvnet.engine.ragged import MapList


class FlatPredictions(BaseEstimator):
    """An estimator that predicts each position of each sample as a sample of its own.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator whose predictions are maps.
    """

    def __init__(self, estimator: Any) -> None:  # noqa: ANN401  estimators have no type
        self.estimator = estimator

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  as the estimator
        if name == "estimator" or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def predict(self, X: object) -> npt.NDArray[Any]:
        """Return the prediction of each position."""
        predicted = self.estimator.predict(X)
        own = MapList(predicted) if isinstance(predicted, list) else predicted
        rows: npt.NDArray[Any] = self.estimator._targets.form.rows(own)  # noqa: SLF001  of this package's base class
        return rows

    @property
    def predict_proba(self) -> Any:  # noqa: ANN401  a method, if the estimator has it
        """The method that returns the probabilities of each position."""
        return self._by_rows(self.estimator.predict_proba)

    @property
    def decision_function(self) -> Any:  # noqa: ANN401  a method, if the estimator has it
        """The method that returns the raw scores of each position."""
        return self._by_rows(self.estimator.decision_function)

    def _by_rows(self, method: Any) -> Any:  # noqa: ANN401  a method
        n_spatial = self.estimator._targets.form.n_spatial  # noqa: SLF001  of this package's base class

        def rows(X: object) -> npt.NDArray[Any]:
            maps = method(X)
            own = maps if isinstance(maps, list) else list(maps)
            return np.concatenate([m.reshape(-1, *m.shape[n_spatial:]) for m in own])

        rows.__name__ = method.__name__
        return rows

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        return self.estimator.__sklearn_tags__()

    def __sklearn_is_fitted__(self) -> bool:
        return True
