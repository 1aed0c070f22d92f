"""The base class of classifiers, whose targets are class labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from skconvnet._typing import Rows, override
from skconvnet.engine.map_targets import MapTargets
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._availability import available_if
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._class_weight import weights_of_y
from skconvnet.estimators._factories import make_classification_loss
from skconvnet.estimators._guards import stochastic_only, unchanged_on_error
from skconvnet.estimators._interrupts import end_interrupted_fit
from skconvnet.estimators._map_form import (
    by_position,
    labels_of_positions,
    rows_of,
)
from skconvnet.estimators._missing_targets import refuse_missing, refuse_missing_classes
from skconvnet.estimators._output_groups import OutputGroups, classes_of_outputs
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    multiplied,
)
from skconvnet.estimators._scores import classifier_score
from skconvnet.estimators._target_checks import takes_targets
from skconvnet.estimators._targets import ClassTargets
from skconvnet.estimators._tensors import check_tensors
from skconvnet.estimators._trained_network import FitRun
from skconvnet.estimators._validation_set import ValidationData
from skconvnet.estimators._weight_checks import check_first_classes
from skconvnet.losses import CLASSIFICATION_LOSSES, Loss
from skconvnet.losses.grouped import GroupedLoss
from skconvnet.params.constraints import ObjectOf, one_of


def gives_probabilities(estimator: NetworkClassifier) -> bool:
    """Return True if predict_proba is available, else raise an AttributeError."""
    loss: Any = getattr(estimator, "_loss", estimator.loss)
    if isinstance(loss, str):
        # An unknown name is reported by fit.
        loss = CLASSIFICATION_LOSSES.get(loss)
    if getattr(loss, "is_probabilistic", True):
        return True
    others = " or ".join(
        repr(name)
        for name, other in CLASSIFICATION_LOSSES.items()
        if other.is_probabilistic
    )
    raise AttributeError(
        f"The scores of loss={loss.name!r} are not probabilities. Use "
        f"decision_function, set loss to {others}, or wrap {type(estimator).__name__} "
        "in scikit-learn's CalibratedClassifierCV."
    )


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, NetworkEstimator[ClassTargets]):
    """Base class of the classifiers: a network whose outputs are scores of classes."""

    loss: str | Loss = "log_loss"
    class_weight: (
        dict[str, float]
        | dict[int, float]
        | list[dict[str, float] | dict[int, float]]
        | str
        | None
    ) = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "loss": [
            *one_of(*CLASSIFICATION_LOSSES),
            ObjectOf("skconvnet.losses", *CLASSIFICATION_LOSSES.values()),
        ],
        "class_weight": [dict, list, *one_of("balanced"), None],
    }
    _input_checks: ClassVar[dict[str, Any]] = {"multi_output": True}
    _allows_one_class: ClassVar[bool] = False

    score = explains_arguments(takes_targets(classifier_score))

    @override
    def _make_targets(self) -> ClassTargets:
        return ClassTargets(type(self).__name__, allow_one_class=self._allows_one_class)

    @override
    def _make_loss(self) -> Loss:
        exclusive = self._targets.is_exclusive
        loss = make_classification_loss(self.loss, exclusive=exclusive)
        groups = self._targets.groups
        return loss if groups is None else GroupedLoss(loss, groups.sizes)

    @override
    def _encode(self, y: CheckedY, *, exact: bool) -> Rows | MapTargets:
        targets = super()._encode(y, exact=exact)
        self.classes_ = self._targets.classes
        return targets

    @override
    def _class_weights(
        self,
        y: CheckedY,
        weights: PositionWeights | None,
        *,
        incremental: bool,
    ) -> PositionWeights | None:
        if self.class_weight is None:
            return weights
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which sees "
                "only a part of the samples. Pass a dict of weights made with "
                "compute_class_weight('balanced', classes=classes, y=y) instead."
            )
        own = weights_of_y(
            self.class_weight, y, self._targets.form, self.classes_, weights
        )
        if weights is not None:
            own = multiplied(weights, own)
        if not any(np.any(one) for one in own):
            times = "" if weights is None else " and sample_weight"
            raise ValueError(
                f"class_weight={self.class_weight!r}{times} must leave at least one "
                "sample with a weight above 0; all samples of y have a weight of 0."
            )
        return own

    def _has_several_outputs(self) -> bool:
        targets = getattr(self, "_targets", None)
        return targets is not None and targets.groups is not None

    def _targets_of_several(self, classes: list[Any] | None) -> ClassTargets | None:
        """Return targets with `classes` of several outputs; None if they are known."""
        if classes is None:
            return None
        groups = OutputGroups.given(classes)
        if not hasattr(self, "classes_"):
            targets = self._make_targets()
            targets.learn_groups(groups)
            return targets
        known = self.classes_ if self._has_several_outputs() else [self.classes_]
        pairs = zip(known, groups.classes, strict=False)
        is_same = len(known) == len(groups.classes)
        if not (is_same and all(np.array_equal(a, b) for a, b in pairs)):
            raise ValueError(
                f"`classes={classes!r}` is not the same as on last call to "
                f"partial_fit, was: {self.classes_!r}"
            )
        return None

    @available_if(stochastic_only)
    @explains_arguments
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        classes: npt.ArrayLike | None = None,
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
            The class labels.
        sample_weight : array-like of shape (n_samples,), default=None
            The sample weights. None means that all samples have the same weight.
        classes : array-like of shape (n_classes,), or list of them, default=None
            The classes across all calls to partial_fit. Required in the first call, and
            optional in subsequent calls. y need not contain all of them.
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set, which is scored after the pass.

        Returns
        -------
        self : object
            The updated estimator. If partial_fit raises an error, it is left unchanged.
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        with unchanged_on_error(self):
            targets = None
            check_tensors(y, "y")
            check_tensors(classes, "classes")
            of_outputs = classes_of_outputs(classes)
            own_y = labels_of_positions(y)
            refuse_missing(own_y)
            for own in [classes] if of_outputs is None else of_outputs:
                refuse_missing_classes(own)
            if classes is None and not hasattr(self, "classes_"):
                check_first_classes(sample_weight, len(np.asarray(own_y)))
            if of_outputs is not None or self._has_several_outputs():
                targets = self._targets_of_several(of_outputs)
            elif _check_partial_fit_first_call(self, classes):
                targets = self._make_targets()
                is_multilabel = type_of_target(own_y).startswith("multilabel")
                targets.learn(own_y if is_multilabel else classes, self.classes_)
            run = FitRun(validation, incremental=True)
            interrupt = self._fit(X, y, sample_weight, run, targets=targets)
        end_interrupted_fit(interrupt)
        return self

    @explains_arguments
    def decision_function(self, X: npt.ArrayLike) -> Any:  # noqa: ANN401  an array or a list
        """Return the raw scores of the output layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The raw scores. With two classes there is one score per sample, which is
            positive for ``classes_[1]``. Several columns of labels give a list of
            arrays (n_samples, n_classes), labels of positions (n_samples, *spatial,
            n_classes).
        """
        scores = self._raw_scores(X)
        if self._targets.groups is not None:
            return self._targets.groups.split(rows_of(scores))
        if self.n_outputs_ > 1:
            return scores
        return by_position(lambda rows: rows.ravel(), scores)

    @explains_arguments
    def predict(self, X: npt.ArrayLike) -> Any:  # noqa: ANN401  an array or a list
        """Predict the class of each sample, the one with the largest score.

        With two classes, ``classes_[1]`` is predicted if the score is positive. With
        ``loss="perceptron"`` it is also predicted for a score of 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The predicted classes, in the form of the y of `fit`.
        """
        scores = self._raw_scores(X)
        return self._targets.predictions(scores, self._loss)

    @available_if(gives_probabilities)
    @explains_arguments
    def predict_proba(self, X: npt.ArrayLike) -> Any:  # noqa: ANN401  an array or a list
        """Predict the probability of each class.

        Available for ``loss="log_loss"`` and ``loss="squared_error"``, both of which
        are minimized by the true probabilities. With "squared_error" and more than two
        classes, the logistic outputs are divided by their sum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`, as of `decision_function`.
        """
        probabilities = by_position(self._probabilities, self._raw_scores(X))
        groups = self._targets.groups
        return probabilities if groups is None else groups.split(probabilities)

    def _probabilities(self, scores: Rows) -> Rows:
        probabilities = scores.T
        self._loss.probabilities(probabilities)
        if self.n_outputs_ == 1:
            return np.vstack([1 - probabilities[0], probabilities[0]]).T
        return probabilities.T

    @available_if(gives_probabilities)
    @explains_arguments
    def predict_log_proba(self, X: npt.ArrayLike) -> Any:  # noqa: ANN401  an array or a list
        """Predict the logarithm of the probability of each class.

        Available for the same losses as `predict_proba`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The input samples.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            The logarithms, with the classes in the order of `classes_`.
        """
        probabilities = self.predict_proba(X)
        own = probabilities if isinstance(probabilities, list) else [probabilities]
        with np.errstate(divide="ignore"):
            for one in own:
                np.log(one, out=one)
        return probabilities

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401  scikit-learn has no types
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        return tags
