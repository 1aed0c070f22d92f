"""The base class of regressors, whose targets are real numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import RegressorMixin, _fit_context

from skconvnet._typing import Rows, override
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._availability import available_if
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._factories import make_regression_loss
from skconvnet.estimators._guards import stochastic_only, unchanged_on_error
from skconvnet.estimators._interrupts import end_interrupted_fit
from skconvnet.estimators._position_weights import CheckedY
from skconvnet.estimators._scores import regressor_score
from skconvnet.estimators._target_checks import takes_targets
from skconvnet.estimators._targets import RealTargets
from skconvnet.estimators._trained_network import FitRun
from skconvnet.estimators._validation_set import ValidationData
from skconvnet.losses import REGRESSION_LOSSES, Loss
from skconvnet.params.constraints import ObjectOf, one_of


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkRegressor(RegressorMixin, NetworkEstimator[RealTargets]):
    """Base class of the regressors: a network whose outputs are real numbers."""

    loss: str | Loss = "squared_error"

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [
            *one_of(*REGRESSION_LOSSES),
            ObjectOf("skconvnet.losses", *REGRESSION_LOSSES.values()),
        ],
    }
    _input_checks: ClassVar[dict[str, Any]] = {
        "multi_output": True,
        "y_numeric": True,
    }
    _losses: ClassVar[dict[str, type[Loss]]] = REGRESSION_LOSSES

    score = explains_arguments(takes_targets(regressor_score))

    @override
    def _make_targets(self) -> RealTargets:
        return RealTargets(type(self).__name__)

    @override
    def _make_loss(self) -> Loss:
        return make_regression_loss(self.loss, self._losses)

    @override
    def _encode(self, y: CheckedY, *, exact: bool) -> Rows | MapTargets:
        name = self.loss if isinstance(self.loss, str) else self.loss.name
        if name == "poisson":
            maps = y.maps if isinstance(y, MapList) else [y]
            smallest = min(np.min(own) for own in maps)
            if smallest < 0:
                raise ValueError(
                    f"loss={self.loss!r} requires y >= 0; the smallest y is {smallest}."
                )
        return super()._encode(y, exact=exact)

    @available_if(stochastic_only)
    @explains_arguments
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Self:
        """Update the network with a single pass over X and y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The training samples.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values.
        sample_weight : array-like of shape (n_samples,), default=None
            The sample weights. None means that all samples have the same weight.
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set, which is scored after the pass.

        Returns
        -------
        self : object
            The updated estimator. If partial_fit raises an error, it is left unchanged.
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        with unchanged_on_error(self):
            run = FitRun(validation, incremental=True)
            interrupt = self._fit(X, y, sample_weight, run)
        end_interrupted_fit(interrupt)
        return self

    @explains_arguments
    def predict(self, X: npt.ArrayLike) -> Any:  # noqa: ANN401  an array or a list
        """Predict the target values.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predicted values, in the form of the y of `fit`: of shape (n_samples,
            *spatial) or (n_samples, *spatial, n_outputs) for targets of positions. A
            list of such maps if the samples differ in size.
        """
        scores = self._raw_scores(X)
        return self._targets.predictions(scores, self._loss)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
