"""Errors of scikit-learn's scorers during training, explained in terms of `scoring`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_regressor
from sklearn.metrics import get_scorer_names
from sklearn.utils.multiclass import type_of_target

# What the names of scores end with that take several classes.
_FOR_CLASSES = ("_macro", "_weighted", "_ovr")
# Parts of scikit-learn's errors about labels that are no numbers.
_NO_NUMBERS = ("could not convert", "dtype='numeric'")


@contextmanager
def explained_scoring(
    estimator: Any,  # noqa: ANN401  estimators have no type
    scoring: object,
    scorer: Callable[..., float],
    y: npt.NDArray[Any],
) -> Iterator[None]:
    """Name `scoring` in an error of the scorer in the block, and suggest another.

    Parameters
    ----------
    estimator : estimator
    scoring : str or callable
        What the user passed.
    scorer : callable
        What scikit-learn made of it.
    y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The target values of the validation set.

    Raises
    ------
    ValueError
        In place of a ValueError, or of the AttributeError for a method that the
        estimator does not have.
    """
    try:
        yield
    except (ValueError, AttributeError) as error:
        if isinstance(error, AttributeError) and not isinstance(scoring, str):
            raise  # of a function of the user
        if _has_label_columns(estimator) and _is_of_scikit_learn(scorer):
            raise ValueError(
                f"scoring={scoring!r} does not suit the validation set: metrics of "
                "scikit-learn do not take several columns of labels. Leave scoring "
                "out, so that a sample counts as right if all its labels are, or pass "
                "a function scoring(estimator, X, y)."
            ) from error
        message = str(error).rstrip(".")
        raise ValueError(
            f"scoring={scoring!r} does not suit the validation set: {message}."
            f"{_suggestion(estimator, scoring, scorer, y, message)}"
        ) from error


def _has_label_columns(estimator: Any) -> bool:  # noqa: ANN401  estimators have no type
    """Whether a classifier predicts several columns of labels."""
    return getattr(estimator._targets, "groups", None) is not None  # noqa: SLF001  of this package's base class


def _is_of_scikit_learn(scorer: object) -> bool:
    """Whether a scorer calls a metric of scikit-learn, rather than one of the user."""
    metric = getattr(scorer, "_score_func", None)
    return str(getattr(metric, "__module__", "")).startswith("sklearn.")


def _suggestion(
    estimator: Any,  # noqa: ANN401  estimators have no type
    scoring: object,
    scorer: Callable[..., float],
    y: npt.NDArray[Any],
    message: str,
) -> str:
    """Return what to set instead, after a space, or an empty string."""
    if is_regressor(estimator):
        if not isinstance(scoring, str):
            return ""
        return " For numbers, set scoring='r2' or 'neg_mean_absolute_error'."
    if any(part in message for part in _NO_NUMBERS):
        return " For classes, set scoring='f1_macro' or 'balanced_accuracy'."
    ways = _names_for_classes(scoring)
    if type_of_target(y) == "binary" and "pos_label" in message:
        # The positive class is the second one, as everywhere in scikit-learn.
        label = np.asarray(estimator.classes_[1]).item()
        ways.append(_scorer_with(scorer, f"pos_label={label!r}"))
    elif "average" in message and not ways:
        ways.append(_scorer_with(scorer, "average='macro'"))
    ways = [way for way in ways if way]
    return f" Set scoring={' or '.join(ways)}." if ways else ""


def _names_for_classes(scoring: object) -> list[str]:
    """Return the names of the same score for several classes.

    >>> _names_for_classes("f1"), _names_for_classes("roc_auc")
    (["'f1_macro'", "'f1_weighted'"], ["'roc_auc_ovr'"])
    """
    if not isinstance(scoring, str):
        return []
    base, names = scoring.removesuffix("_samples"), get_scorer_names()
    found = [f"{base}{suffix}" for suffix in _FOR_CLASSES]
    return [repr(name) for name in found if name in names]


def _scorer_with(scorer: object, argument: str) -> str:
    """Return code for a scorer of scikit-learn with one more argument, or nothing.

    >>> from sklearn.metrics import get_scorer
    >>> _scorer_with(get_scorer("f1"), "pos_label='yes'")
    "make_scorer(f1_score, pos_label='yes')"
    """
    code = repr(scorer)
    if not code.startswith("make_scorer(") or "<" in code:
        return ""
    for default in (", response_method='predict'", ", average=binary"):
        code = code.replace(default, "")
    return f"{code[:-1]}, {argument})"
