"""The weight of each sample by its class, with errors that name wrong classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import compute_sample_weight

from skconvnet._checks import as_python, is_real, shown
from skconvnet._suggestions import closest
from skconvnet.engine.map_targets import flat_positions
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._map_form import MapForm
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_of_positions,
    shaped_like,
)

_LARGEST = float(np.finfo(np.float64).max)


def weights_of_y(
    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str,
    y: CheckedY,
    form: MapForm | None,
    classes: Any,  # noqa: ANN401  an array, or a list of arrays
    weights: PositionWeights | None = None,
) -> PositionWeights:
    """Return `weights_by_class` of each sample, or of each position.

    Positions without weight do not count for "balanced".

    Parameters
    ----------
    class_weight : dict or "balanced", or list of dict
    y : ndarray or MapList
    form : MapForm or None
        How y is laid out if it has labels of positions.
    classes : ndarray of shape (n_classes,), or list of such arrays
    weights : ndarray, MapList or None
        Of samples, or of positions.
    """
    if form is None:
        assert not isinstance(y, MapList)
        return weights_by_class(class_weight, y, classes)
    rows = form.rows(y)
    if weights is None or not are_of_positions(weights):
        own = weights_by_class(class_weight, rows, classes)
    else:
        own = np.zeros(len(rows))
        counts = flat_positions(weights, 0) > 0
        own[counts] = weights_by_class(class_weight, rows[counts], classes)
    if form.n_channels is None:
        return shaped_like(own, y)
    if isinstance(y, MapList):
        return shaped_like(own, MapList([one[..., 0] for one in y.maps]))
    return shaped_like(own, y[..., 0])


def weights_by_class(
    class_weight: Mapping[Any, float] | Sequence[Mapping[Any, float]] | str,
    y: npt.NDArray[Any],
    classes: Any,  # noqa: ANN401  an array, or a list of arrays
) -> npt.NDArray[np.float64]:
    """Return the weight of each sample.

    As in scikit-learn, a class without a weight has a weight of 1, and weights of
    classes that do not exist are ignored if all others have one, as in a fold of a
    cross-validation that lacks a rare class.

    Parameters
    ----------
    class_weight : dict or "balanced", or list of dict
        With several columns of labels, one dict for each, whose weights are multiplied.
    y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Labels, which need not have all classes.
    classes : ndarray of shape (n_classes,), or list of such arrays
        All classes.

    Raises
    ------
    ValueError
        If a weight is not a finite number of at least 0, or if there are weights for
        unknown classes but not for all known ones.
    """
    several = isinstance(classes, list)
    if isinstance(class_weight, Sequence) and not isinstance(class_weight, str):
        return _of_several(class_weight, y, classes)
    if not isinstance(class_weight, Mapping):
        weights: npt.NDArray[np.float64] = compute_sample_weight(class_weight, y)
        return weights
    _check_numbers(class_weight)
    if several:
        raise ValueError(
            f"class_weight must be 'balanced', None or a list of {len(classes)} dicts "
            f"for the columns of y; got {shown(class_weight)}."
        )
    if y.ndim > 1 and y.shape[1] > 1:
        raise ValueError(
            "class_weight must be 'balanced' or None if samples have several labels; "
            f"got {shown(class_weight)}. Pass sample_weight to fit instead."
        )
    known = list(classes)
    unweighted = [label for label in known if label not in class_weight]
    unknown = [label for label in class_weight if label not in set(known)]
    if unknown and unweighted:
        raise ValueError(
            f"class_weight has {', '.join(map(repr, unknown))}, but the classes are "
            f"{shown(classes.tolist())}.{_suggestion(unknown, unweighted)}"
        )
    weights = compute_sample_weight(
        {label: class_weight.get(label, 1.0) for label in known}, y
    )
    return weights


def _of_several(
    class_weight: Sequence[Mapping[Any, float]], y: npt.NDArray[Any], classes: object
) -> npt.NDArray[np.float64]:
    """Return the products of the weights of each column's label."""
    n_columns = len(classes) if isinstance(classes, list) else 1
    if not isinstance(classes, list) or len(class_weight) != n_columns:
        what = "y has one label per sample. Pass a dict with the classes as keys"
        if isinstance(classes, list):
            what = f"y has {n_columns} columns of labels. Pass one dict for each"
        raise ValueError(f"class_weight is {class_weight!r}, but {what}.")
    for own in class_weight:
        if not isinstance(own, Mapping):
            raise ValueError(
                f"class_weight must be a list of dicts; it contains {own!r}."
            )
    columns = zip(class_weight, y.T, classes, strict=True)
    weights = [weights_by_class(own, column, known) for own, column, known in columns]
    product: npt.NDArray[np.float64] = np.prod(weights, axis=0)
    return product


def _check_numbers(class_weight: Mapping[Any, float]) -> None:
    for value in class_weight.values():
        if not is_real(value) or not 0 <= as_python(value) <= _LARGEST:
            raise ValueError(
                "class_weight must contain finite numbers of at least 0, one per "
                f"class; got {class_weight!r}."
            )


def _suggestion(unknown: list[Any], unweighted: list[Any]) -> str:
    """Return which classes may have been meant by the first that is unknown."""
    names = {str(label): label for label in unweighted}
    word = str(unknown[0])
    same = names.get(word)
    if same is not None:
        plain = np.asarray(same).item()
        return (
            f" Did you mean {plain!r}, {_a(plain)} rather than {_a(unknown[0])}? The "
            "keys must have the type of the labels."
        )
    near = closest(word, names) if isinstance(unknown[0], str) else None
    return "" if near is None else f" Did you mean {near!r}?"


def _a(value: object) -> str:
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
