"""Targets that are missing: None, NaN, NaT, and the NA of pandas."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# Among objects, only values of these types can be missing. The last two are pandas'.
_CAN_BE_MISSING = ("NoneType", "float", "NAType", "NaTType")


def refuse_missing(y: Any, suffix: str = "", instead: str = "label them") -> None:  # noqa: ANN401  what users pass
    """Raise a ValueError if some targets are missing.

    scikit-learn reports some of them without naming y, and takes others for a class.

    Parameters
    ----------
    y : array-like, Series or DataFrame
    suffix : str, default=""
        "_val" for a validation set, whose arrays are named X_val and y_val.
    instead : str, default="label them"
        What can be done in place of dropping the samples.
    """
    array, name = _as_array(y), f"y{suffix}"
    found = _found(y, array, name, "samples")
    if found:
        # Targets of steps, of which padding has none.
        padding = "; any value will do where X has padding" if array.ndim > 2 else ""
        raise ValueError(
            f"{found}. Drop these samples, from X{suffix} too "
            f"({_mask(y, array, name)}), or {instead}{padding}."
        )


def refuse_missing_classes(classes: Any) -> None:  # noqa: ANN401  what users pass
    """Raise a ValueError if some of the `classes` for partial_fit are missing."""
    found = _found(classes, _as_array(classes), "classes", "classes")
    if found:
        raise ValueError(f"{found}. Pass only labels that y can have.")


def _found(values: Any, array: npt.NDArray[Any], name: str, noun: str) -> str:  # noqa: ANN401  what users pass
    """Return a sentence about the missing values, empty if there are none."""
    missing = _is_missing(array)
    if missing is None or not missing.any():
        return ""
    index = tuple(int(i) for i in np.argwhere(missing)[0])
    value, position = array[index], f"[{', '.join(map(str, index))}]"
    if hasattr(values, "iloc"):
        # An array of pandas' ints has NaN where the user sees <NA>.
        value = values.iloc[index if len(index) > 1 else index[0]]
        position = f".iloc{position}"
    n_rows = int(missing.reshape(len(missing), -1).any(axis=1).sum())
    return (
        f"{name} has missing values: {name}{position} is {value} ({n_rows} of "
        f"{len(missing)} {noun})"
    )


def _as_array(values: Any) -> npt.NDArray[Any]:  # noqa: ANN401  what users pass
    """Return an array that still has the missing values."""
    try:
        array = np.asarray(values)
        if array.dtype.kind == "U" and not hasattr(values, "dtype"):
            # NumPy has written out NaN, and any NA.
            array = np.asarray(values, dtype=object)
    except ValueError:  # rows of different lengths, which scikit-learn reports
        return np.empty(0)
    return array


def _is_missing(array: npt.NDArray[Any]) -> npt.NDArray[np.bool_] | None:
    """Return which values are missing, None if there are none of a type that can be."""
    missing: npt.NDArray[np.bool_]
    if array.ndim == 0:
        return None
    if array.dtype.kind == "f":
        missing = np.isnan(array)
    elif array.dtype.kind in "Mm":
        missing = np.isnat(array)
    elif array.dtype.kind == "O" and _has_some(array):
        each = (_is_missing_object(value) for value in array.flat)
        missing = np.fromiter(each, bool, array.size).reshape(array.shape)
    else:
        return None
    return missing


def _has_some(array: npt.NDArray[np.object_]) -> bool:
    # A fraction of the time that it takes to look at each value.
    types = set(map(type, array.flat))
    return any(
        issubclass(kind, (float, np.generic)) or kind.__name__ in _CAN_BE_MISSING
        for kind in types
    )


def _is_missing_object(value: Any) -> bool:  # noqa: ANN401  an element of y
    if isinstance(value, (float, np.floating, np.datetime64, np.timedelta64)):
        return bool(value != value)
    return value is None or _type(value) in ("NAType", "NaTType")


def _type(value: object) -> str:
    return type(value).__name__


def _mask(values: Any, array: npt.NDArray[Any], name: str) -> str:  # noqa: ANN401  what users pass
    """Return code for a mask of the samples that have a target."""
    axes = 1 if array.ndim == 2 else tuple(range(1, array.ndim))
    rows = f".all(axis={axes})" if array.ndim > 1 else ""
    if hasattr(values, "notna"):
        return f"mask = {name}.notna(){rows}"
    if hasattr(values, "is_not_null"):  # a Series of polars
        return f"mask = {name}.is_not_null()"
    if array.dtype.kind == "f":
        return f"mask = ~np.isnan({name}){rows.replace('all', 'any')}"
    return f"mask = pd.notna({name}){rows}"
