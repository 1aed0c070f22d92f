"""The samples that a model gets wrong, as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, check_is_fitted

from skconvnet._checks import check_positive_int
from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.inspection.displays.fitted import final_estimator, shaped
from skconvnet.inspection.displays.panels import check_matplotlib, open_panels
from skconvnet.inspection.displays.samples import (
    Array,
    draw_sample,
    has_names,
    is_drawn_as_image,
    limits_of,
    ratio_of,
)

# Labels of a sample that are written in a title, without dots in between.
_MAX_LABELS = 12


class MistakesDisplay:
    """The samples that a model is most wrong about.

    Of a classifier, these are the misclassified samples of which it is most sure; of a
    regressor, those with the largest errors. Images are drawn as images, series as
    lines, and rows as bars. Create it with `from_estimator`.

    Parameters
    ----------
    samples : list of array-like
        The samples, of shape (features,) or (*spatial, channels).
    true, predicted : array-like of shape (n_shown,) or (n_shown, n_outputs)
        Labels or numbers.
    confidence : array-like of shape (n_shown,), default=None
        How sure the model was of each prediction.
    errors : array-like of shape (n_shown,), default=None
        How wrong each prediction is.
    indices : array-like of shape (n_shown,), default=None
        Where each sample is in X.
    n_mistakes, n_samples : int, default=None
        How many mistakes there are in how many samples, for the title.
    is_probability : bool, default=True
        Whether `confidence` is a probability, rather than a score.
    feature_names : sequence of str, default=None
        Names of the features of rows.

    Attributes
    ----------
    samples, true, predicted, confidence, errors, indices, n_mistakes, n_samples
        As given, in the order of the panels. `confidence` is None of regressors, and
        `errors` of classifiers.
    axes_ : ndarray of shape (n_panels,), of Axes
        One panel with a remark if there are no mistakes.
    figure_ : Figure

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from skconvnet import ConvNetClassifier
    >>> from skconvnet.inspection import MistakesDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> clf = ConvNetClassifier(max_iter=2, random_state=0).fit(X_train, y_train)
    >>> display = MistakesDisplay.from_estimator(clf, X_test, y_test, n_max=3)
    >>> bool((display.true != display.predicted).all())
    True
    >>> plt.close(display.figure_)
    """

    axes_: Any
    figure_: Any

    def __init__(
        self,
        samples: Sequence[npt.ArrayLike],
        true: npt.ArrayLike,
        predicted: npt.ArrayLike,
        *,
        confidence: npt.ArrayLike | None = None,
        errors: npt.ArrayLike | None = None,
        indices: npt.ArrayLike | None = None,
        n_mistakes: int | None = None,
        n_samples: int | None = None,
        is_probability: bool = True,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.samples = [np.asarray(sample) for sample in samples]
        self.true, self.predicted = np.asarray(true), np.asarray(predicted)
        self.confidence = None if confidence is None else np.asarray(confidence)
        self.errors = None if errors is None else np.asarray(errors)
        self.indices = None if indices is None else np.asarray(indices)
        n = len(self.samples)
        for name in ("true", "predicted", "confidence", "errors", "indices"):
            values = getattr(self, name)
            if values is not None and len(values) != n:
                raise ValueError(
                    f"{name} must have one entry for each of the {n} samples; got "
                    f"{len(values)}."
                )
        self.n_mistakes = n if n_mistakes is None else n_mistakes
        self.n_samples = n_samples
        self.is_probability = is_probability
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,  # noqa: ANN401  estimators have no type
        X: Any,  # noqa: ANN401  array-like or table
        y: npt.ArrayLike,
        *,
        n_max: int = 12,
        shape: Shape | None = None,
        ax: object = None,
    ) -> Self:
        """Draw the samples that a fitted model is most wrong about.

        Parameters
        ----------
        estimator : estimator
            Any fitted classifier or regressor, pipeline or search, with one prediction
            per sample rather than one at each position.
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            Samples, preferably ones that it was not fitted to.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The true labels or values. With several labels per sample, a sample is
            misclassified if any of them is wrong, and the confidence is that of the
            wrong label of which the model is most sure. With several values, the error
            is the Euclidean distance.
        n_max : int, default=12
            The number of samples that are drawn at most.
        shape : tuple of int, default=None
            How rows are drawn: (height, width) or (*spatial, channels). By default,
            rows that the network reads as images are drawn as these.
        ax : Axes or array-like of Axes, default=None
            The axes to draw in, one for each sample. None makes a new figure.

        Returns
        -------
        display : MistakesDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If X is sparse.
        ValueError
            If the estimator predicts maps, X and y do not fit each other, or a
            parameter is wrong.
        """
        check_matplotlib(cls.__name__)
        check_positive_int("n_max", n_max)
        final_estimator(estimator)
        check_is_fitted(estimator)
        _refuse_maps(estimator)
        true = np.asarray(y)
        n_samples = _num_samples(X)
        if len(true) != n_samples:
            raise ValueError(
                f"X and y must have the same number of samples; got {n_samples} and "
                f"{len(true)}."
            )
        predicted = np.asarray(estimator.predict(X))
        if true.shape != predicted.shape:
            true = true.reshape(predicted.shape)
        is_class = is_classifier(estimator)
        is_probability = is_class and hasattr(estimator, "predict_proba")
        is_sure = is_probability or hasattr(estimator, "decision_function")
        if is_class:
            strengths = np.zeros(n_samples)
            if is_sure:
                strengths = _confidence(estimator, X, true, predicted)
            wrong = np.flatnonzero(_any_output(true != predicted))
        else:
            strengths = _any_output(true - predicted, norm=True)
            wrong = np.flatnonzero(strengths > 0)
        order = wrong[np.argsort(-strengths[wrong], kind="stable")][:n_max]
        names = getattr(X, "columns", None)
        return cls(
            [shaped(_safe_indexing(X, int(i)), estimator, shape) for i in order],
            true[order],
            predicted[order],
            confidence=strengths[order] if is_class and is_sure else None,
            errors=None if is_class else strengths[order],
            indices=order,
            n_mistakes=len(wrong),
            n_samples=n_samples,
            is_probability=is_probability,
            feature_names=None if names is None else list(names),
        ).plot(ax)

    def plot(self, ax: object = None) -> Self:
        """Draw the samples.

        Parameters
        ----------
        ax : Axes or array-like of Axes, default=None
            The axes to draw in, one for each sample. None makes a new figure.

        Returns
        -------
        self : MistakesDisplay
        """
        if not self.samples:
            return self._plot_nothing(ax)
        first = self.samples[0]
        panels = open_panels(
            self._titles(),
            ax,
            owner=type(self).__name__,
            ratio=ratio_of(first),
            is_image=is_drawn_as_image(first),
        )
        limits = limits_of(self.samples)
        for axes, sample in zip(panels.axes, self.samples, strict=True):
            draw_sample(axes, sample, limits, self.feature_names)
        if has_names(first, self.feature_names):
            panels.label_first_column_only()
        panels.set_suptitle(self._title())
        self.axes_, self.figure_ = panels.axes, panels.figure
        return self

    def _plot_nothing(self, ax: object) -> Self:
        panels = open_panels([""], ax, owner=type(self).__name__, ratio=0.4)
        n = "" if self.n_samples is None else f" in {self.n_samples} samples"
        (axes,) = panels.axes
        axes.text(
            0.5,
            0.5,
            f"no mistakes{n}",
            ha="center",
            va="center",
            transform=axes.transAxes,
        )
        self.axes_, self.figure_ = panels.axes, panels.figure
        return self

    def _titles(self) -> list[str]:
        titles = []
        labels = {str(v) for v in (*self.true.flat, *self.predicted.flat)}
        # Of 0 or 1 for each label, the places are what matters.
        between = "" if labels <= {"0", "1"} else ", "
        for i in range(len(self.samples)):
            true = _written(self.true[i], between)
            predicted = _written(self.predicted[i], between)
            if self.confidence is not None:
                sure = self.confidence[i]
                number = f"{sure:.2f}" if self.is_probability else f"score {sure:.3g}"
                predicted = f"{predicted} ({number})"
            titles.append(f"true: {true}\npredicted: {predicted}")
        return titles

    def _title(self) -> str:
        n = len(self.samples)
        if self.errors is not None:
            title = f"the {n} largest errors" if n > 1 else "the largest error"
        elif n < self.n_mistakes:
            title = f"{n} of {self.n_mistakes} mistakes"
        else:
            title = f"{n} mistake{'' if n == 1 else 's'}"
        return (
            title if self.n_samples is None else f"{title} in {self.n_samples} samples"
        )


def _refuse_maps(estimator: Any) -> None:  # noqa: ANN401  estimators have no type
    """Raise a ValueError if the predictions of an estimator are maps."""
    network = getattr(final_estimator(estimator), "network_", None)
    if isinstance(network, Network) and network.predicts_maps:
        raise ValueError(
            "MistakesDisplay needs one prediction per sample; this "
            f"{type(final_estimator(estimator)).__name__} predicts maps, with one at "
            "each position. Draw y and predict(X) side by side as images, or fit a "
            "network that ends with a pooling and a dense layer."
        )


def _any_output(values: Array, *, norm: bool = False) -> Array:
    """Reduce (n_samples, n_outputs) to (n_samples,)."""
    if norm:
        columns = values.reshape(len(values), -1).astype(float)
        return np.asarray(np.linalg.norm(columns, axis=1))
    return np.asarray(values.reshape(len(values), -1).any(axis=1))


def _confidence(estimator: Any, X: Any, true: Array, predicted: Array) -> Array:  # noqa: ANN401  what users pass
    """Return how sure a classifier is of what it predicts for each sample."""
    has_probabilities = hasattr(estimator, "predict_proba")
    method = "predict_proba" if has_probabilities else "decision_function"
    values = getattr(estimator, method)(X)
    if true.ndim == 2:
        if isinstance(values, list):  # of scikit-learn, the classes of each output
            sure = np.stack([own.max(axis=1) for own in values], axis=1)
        else:
            other = 1 - values if has_probabilities else -values
            sure = np.where(predicted == 1, values, other)
        wrong: Array = np.where(true != predicted, sure, -np.inf)
        return np.asarray(wrong.max(axis=1))
    if values.ndim == 1:  # two classes, the score of the second
        return np.asarray(np.abs(values))
    columns = np.searchsorted(estimator.classes_, predicted)
    return np.asarray(values[np.arange(len(values)), columns])


def _written(value: Any, between: str) -> str:  # noqa: ANN401  a label, a number or several of them
    """Return a label, or a number with three digits; several with text in between."""
    if np.ndim(value):
        if np.asarray(value).dtype.kind == "f":
            return ", ".join(f"{v:.3g}" for v in value)
        texts = [str(v) for v in value]
        return between.join(texts) if len(texts) <= _MAX_LABELS else str(value)
    is_float = isinstance(value, float | np.floating)
    return f"{value:.4g}" if is_float else str(value)
