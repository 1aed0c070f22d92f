"""Classifiers: y as class labels."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context, clone
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d, compute_sample_weight
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    check_classification_targets,
    type_of_target,
    unique_labels,
)

from skconvnet.estimators._base import stochastic_only, unchanged_on_error
from skconvnet.estimators._introspection import IntrospectiveEstimator
from skconvnet.losses import (
    CLASSIFICATION_LOSSES,
    Loss,
)


def gives_probabilities(estimator: Any) -> bool:
    """Say that predict_proba is there, or raise an AttributeError that says why not."""
    loss = getattr(estimator, "_loss", estimator.loss)
    if isinstance(loss, str):
        # A name that is not known is fit's to complain of.
        loss = CLASSIFICATION_LOSSES.get(loss)
    if getattr(loss, "is_probabilistic", True):
        return True
    others = " or ".join(
        repr(name)
        for name, other in CLASSIFICATION_LOSSES.items()
        if other.is_probabilistic
    )
    raise AttributeError(
        f"The scores of loss={loss.name!r} are no probabilities. Use "
        f"decision_function, set loss to {others}, or put {type(estimator).__name__} "
        "into sklearn's CalibratedClassifierCV."
    )


def _check_class_weight(class_weight: dict[Any, Any]) -> None:
    for value in class_weight.values():
        if not isinstance(value, Real) or not 0 <= float(value) < np.inf:
            raise ValueError(
                "class_weight must hold finite numbers of at least 0, one for each "
                f"class; got {class_weight!r}."
            )


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkClassifier(ClassifierMixin, IntrospectiveEstimator):
    """A network whose outputs are scores of classes."""

    loss: Any = "log_loss"
    class_weight: Any = None

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **IntrospectiveEstimator._parameter_constraints,
        "loss": [
            StrOptions(set(CLASSIFICATION_LOSSES)),
            *CLASSIFICATION_LOSSES.values(),
        ],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }
    _input_checks: ClassVar[dict[str, Any]] = {"multi_output": True}
    _allows_one_class: ClassVar[bool] = False

    def _encode_y(self, y: Any, *, reset: bool, incremental: bool) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        if reset and not incremental:
            self._label_binarizer = LabelBinarizer().fit(y)
            self.classes_ = self._label_binarizer.classes_
            self._check_n_classes()
        else:
            self._check_known_labels(unique_labels(y), exact=not incremental)
        return self._label_binarizer.transform(y)

    def _check_n_classes(self) -> None:
        if len(self.classes_) < 2 and not self._allows_one_class:
            raise ValueError(
                f"y has only one class, {self.classes_.tolist()[0]!r}; a "
                f"{type(self).__name__} needs samples of at least 2 classes."
            )

    def _check_known_labels(self, labels: np.ndarray, exact: bool) -> None:
        if exact and set(labels) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes_}, `y` has "
                f"{labels}"
            )
        if len(np.setdiff1d(labels, self.classes_, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes_}. 'y' has {labels}."
            )

    def _make_loss(self) -> Loss:
        if isinstance(self.loss, str):
            loss = CLASSIFICATION_LOSSES[self.loss]()
        else:
            loss = clone(self.loss)
            loss.check_params()
        is_multiclass = self._label_binarizer.y_type_ == "multiclass"
        return loss.for_classes(exclusive=is_multiclass)

    def _adjust_weights(
        self, y: Any, weights: np.ndarray | None, incremental: bool
    ) -> np.ndarray | None:
        if self.class_weight is None:
            return weights
        if incremental and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit, which sees "
                "only a part of the samples. Pass a dict of weights made with "
                "compute_class_weight('balanced', classes=classes, y=y) instead."
            )
        if isinstance(self.class_weight, dict):
            _check_class_weight(self.class_weight)
        class_weights = compute_sample_weight(self.class_weight, y)
        return class_weights if weights is None else weights * class_weights

    def _score_outputs(
        self, targets: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
    ) -> float:
        if self._label_binarizer.y_type_ == "multiclass":
            true, predicted = targets.argmax(axis=1), scores.argmax(axis=1)
        else:
            true, predicted = targets.astype(bool), self._loss.is_positive(scores)
        return float(accuracy_score(true, predicted, sample_weight=weights))

    @property
    def _stratifies(self) -> bool:
        return self.n_outputs_ == 1

    @available_if(stochastic_only)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
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
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come; needed in the first call only. y need
            not have them all.
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set that is scored after the pass.

        Returns
        -------
        self : object
            If partial_fit raises, it is left as it was.
        """
        with unchanged_on_error(self):
            if _check_partial_fit_first_call(self, classes):
                is_multilabel = type_of_target(y).startswith("multilabel")
                self._label_binarizer = LabelBinarizer()
                self._label_binarizer.fit(y if is_multilabel else classes)
                self._check_n_classes()
            validation = (X_val, y_val, sample_weight_val)
            return self._fit(X, y, sample_weight, validation, incremental=True)

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the raw scores of the output layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One score a sample for two classes, positive for ``classes_[1]``.
        """
        scores = self._raw_scores(X)
        return scores.ravel() if self.n_outputs_ == 1 else scores

    def predict(self, X: Any) -> np.ndarray:
        """Return the class of each sample, the one with the largest score.

        With two classes it is ``classes_[1]`` where the score is positive; and for
        ``loss="perceptron"``, whose threshold includes it, where it is 0.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Two-dimensional where y was multilabel.
        """
        scores = self._raw_scores(X)
        if self._label_binarizer.y_type_ == "multiclass":
            return self.classes_[scores.argmax(axis=1)]
        positive = self._loss.is_positive(scores).astype(scores.dtype)
        positive = positive.ravel() if self.n_outputs_ == 1 else positive
        return self._label_binarizer.inverse_transform(positive, threshold=0.5)

    @available_if(gives_probabilities)
    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class.

        It is there for ``loss="log_loss"`` and "squared_error", both of which are
        least for true probabilities. With "squared_error" and more than two classes,
        the logistic outputs are divided by their sum.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Columns in the order of `classes_`.
        """
        probabilities = self._raw_scores(X).T
        self._loss.probabilities(probabilities)
        if self.n_outputs_ == 1:
            return np.vstack([1 - probabilities[0], probabilities[0]]).T
        return probabilities.T

    @available_if(gives_probabilities)
    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Return the logarithm of `predict_proba`, which is there for the same losses.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
        """
        probabilities = self.predict_proba(X)
        with np.errstate(divide="ignore"):
            return np.log(probabilities, out=probabilities)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
