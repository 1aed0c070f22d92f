"""Checks of y before scikit-learn's own, with errors that name y and suggest a fix."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import is_regressor
from sklearn.utils.multiclass import check_classification_targets

from skconvnet._suggestions import shown_value
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._map_form import as_maps, some_shapes
from skconvnet.estimators._missing_targets import refuse_missing
from skconvnet.estimators._tensors import check_tensors

_Method = TypeVar("_Method", bound=Callable[..., Any])

_TWINS = {"Classifier": "Regressor", "Regressor": "Classifier"}


def check_y(estimator: object, X: object, y: Any, suffix: str = "") -> None:  # noqa: ANN401  by users
    """Raise a ValueError if y cannot be the targets of the samples in X.

    Whatever is right, or unknown here, is left to scikit-learn. `suffix` is "_val" for
    a validation set, whose arrays are named X_val and y_val.
    """
    if y is None or hasattr(y, "tocsr"):
        return
    name = f"y{suffix}"
    check_tensors(y, name)
    takes_maps = getattr(estimator, "_takes_map_targets", False)
    values = as_maps(y, name)
    if isinstance(values, MapList):
        if not takes_maps:
            raise ValueError(_different_shapes(estimator, values, name))
        _check_maps(estimator, X, values, suffix)
        return
    if not takes_maps:
        _check_axes(values, name)
    _check_lengths(X, values, suffix)
    if isinstance(y, (list, tuple)) and values.dtype.kind != "U":
        y = values  # need not be converted again
    refuse_missing(y, suffix, _instead_of_dropping(estimator))
    if is_regressor(estimator):
        _check_numbers(values, name, type(estimator).__name__)


def _check_maps(estimator: object, X: object, y: MapList, suffix: str) -> None:
    """Check a y of maps of different sizes."""
    name, owner = f"y{suffix}", type(estimator).__name__
    _check_lengths(X, np.empty(len(y)), suffix)
    for i, own in enumerate(y.maps):
        refuse_missing(own, f"{suffix}[{i}]", _instead_of_dropping(estimator))
        if is_regressor(estimator):
            _check_numbers(own, f"{name}[{i}]", owner)


def takes_targets(score: _Method) -> _Method:
    """Let a method of X and y refuse missing values of y, and tensors."""

    @wraps(score)
    def checked(
        self: object, X: object, y: object, sample_weight: object = None
    ) -> Any:  # noqa: ANN401  as the method
        check_tensors(y, "y")
        check_tensors(sample_weight, "sample_weight")
        refuse_missing(y, instead=_instead_of_dropping(self))
        return score(self, X, y, sample_weight)

    return cast(_Method, checked)


def _instead_of_dropping(estimator: object) -> str:
    return "fill them in" if is_regressor(estimator) else "label them"


def _check_axes(y: npt.NDArray[Any], name: str) -> None:
    if y.ndim <= 2:
        return
    raise ValueError(
        f"{name} has shape {y.shape}, but must have shape (n_samples,) or (n_samples, "
        f"n_outputs). For a target image per sample, pass {name}.reshape(len({name}), "
        "-1), and reshape the predictions back."
    )


def _different_shapes(estimator: object, y: MapList, name: str) -> str:
    """Return an error for targets that only networks with maps as outputs have."""
    other = "SequentialRegressor" if is_regressor(estimator) else "SequentialClassifier"
    labels = ""
    if not is_regressor(estimator) and y.maps[0].ndim == 1:
        labels = (
            f", and for lists of labels, MultiLabelBinarizer().fit_transform({name})"
        )
    return (
        f"{name} must have the same number of values for each sample, but its elements "
        f"have shapes {some_shapes(y.maps)}. For targets of steps or pixels, use "
        f"{other}{labels}."
    )


def _check_lengths(X: Any, y: npt.NDArray[Any], suffix: str) -> None:  # noqa: ANN401  what users pass
    shape = getattr(X, "shape", None)
    is_flat = len(shape) < 2 if shape is not None else not _holds_rows(X)
    if is_flat or y.ndim == 0:  # scikit-learn suggests another shape
        return
    n_samples = shape[0] if shape is not None else len(X)
    if n_samples == len(y):
        return
    hint = ""
    if len(y) == 1 and shape is not None:
        hint = f" If X{suffix} is a single sample, pass X{suffix}[None]."
    raise ValueError(
        "Found input variables with inconsistent numbers of samples: "
        f"{[n_samples, len(y)]}: X{suffix} has {n_samples} samples and y{suffix} has "
        f"{len(y)}.{hint}"
    )


def _holds_rows(X: Any) -> bool:  # noqa: ANN401  what users pass
    if not isinstance(X, (list, tuple)) or len(X) == 0:
        return False
    try:
        return np.ndim(X[0]) > 0
    except ValueError:  # a list of parts of different lengths
        return True


def _check_numbers(y: npt.NDArray[Any], name: str, owner: str) -> None:
    if y.dtype.kind not in "OUS":
        return
    words = [value for value in y.flat if not _is_number(value)]
    # scikit-learn converts objects, but not arrays of text.
    if not words and y.dtype.kind == "O":
        return
    example = shown_value(_plain(words[0] if words else y.flat[0]))
    fix = f"For labels, use {twin(owner)}." if words else f"Pass {name}.astype(float)."
    raise ValueError(
        f"{name} must consist of numbers for {owner}, but contains {example}. {fix}"
    )


def _is_number(value: Any) -> bool:  # noqa: ANN401  an element of y
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _plain(value: Any) -> object:  # noqa: ANN401  an element of y
    return value.item() if isinstance(value, np.generic) else value


def twin(owner: str) -> str:
    """Return the name of the regressor for a classifier, and the other way round.

    >>> twin("ConvNetClassifier")
    'ConvNetRegressor'
    """
    for kind, other in _TWINS.items():
        if owner.endswith(kind):
            return owner.removesuffix(kind) + other
    return "a regressor or classifier"


def check_labels(y: npt.NDArray[Any], owner: str) -> None:
    """Raise scikit-learn's ValueError if y does not consist of labels, with a fix.

    Raises
    ------
    TypeError
        In place of that of NumPy, if labels are of types that cannot be sorted, such as
        the columns of a DataFrame of which some are text.
    """
    try:
        check_classification_targets(y)
    except TypeError:
        kinds = sorted({type(_plain(value)).__name__ for value in y.flat})
        if len(kinds) < 2:
            raise
        where = "columns" if y.ndim == 2 else "labels"
        raise TypeError(
            f"y has {where} of different types, {' and '.join(kinds)}, but all labels "
            "must be of one type. Pass them as strings, y.astype(str)."
        ) from None
    except ValueError as error:
        if y.ndim == 2:
            hint = (
                f"y has shape {y.shape}. Pass one label per sample, such as "
                "y.argmax(axis=1) for scores or probabilities of classes; a matrix of "
                "0 and 1 for several labels per sample; or a matrix of labels for "
                "several outputs."
            )
        elif y.dtype.kind == "O":  # such as ints, of which missing ones were dropped
            hint = (
                "y has dtype object. Pass labels of one type, such as y.astype(int) or "
                "y.astype(str)."
            )
        else:
            hint = f"To predict numbers, use {twin(owner)}."
        raise ValueError(f"{str(error).rstrip('.')}. {hint}") from None


def warn_of_one_hot(y: npt.NDArray[Any], owner: str) -> None:
    """Warn if a y of several labels per sample has exactly one label in each row."""
    if y.ndim != 2 or y.shape[1] < 2 or owner.startswith("MLP"):
        return
    if (np.count_nonzero(y, axis=1) == 1).all():
        warn_caller(
            f"y of shape {y.shape} has exactly one 1 in each row. As in scikit-learn, "
            "it is read as several labels per sample, each predicted independently of "
            "the others. If each sample belongs to one class (one-hot encoding), pass "
            "y.argmax(axis=1).",
        )
