"""Scores on samples that are not trained on."""

from __future__ import annotations

import copy
from inspect import signature
from typing import Any

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import _safe_indexing

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Samples


class Validation:
    """Scores an estimator in training, after each epoch.

    Parameters
    ----------
    estimator : BuiltEstimator
        Built, with a network that is still being trained.
    engine : Executor
        The one it is trained by.
    held_out : Samples
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The targets of all samples, as the user gave them.
    """

    def __init__(
        self, estimator: Any, engine: Executor, held_out: Samples, y: Any
    ) -> None:
        self.estimator = estimator
        self.engine = engine
        self.inputs = held_out.inputs
        self.index = held_out.index
        rows = slice(None) if self.index is None else self.index
        self.targets = held_out.targets[rows]
        self.weights = None if held_out.weights is None else held_out.weights[rows]
        self.scorer = None
        if estimator.scoring not in (None, "loss"):
            self.scorer = check_scoring(estimator, scoring=estimator.scoring)
            self.X = _safe_indexing(self.inputs.X, self.index)
            self.y = _safe_indexing(y, self.index)
            # X was validated: it has lost its column names, which is no mistake here.
            self.fitted = copy.copy(estimator)
            vars(self.fitted).pop("feature_names_in_", None)

    def __call__(self) -> tuple[float, float]:
        """Return the score and the mean loss, without the penalty."""
        scores = self.engine.outputs(self.inputs, self.index, scores=True)
        # An epoch may have led to infinite outputs; training tells of that.
        with np.errstate(over="ignore", invalid="ignore"):
            loss = self._loss(scores)
        if self.scorer is not None:
            return self._scorer_score(), loss
        if self.estimator.scoring == "loss":
            return -loss, loss
        return self.estimator._score_outputs(self.targets, scores, self.weights), loss

    def _loss(self, scores: np.ndarray) -> float:
        predictions = scores.T.copy()
        self.engine.loss.predict(predictions)
        losses = self.engine.loss.samplewise(predictions, self.targets.T)
        return float(np.average(losses, weights=self.weights))

    def _scorer_score(self) -> float:
        metadata = {}
        if self.weights is not None and _takes_sample_weight(self.scorer):
            metadata["sample_weight"] = self.weights
        assert self.scorer is not None
        return float(self.scorer(self.fitted, self.X, self.y, **metadata))


def _takes_sample_weight(scorer: Any) -> bool:
    parameters = signature(scorer).parameters
    return "sample_weight" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
