"""The weight of each sample by its class, with errors that name wrong classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import compute_sample_weight

from skconvnet._checks import as_python, is_real, shown
from skconvnet._suggestions import closest

_LARGEST = float(np.finfo(np.float64).max)


def weights_by_class(
    class_weight: Mapping[Any, float] | str,
    y: npt.NDArray[Any],
    classes: npt.NDArray[Any],
) -> npt.NDArray[np.float64]:
    """Return the weight of each sample.

    As in scikit-learn, a class without a weight has a weight of 1, and weights of
    classes that do not exist are ignored if all others have one, as in a fold of a
    cross-validation that lacks a rare class.

    Parameters
    ----------
    class_weight : dict or "balanced"
    y : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Labels, which need not have all classes.
    classes : ndarray of shape (n_classes,)
        All classes.

    Raises
    ------
    ValueError
        If a weight is not a finite number of at least 0, or if there are weights for
        unknown classes but not for all known ones.
    """
    if not isinstance(class_weight, Mapping):
        weights: npt.NDArray[np.float64] = compute_sample_weight(class_weight, y)
        return weights
    _check_numbers(class_weight)
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
