"""Encoding of y as the targets of a network, and decoding of its scores."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, r2_score
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import type_of_target, unique_labels

from skconvnet._typing import Rows, override
from skconvnet.engine.map_targets import MapTargets
from skconvnet.estimators._map_form import MapForm, Scores, by_position
from skconvnet.estimators._output_groups import OutputGroups, has_several_outputs
from skconvnet.estimators._position_weights import CheckedY
from skconvnet.estimators._target_checks import check_labels, warn_of_one_hot
from skconvnet.losses import Loss


class Targets(ABC):
    """Encodes y as targets, and decodes raw scores of the output layer to predictions.

    Parameters
    ----------
    owner : str
        Name of the estimator's class, for error messages.
    """

    # How y is laid out if it has targets for positions, else None.
    form: MapForm | None = None

    def __init__(self, owner: str) -> None:
        self.owner = owner

    @abstractmethod
    def encode(self, y: npt.NDArray[Any], *, exact: bool) -> Rows:
        """Return the targets, of shape (n_samples, n_outputs).

        Parameters
        ----------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The first call learns the classes, or the number of outputs.
        exact : bool
            Whether y must contain all known classes. Otherwise it may contain only some
            of them.
        """

    @abstractmethod
    def encode_maps(self, y: CheckedY, *, exact: bool) -> MapTargets:
        """Return the targets of a y that has the `form`; otherwise as `encode`."""

    @abstractmethod
    def decode(self, scores: Rows, loss: Loss) -> npt.NDArray[Any]:
        """Return the predictions for raw `scores`, in the form of y."""

    def predictions(self, scores: Scores, loss: Loss) -> Any:  # noqa: ANN401  an array or list
        """Return the predictions for raw `scores`, in the form of y."""
        own = by_position(lambda rows: self.decode(rows, loss), scores)
        return own if self.form is None else self.form.restored(own)

    @abstractmethod
    def score(
        self, targets: Rows, scores: Rows, weights: npt.NDArray[Any] | None, loss: Loss
    ) -> float:
        """Return the accuracy, or R^2, of raw `scores`."""

    def learn_scale(  # noqa: B027  optional
        self, targets: Rows, weights: npt.NDArray[Any] | None
    ) -> None:
        """Learn from encoded targets how to scale them, unless they stay as they are.

        Parameters
        ----------
        targets : ndarray of shape (n_samples, n_outputs)
        weights : ndarray of shape (n_samples,) or None
        """

    def scaled(self, targets: Rows) -> Rows:
        """Return encoded targets as the network is to predict them."""
        return targets

    def unscaled(self, predictions: Rows) -> Rows:
        """Return predictions of the network in the units of the encoded targets."""
        return predictions

    @property
    def can_stratify(self) -> bool:
        """Whether a validation set can have the same share of each class."""
        return False


class ClassTargets(Targets):
    """Classes as one-hot rows, or as one column for two classes or for each label.

    Parameters
    ----------
    owner : str
    allow_one_class : bool
        Whether y may consist of a single class.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        With several outputs, a list of such arrays.
    is_exclusive : bool
        Whether each sample has exactly one of three or more classes.
    groups : OutputGroups or None
        The outputs, if y has several columns of labels.
    """

    groups: OutputGroups | None = None
    classes: Any

    def __init__(self, owner: str, *, allow_one_class: bool) -> None:
        super().__init__(owner)
        self.allow_one_class = allow_one_class
        self.binarizer: LabelBinarizer | None = None

    def learn(self, y: object, classes: npt.NDArray[Any] | None = None) -> None:
        """Learn the kind of a y with one output, and its classes unless given."""
        self.binarizer = LabelBinarizer().fit(y)
        self.classes = self.binarizer.classes_ if classes is None else classes
        self.is_exclusive = self.binarizer.y_type_ == "multiclass"
        if len(self.classes) < 2 and not self.allow_one_class:
            raise ValueError(
                f"y has only one class, {self.classes.tolist()[0]!r}; a "
                f"{self.owner} needs samples of at least 2 classes."
            )

    def learn_groups(self, groups: OutputGroups) -> None:
        """Learn the classes of several outputs."""
        self.groups = groups
        self.classes = groups.classes
        self.is_exclusive = True

    @override
    def encode(self, y: npt.NDArray[Any], *, exact: bool) -> Rows:
        y = _without_single_column(y)
        check_labels(y, self.owner)
        if self.binarizer is None and self.groups is None and has_several_outputs(y):
            self.learn_groups(OutputGroups.of(y))
        if self.groups is not None:
            self.groups.check(y, exact=exact)
            return self.groups.encode(y)
        self._learn_or_check(y, exact)
        assert self.binarizer is not None
        targets: Rows = self.binarizer.transform(y)
        return targets

    @override
    def encode_maps(self, y: CheckedY, *, exact: bool) -> MapTargets:
        form = self.form
        assert form is not None
        rows = form.rows(y)
        if rows.ndim == 2:
            kind = type_of_target(rows)
            if kind != "multilabel-indicator":
                raise ValueError(
                    f"y has {rows.shape[1]} values per position. Pass one label per "
                    "position, or 0 and 1 for each of several labels; got values of "
                    f"kind {kind!r}."
                )
            self._learn_or_check(rows, exact)
            return form.numbers(y)
        try:
            labels, indices = np.unique(rows, return_inverse=True)
        except TypeError:  # labels of several types, for which there is an error
            check_labels(rows, self.owner)
            raise
        # As many labels as classes would be taken for numbers, with a warning.
        some = np.repeat(labels, 2)
        check_labels(some, self.owner)
        self._learn_or_check(some, exact)
        numbers = np.searchsorted(self.classes, labels.astype(self.classes.dtype))
        numbers = numbers.astype(np.min_scalar_type(len(self.classes)))
        return form.classes(numbers[indices.reshape(-1)], y, len(self.classes))

    def _learn_or_check(self, y: npt.NDArray[Any], exact: bool) -> None:
        """Learn from the first labels, or check that these are known."""
        if self.binarizer is None:
            self.learn(y)
            if self.form is None:
                warn_of_one_hot(y, self.owner)
        else:
            self._check_known(unique_labels(y), exact)

    def _check_known(self, labels: npt.NDArray[Any], exact: bool) -> None:
        if exact and set(labels) != set(self.classes):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the "
                f"previous call to fit. Previously got {self.classes}, `y` has "
                f"{labels}"
            )
        if len(np.setdiff1d(labels, self.classes, assume_unique=True)):
            raise ValueError(
                "`y` has classes not in `self.classes_`. `self.classes_` has "
                f"{self.classes}. 'y' has {labels}."
            )

    @override
    def decode(self, scores: Rows, loss: Loss) -> npt.NDArray[Any]:
        if self.groups is not None:
            return self.groups.decode(scores)
        if self.is_exclusive:
            chosen: npt.NDArray[Any] = self.classes[scores.argmax(axis=1)]
            return chosen
        positive = loss.is_positive(scores).astype(scores.dtype)
        positive = positive.ravel() if scores.shape[1] == 1 else positive
        assert self.binarizer is not None
        labels: npt.NDArray[Any] = self.binarizer.inverse_transform(
            positive, threshold=0.5
        )
        return labels

    @override
    def score(
        self, targets: Rows, scores: Rows, weights: npt.NDArray[Any] | None, loss: Loss
    ) -> float:
        true: npt.NDArray[Any]
        predicted: npt.NDArray[Any]
        if self.groups is not None:
            true, predicted = self.groups.chosen(targets), self.groups.chosen(scores)
            is_right = (true == predicted).all(axis=1)
            return float(np.average(is_right, weights=weights))
        if self.is_exclusive:
            true, predicted = targets.argmax(axis=1), scores.argmax(axis=1)
        else:
            true, predicted = targets.astype(bool), loss.is_positive(scores)
        return float(accuracy_score(true, predicted, sample_weight=weights))

    @property
    @override
    def can_stratify(self) -> bool:
        # Like scikit-learn's perceptrons, which stratify only a single output.
        if self.form is not None or self.groups is not None:
            return False
        assert self.binarizer is not None
        return bool(self.binarizer.y_type_ == "binary")


class RealTargets(Targets):
    """Real numbers, one column per output."""

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.n_outputs = 0

    @override
    def encode(self, y: npt.NDArray[Any], *, exact: bool) -> Rows:
        y = _without_single_column(y)
        targets: Rows = y.reshape(len(y), -1)
        n_outputs = targets.shape[1]
        self.n_outputs = self.n_outputs or n_outputs
        if n_outputs != self.n_outputs:
            raise ValueError(
                f"y has {n_outputs} outputs, but {self.owner} was fitted on "
                f"{self.n_outputs}."
            )
        return targets

    @override
    def encode_maps(self, y: CheckedY, *, exact: bool) -> MapTargets:
        assert self.form is not None
        targets = self.form.numbers(y)
        self.n_outputs = targets.n_outputs
        return targets

    @override
    def decode(self, scores: Rows, loss: Loss) -> npt.NDArray[Any]:
        predictions = scores.T
        loss.predict(predictions)
        rows = self.unscaled(predictions.T)
        return rows[:, 0] if rows.shape[1] == 1 else rows

    @override
    def score(
        self, targets: Rows, scores: Rows, weights: npt.NDArray[Any] | None, loss: Loss
    ) -> float:
        predictions = scores.T
        loss.predict(predictions)
        if not np.isfinite(predictions).all():
            return float("nan")
        return float(r2_score(targets, predictions.T, sample_weight=weights))


class StandardizedTargets(RealTargets):
    """Real numbers, which the network predicts with a mean of 0 and a deviation of 1.

    Attributes
    ----------
    mean, deviation : ndarray of shape (n_outputs,)
        Weighted mean and standard deviation of each output over the training set. A
        constant output has a deviation of 1.
    """

    mean: npt.NDArray[np.float64]
    deviation: npt.NDArray[np.float64]

    @override
    def learn_scale(self, targets: Rows, weights: npt.NDArray[Any] | None) -> None:
        # Divided by their largest value, even squares of 1e200 do not overflow.
        targets = targets.astype(np.float64)  # the absolute value of int8 may overflow
        largest = np.abs(targets).max(axis=0)
        unit = np.where(largest > 0, largest, 1.0)
        parts = targets / unit
        if weights is not None and not weights.any():
            weights = None
        mean = np.average(parts, axis=0, weights=weights)
        variance = np.average((parts - mean) ** 2, axis=0, weights=weights)
        # Rounding may give a constant a tiny variance.
        constant = variance <= (8 * np.finfo(np.float64).eps) ** 2
        self.mean = mean * unit
        self.deviation = np.where(constant, 1.0, np.sqrt(variance) * unit)

    @override
    def scaled(self, targets: Rows) -> Rows:
        rows: Rows = (targets - self.mean) / self.deviation
        return rows

    @override
    def unscaled(self, predictions: Rows) -> Rows:
        rows: Rows = predictions * self.deviation + self.mean
        return rows


def _without_single_column(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return a single column as a vector, with scikit-learn's warning."""
    if y.ndim == 2 and y.shape[1] == 1:
        vector: npt.NDArray[Any] = column_or_1d(y, warn=True)
        return vector
    return y
