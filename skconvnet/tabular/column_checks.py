"""Refusal of columns that the recipe for tables cannot read, by their names."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet.estimators._numeric_data import non_numeric_noun

# Kinds of NumPy's dtypes, which those of pandas have as well.
_NUMERIC_KINDS = "fiub"
_NOUNS = {"c": "complex numbers", "M": "dates", "m": "time differences", "U": "text"}
_PASS_A_FRAME = (
    "Arrays are read as numbers. Pass a DataFrame of pandas, in which strings, bools "
    "and categories become columns of zeros and ones"
)


def columns_of(X: Any) -> Iterator[tuple[object, Any]]:  # noqa: ANN401  any table
    """Yield the name and the values of each column; in arrays, numbers are names."""
    if not hasattr(X, "columns"):
        yield from enumerate(X.T)
    elif hasattr(X, "iloc"):
        yield from ((name, X.iloc[:, i]) for i, name in enumerate(X.columns))
    elif hasattr(X, "dtypes"):
        yield from ((name, X[name]) for name in X.columns)


def check_numbers(columns: Iterable[tuple[object, Any]]) -> None:
    """Raise an error about the first column that does not consist of numbers.

    As elsewhere in scikit-learn, text that can be read as a number is one.
    """
    for name, column in columns:
        dtype = column.dtype
        kind = getattr(dtype, "kind", None)
        if kind is None:
            _check_foreign(name, dtype)
        elif kind in "cmM":
            raise wrong_dtype(name, dtype)
        elif kind not in _NUMERIC_KINDS and not _is_floats(column):
            _refuse_first(name, column)


def check_categories(name: object, column: Any) -> None:  # noqa: ANN401  of pandas
    """Raise an error if the values of a column are no categories of one kind."""
    values = np.asarray(column.dropna())
    if values.dtype != object:
        return
    examples = {type(value): value for value in values}
    for value in examples.values():
        noun = None if isinstance(value, int) else non_numeric_noun(value)
        if noun not in (None, "text"):
            raise ValueError(
                f"Column {name!r} of X has dtype {column.dtype} and contains "
                f"{reprlib.repr(value)}, which is {noun}; it must have numbers, "
                "strings, bools or categories. Convert it to numbers, such as days or "
                "seconds since a date, or leave it out."
            )
    try:
        sorted(set(values))
    except TypeError as error:
        types = " and ".join(sorted(cls.__name__ for cls in examples))
        raise ValueError(
            f"Column {name!r} of X has dtype {column.dtype} and values of type "
            f"{types}; categories must be strings alone, or numbers alone. Convert it "
            f"with X[{name!r}].astype(str), or leave it out."
        ) from error


def is_missing(value: Any) -> bool:  # noqa: ANN401  any object
    """Whether a value is None, NaN, or a missing value of pandas."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))


def wrong_dtype(name: object, dtype: Any) -> ValueError:  # noqa: ANN401  of any library
    """Return an error about a column, and how to convert it."""
    kind = getattr(dtype, "kind", "")
    column = f"X[{name!r}]"
    cures = {
        "c": f"Put np.real({column}) and np.imag({column}) into two columns",
        "m": f"Convert it to numbers, for example with {column}.dt.total_seconds()",
        "M": (
            "Convert it to numbers, such as days since a date, or parts such as "
            f"{column}.dt.dayofyear"
        ),
    }
    other = f"Convert it to numbers, or to categories with {column}.astype('category')"
    held = f", which holds {_NOUNS[kind]}" if kind in _NOUNS else ""
    return ValueError(
        f"Column {name!r} of X has dtype {dtype}{held}; it must have numbers, strings, "
        f"bools or categories. {cures.get(kind, other)}, or leave it out."
    )


def _check_foreign(name: object, dtype: Any) -> None:  # noqa: ANN401  of any library
    """Check the dtype of a column of a library such as polars."""
    is_numeric = getattr(dtype, "is_numeric", None)
    if is_numeric is None or is_numeric() or "bool" in str(dtype).lower():
        return
    raise ValueError(
        f"Column {name!r} of X has dtype {dtype}; only a DataFrame of pandas may have "
        "columns other than numbers and bools. Pass X.to_pandas()."
    )


def _is_floats(column: npt.ArrayLike) -> bool:
    """Whether all values can be read as floats."""
    try:
        np.asarray(column, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return True


def _refuse_first(name: object, column: Any) -> None:  # noqa: ANN401  of any library
    """Raise an error about the first value that is not a number."""
    for i, value in enumerate(np.asarray(column, dtype=object)):
        if _is_floats(value):
            continue
        noun = non_numeric_noun(value) or "no number"
        what = f"contains {reprlib.repr(value)} at position {i}, which is {noun}"
        if hasattr(column, "iloc"):
            raise ValueError(
                f"Column {name!r} of X has dtype {column.dtype} and {what}; it must be "
                "numeric, as it was in training."
            )
        raise ValueError(f"Column {name} of X {what}. {_PASS_A_FRAME}.")
