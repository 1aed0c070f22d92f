"""Columns of tables as numbers of the order of 1, by scikit-learn's transformers."""

from __future__ import annotations

from typing import Any

from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Names of pandas for the dtypes of columns that have no numbers.
_CATEGORICAL = ["object", "string", "category", "bool"]


def categorical_columns(X: Any) -> list[object]:  # noqa: ANN401  any data
    """Return the names of the columns of a DataFrame that have categories.

    These are strings, bools, and what has the dtype "category". Arrays have none.

    Raises
    ------
    ValueError
        If a column has neither numbers nor categories.

    Examples
    --------
    >>> categorical_columns([[1.0, 2.0]])
    []
    """
    if not hasattr(X, "iloc"):
        return []
    others = make_column_selector(dtype_exclude=["number", *_CATEGORICAL])(X)
    if others:
        raise ValueError(
            f"column {others[0]!r} of X has the dtype {X[others[0]].dtype}, which is "
            "neither numbers nor categories. Convert it to numbers, such as days since "
            "a date, or leave it out."
        )
    names: list[object] = make_column_selector(dtype_include=_CATEGORICAL)(X)
    return names


def encode_columns() -> ColumnTransformer:
    """Return a transformer that turns the columns of a table into numbers.

    Each category becomes a column of zeros and ones; one that is not in the training
    set becomes zeros. Other columns are standardized, after missing values have become
    the median, with a column that says which these are.
    """
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
    )
    return ColumnTransformer(
        [("categories", categories, categorical_columns)], remainder=numbers
    )
