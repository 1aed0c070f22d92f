"""Refusal of data that is not numeric, by the name of the column or the position.

scikit-learn's validation converts text such as "3.5" and dates to numbers, and reports
other values without saying which column holds them.
"""

from __future__ import annotations

import datetime
import reprlib
from collections.abc import Iterator
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.estimators._cell_arrays import refuse_cell_arrays
from skconvnet.estimators._file_names import refuse_file_names

# Kinds of NumPy's dtypes: floats, signed and unsigned ints, and bools.
_NUMERIC_KINDS = "fiub"
_COMPLEX = "complex numbers"
_NOUNS = {
    "c": _COMPLEX,
    "M": "dates",
    "m": "time differences",
    "S": "bytes",
    "T": "text",
    "U": "text",
    "V": "records",
}
_MISSING = "a missing value"
_HUGE = "too large for float64"
_DAYS = "Convert it to numbers, such as days since a date"
_SECONDS = "Convert it to numbers, such as seconds"
# The first words are scikit-learn's, whose tests look for them.
_PARTS = (
    "Complex data not supported; pass real and imaginary parts as separate features"
)
_CURES = {
    "dates": _DAYS,
    "a date": _DAYS,
    "time differences": _SECONDS,
    "a time difference": _SECONDS,
    _COMPLEX: _PARTS,
    "a complex number": _PARTS,
    "records": (
        "Pass a plain array, see numpy.lib.recfunctions.structured_to_unstructured"
    ),
    _HUGE: "Rescale X",
    _MISSING: "Fill it, for example with sklearn.impute.SimpleImputer",
}
_ENCODE = (
    "Convert numbers with astype(float), and encode categories, for example with "
    "sklearn.preprocessing.OneHotEncoder"
)
# The data types that the interchange protocol __dataframe__ numbers.
_INTERCHANGE_NUMERIC = (0, 1, 2, 20)
_INTERCHANGE_NOUNS = {21: "text", 22: "dates", 23: "categories"}

_Column = tuple[object, Any]


def refuse_non_numeric(X: Any, name: str = "X") -> None:  # noqa: ANN401  any data
    """Raise an error if some of the data that a user passed is not numeric.

    Parameters
    ----------
    X : array-like, sparse matrix or data frame
    name : str
        What the user calls it.

    Raises
    ------
    ValueError, TypeError
        If a column or a value is text, a category, a date, a missing value of a type
        other than float, or the like.
    """
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        for label, column in _columns(X):
            where = f"column {label!r} of {name}"
            _check_column(column, where)
            refuse_cell_arrays(column, where, f"{name}[{label!r}]", name)
    elif hasattr(X, "__dataframe__"):
        _check_interchange(X.__dataframe__(), name)
    elif hasattr(X, "dtype"):
        _check_column(X, name)


def _columns(frame: Any) -> Iterator[_Column]:  # noqa: ANN401  of any library
    """Yield the label and the values of each column that might not be numeric."""
    for i, (label, dtype) in enumerate(zip(frame.columns, frame.dtypes, strict=True)):
        if isinstance(dtype, np.dtype) and dtype.kind in _NUMERIC_KINDS:
            continue
        yield label, frame.iloc[:, i] if hasattr(frame, "iloc") else frame[label]


def _check_column(column: Any, where: str) -> None:  # noqa: ANN401  of any library
    """Check an array or a column, which `where` names."""
    dtype = column.dtype
    kind = getattr(dtype, "kind", None)
    if kind in ("O", "S", "T", "U") and column.ndim:
        refuse_file_names(column, where)
    if kind is None:
        _check_foreign(column, where)
    elif kind in _NUMERIC_KINDS:
        _check_not_missing(column, where)
    elif kind != "O":
        raise _error(where, _NOUNS.get(kind, "no numbers"), dtype)
    elif isinstance(dtype, np.dtype):
        _check_objects(np.asarray(column), where)
    else:  # such as pandas' categories and strings
        noun = "categories" if hasattr(column, "cat") else "no numbers"
        raise _error(where, "text" if "str" in str(dtype) else noun, dtype)


def _check_foreign(column: Any, where: str) -> None:  # noqa: ANN401  of any library
    """Check the dtype of a column of a library such as polars."""
    dtype = column.dtype
    is_numeric = getattr(dtype, "is_numeric", None)
    if is_numeric is None or is_numeric() or "bool" in str(dtype).lower():
        return
    refuse_file_names(column, where)
    raise _error(where, "no numbers", dtype)


def _check_not_missing(column: Any, where: str) -> None:  # noqa: ANN401  of any data frame
    """Refuse missing values of pandas' nullable dtypes and of masked arrays.

    NaN is reported later.
    """
    if np.ma.is_masked(column):
        index = np.argwhere(np.ma.getmaskarray(column))[0].tolist()
        raise ValueError(
            f"{where} has masked values, such as {where}{index}. {_CURES[_MISSING]}; "
            "if it is padding of series, cut it off with skconvnet.series.from_padded."
        )
    if isinstance(column.dtype, np.dtype) or not hasattr(column, "isna"):
        return
    missing = np.asarray(column.isna())
    if missing.any():
        raise ValueError(
            f"{_capital(where)} contains {column.iloc[int(missing.argmax())]!r} at "
            f"position {int(missing.argmax())}, which is a missing value; NaN is not "
            f"allowed. {_CURES[_MISSING]}."
        )


def _check_objects(values: npt.NDArray[np.object_], where: str) -> None:
    """Refuse objects that are not numbers, with the position of the first."""
    for position, value in enumerate(values.flat):
        is_int = isinstance(value, int)
        if isinstance(value, (Real, np.bool_)) and not (is_int and _is_huge(value)):
            continue
        noun = non_numeric_noun(value)
        if noun is None:
            continue  # scikit-learn converts it, or raises an error
        index = np.unravel_index(position, values.shape)
        at = ", ".join(str(int(i)) for i in index)
        shown = reprlib.repr(value)
        found = f"{where}[{at}] is {shown}"
        if " " in where:
            found = f"{_capital(where)} contains {shown} at position {at}"
        raise ValueError(
            f"{found}, which is {noun}; it must be a number. "
            f"{_CURES.get(noun, _ENCODE)}."
        )


def _is_huge(value: int) -> bool:
    """Whether an int is too large for a float."""
    return value.bit_length() > np.finfo(np.float64).maxexp


def non_numeric_noun(value: object) -> str | None:
    """Return what is wrong with a value that scikit-learn might take for a number."""
    if isinstance(value, int):
        return _HUGE
    if isinstance(value, (str, bytes, bytearray)):
        return "text"
    if isinstance(value, (complex, np.complexfloating)):
        return "a complex number"
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return _MISSING
    if isinstance(value, (datetime.date, datetime.time, np.datetime64)):
        return "a date"
    if isinstance(value, (datetime.timedelta, np.timedelta64)):
        return "a time difference"
    return None


def _check_interchange(frame: Any, name: str) -> None:  # noqa: ANN401  a protocol
    """Check a data frame of the interchange protocol ``__dataframe__``."""
    for label in frame.column_names():
        try:
            column = frame.get_column_by_name(label)
            kind = int(column.dtype[0])
        except (NotImplementedError, ValueError) as error:
            # Dates and lists of some libraries, which the protocol lacks.
            raise ValueError(
                f"Column {label!r} of {name} must be numeric: {error}. {_ENCODE}."
            ) from error
        if kind not in _INTERCHANGE_NUMERIC:
            noun = _INTERCHANGE_NOUNS.get(kind, "no numbers")
            raise _error(f"column {label!r} of {name}", noun, column.dtype[2])
        if column.null_count:
            raise ValueError(
                f"Column {label!r} of {name} contains {column.null_count} missing "
                f"values; NaN is not allowed. {_CURES[_MISSING]}."
            )


def _error(where: str, noun: str, dtype: object) -> ValueError:
    return ValueError(
        f"{_capital(where)} has dtype {dtype}, which holds {noun}; it must be numeric. "
        f"{_CURES.get(noun, _ENCODE)}."
    )


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
