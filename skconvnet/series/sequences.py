"""Sequences as estimators take them: an array, or a list if their lengths differ."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

# (n, length, channels), or arrays of shape (length_i, channels).
Sequences: TypeAlias = npt.NDArray[Any] | list[npt.NDArray[Any]]

_NUMERIC_KINDS = "fiub"
# Objects that pandas or NumPy would convert: "3.5", and dates as nanoseconds.
_NO_NUMBERS = {
    (str, bytes): "text",
    (datetime.date, np.datetime64): "date",
    (datetime.timedelta, np.timedelta64): "time difference",
}


def stacked(sequences: Sequence[npt.NDArray[Any]]) -> Sequences:
    """Return one array if all sequences have the same length, else a list.

    >>> stacked([np.zeros((5, 2)), np.zeros((5, 2))]).shape
    (2, 5, 2)
    >>> [x.shape for x in stacked([np.zeros((5, 2)), np.zeros((4, 2))])]
    [(5, 2), (4, 2)]
    """
    if len({len(one) for one in sequences}) == 1:
        return np.stack(sequences)
    return list(sequences)


def as_numbers(values: Any, where: str) -> npt.NDArray[Any]:  # noqa: ANN401  what users pass
    """Return an array of numbers, whose missing values are NaN.

    Parameters
    ----------
    values : array-like
        A column or table of pandas, an array, perhaps with a mask, or a list.
    where : str
        What the user calls it, for errors.

    Raises
    ------
    ValueError
        If some of it is not numeric.
    """
    if np.ma.is_masked(values):
        dtype = np.result_type(values.dtype, np.float16)
        values = values.astype(dtype).filled(np.nan)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{where} must be one array, but its parts have different lengths."
        ) from error
    try:
        if array.dtype.kind in _NUMERIC_KINDS:
            return array
        if array.dtype.kind not in "OUST":
            raise ValueError(f"it has dtype {array.dtype}")
        for value in array.flat:
            for kinds, noun in _NO_NUMBERS.items():
                if isinstance(value, kinds):
                    raise ValueError(f"it holds the {noun} {str(value)!r}")
        if hasattr(values, "to_numpy"):  # which knows the missing values of pandas
            return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan))
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} must be numeric: {error}.") from error
