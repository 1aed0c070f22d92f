"""The validation set: holding it out, and scoring the network on it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.metrics import check_scoring
from sklearn.metrics._scorer import _BaseScorer
from sklearn.model_selection import train_test_split
from sklearn.utils import _safe_indexing

from skconvnet._typing import Rows, Shape
from skconvnet.engine.executor import Executor
from skconvnet.engine.finite import all_finite
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.version_mean import VersionMean
from skconvnet.estimators._flat_predictions import FlatPredictions
from skconvnet.estimators._map_form import flat_weights, rows_of
from skconvnet.estimators._position_weights import CheckedY
from skconvnet.estimators._scoring_errors import explained_scoring
from skconvnet.estimators._targets import Targets
from skconvnet.losses import Loss


class ValidationData(NamedTuple):
    """A validation set as users pass it: X_val, y_val and sample_weight_val.

    Attributes
    ----------
    X, y, sample_weight : array-like or None
    """

    X: Any = None
    y: Any = None
    sample_weight: Any = None

    @property
    def is_given(self) -> bool:
        """Whether a validation set is given; raise an error if it is incomplete."""
        if self.X is None and self.y is None:
            return False
        if self.X is None or self.y is None:
            missing = "X_val" if self.X is None else "y_val"
            raise ValueError(f"{missing}=None: X_val and y_val must be given together.")
        return True


@contextmanager
def about_validation_data() -> Iterator[None]:
    """Say of errors that call their arrays X and y that they are X_val and y_val."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if "_val" in str(error):
            raise
        raise type(error)(f"X_val and y_val cannot be used: {error}") from error


def split_samples(
    samples: Samples, rng: np.random.RandomState, fraction: float, *, stratify: bool
) -> tuple[Samples, Samples]:
    """Set aside a fraction of the samples, by index, for validation."""
    targets = samples.targets
    training, validation = train_test_split(
        np.arange(len(samples)),
        random_state=rng,
        test_size=fraction,
        stratify=targets.astype(bool) if stratify else None,
    )
    if len(validation) < 2:
        raise ValueError(
            "The validation set is too small. Increase 'validation_fraction' or "
            "the size of your dataset."
        )
    weights = samples.weights
    if weights is not None and not (
        weights[training].any() and weights[validation].any()
    ):
        training, validation = _split_weighted(weights > 0, len(validation), rng)
    if samples.inputs.is_sharded:
        training.sort()
        validation.sort()
    held_out = replace(samples.at(validation), inputs=samples.inputs.in_stored_order())
    return samples.at(training), held_out


def _split_weighted(
    has_weight: npt.NDArray[np.bool_], n_validation: int, rng: np.random.RandomState
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Split so that both sets have their share of the samples that have a weight."""
    weighted, others = np.flatnonzero(has_weight), np.flatnonzero(~has_weight)
    if len(weighted) < 2:
        raise ValueError(
            f"early_stopping=True needs at least 2 samples with a weight above 0, one "
            f"for training and one for validation; got {len(weighted)}. Set "
            "early_stopping=False, or pass X_val and y_val."
        )
    share = n_validation / len(has_weight)
    n_weighted = min(max(round(share * len(weighted)), 1), len(weighted) - 1)
    n_others = min(max(n_validation - n_weighted, 0), len(others))
    weighted, others = rng.permutation(weighted), rng.permutation(others)
    training = np.concatenate([weighted[n_weighted:], others[n_others:]])
    return training, np.concatenate([weighted[:n_weighted], others[:n_others]])


class ValidationSet:
    """Scores the network after each epoch of training.

    Parameters
    ----------
    executor : Executor
        The executor that trains the network.
    samples : Samples
        The samples to score on.
    targets : Targets
    loss : Loss
    negative_loss : bool, default=False
        Whether the score is the negative loss, rather than accuracy or R^2.
    scorer : UserScorer, optional
        A scorer to use instead.
    means : mapping of shape to VersionMean, optional
        What averages the predictions, as for samples of the fitted estimator.
    """

    def __init__(
        self,
        executor: Executor,
        samples: Samples,
        targets: Targets,
        loss: Loss,
        *,
        negative_loss: bool = False,
        scorer: UserScorer | None = None,
        means: Mapping[Shape, VersionMean] | None = None,
    ) -> None:
        every = np.arange(len(samples)) if samples.index is None else samples.index
        self.executor = executor
        self.inputs = samples.inputs
        self.index = samples.index
        self.encoded, self.weights = samples.rows(every)
        # What a scorer takes, which may be one weight for all positions of a sample.
        self.given_weights = samples.weights_at(every)
        self.targets = targets
        self.loss = loss
        self.negative_loss = negative_loss
        self.scorer = scorer
        self.means = means

    def __call__(self) -> tuple[float, float]:
        """Return the score and the mean loss, without the penalty.

        If outputs are not finite, the score is NaN, which is never the best one.
        """
        maps = self.executor.maps(
            self.inputs, self.index, scores=True, means=self.means
        )
        scores = rows_of(maps)
        # Outputs may be infinite after an epoch; the training loop reports that.
        with np.errstate(over="ignore", invalid="ignore"):
            loss = self._mean_loss(scores)
        if not all_finite(scores):
            return float("nan"), loss
        if self.scorer is not None:
            return self.scorer(self.given_weights), loss
        if self.negative_loss:
            return -loss, loss
        score = self.targets.score(self.encoded, scores, self.weights, self.loss)
        return score, loss

    def _mean_loss(self, scores: Rows) -> float:
        predictions = scores.T.copy()
        self.executor.loss.predict(predictions)
        losses = self.executor.loss.samplewise(predictions, self.encoded.T)
        return float(np.average(losses, weights=self.weights))


class UserScorer:
    """A scorer as in scikit-learn, applied to the samples as the user passed them.

    Parameters
    ----------
    estimator : estimator
        An estimator whose network is built and still being trained.
    scoring : str or callable
    samples : Samples
        The samples to score on.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs), or maps
        The target values of all samples, as the user passed them.
    """

    def __init__(
        self,
        estimator: BaseEstimator,
        scoring: object,
        samples: Samples,
        y: CheckedY,
    ) -> None:
        self.scoring = scoring
        self.scorer = check_scoring(estimator, scoring=scoring)
        self.X = _safe_indexing(samples.inputs.X, samples.index)
        self.y = _safe_indexing(y, samples.index)
        # Validation has removed the column names of X, so scoring must not check them.
        self.estimator = copy.copy(estimator)
        vars(self.estimator).pop("feature_names_in_", None)
        # A warning about the unit of X_val is given once, not after each epoch.
        vars(self.estimator).pop("_usual_values", None)

    def __call__(self, weights: Any) -> float:  # noqa: ANN401  of samples or positions
        """Return the score, weighted if the scorer takes weights.

        A scorer of scikit-learn gets the targets and predictions of all positions as
        those of samples. A function of the user gets them as maps.
        """
        metadata, estimator, y = {}, self.estimator, self.y
        form = estimator._targets.form  # noqa: SLF001  of this package's base class
        if form is not None and isinstance(self.scorer, _BaseScorer):
            estimator, y = FlatPredictions(self.estimator), form.rows(self.y)
            weights = flat_weights(weights, self.y, form)
        if weights is not None and _takes_sample_weight(self.scorer):
            metadata["sample_weight"] = weights
        with explained_scoring(estimator, self.scoring, self.scorer, y):
            return float(self.scorer(estimator, self.X, y, **metadata))


def _takes_sample_weight(scorer: Any) -> bool:  # noqa: ANN401  any callable
    parameters = signature(scorer).parameters
    return "sample_weight" in parameters or any(
        parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()
    )
