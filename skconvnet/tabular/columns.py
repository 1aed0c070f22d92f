"""Columns of tables as numbers of the order of 1, by scikit-learn's transformers."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.validation import check_array, check_is_fitted

from skconvnet._typing import override
from skconvnet.estimators._numeric_data import refuse_non_numeric
from skconvnet.tabular.column_checks import (
    check_categories,
    check_numbers,
    columns_of,
    is_missing,
    wrong_dtype,
)

# Names of pandas for the dtypes of columns that have no numbers.
_CATEGORICAL = ["object", "string", "category", "bool"]
# What `check_array` shall leave to others.
_SHAPE_ONLY = {
    "ensure_all_finite": False,
    "ensure_min_samples": 0,
    "ensure_min_features": 0,
}


def categorical_columns(X: Any) -> list[object]:  # noqa: ANN401  any data
    """Return the names of the columns of a DataFrame that have categories.

    These are strings, bools, and what has the dtype "category". Arrays have none.

    Raises
    ------
    ValueError
        If a column has neither numbers nor categories.

    Examples
    --------
    >>> import numpy as np
    >>> categorical_columns(np.ones((1, 2)))
    []
    """
    if not hasattr(X, "iloc"):
        check_numbers(columns_of(X))
        return []
    names: list[object] = make_column_selector(dtype_include=_CATEGORICAL)(X)
    numbers = make_column_selector(dtype_include="number", dtype_exclude=_CATEGORICAL)
    numeric = set(numbers(X))
    for name, column in columns_of(X):
        if name in names:
            check_categories(name, column)
        elif name in numeric:
            check_numbers([(name, column)])
        else:
            raise wrong_dtype(name, column.dtype)
    return names


def encode_columns() -> TableColumns:
    """Return a transformer that turns the columns of a table into numbers.

    Each category becomes a column of zeros and ones; one that is not in the training
    set becomes zeros. Other columns are standardized, after missing values have become
    the median, with a column that says which these are.
    """
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler()
    )
    return TableColumns(
        [("categories", categories, categorical_columns)], remainder=numbers
    )


class TableColumns(ColumnTransformer):
    """A ColumnTransformer that tells which column it cannot read, and why.

    Missing values are NaN to its transformers, also those of pandas. A call that raises
    an error leaves it unchanged.
    """

    @override
    def fit_transform(self, X: Any, y: Any = None, **params: Any) -> Any:
        before = dict(self.__dict__)
        try:
            return super().fit_transform(_readable(X), y, **params)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    @override
    def transform(self, X: Any, **params: Any) -> Any:
        check_is_fitted(self)
        X = _readable(X)
        if categorical_columns in [columns for *_, columns in self.transformers]:
            X = self._as_in_training(X)
        return super().transform(X, **params)

    def _as_in_training(self, X: Any) -> Any:  # noqa: ANN401  any table
        """Return a table with numbers and categories where they were in training."""
        chosen = {name: columns for name, _, columns in self.transformers_}
        categories: list[object] = chosen.get("categories", [])
        at: list[int] = chosen.get("remainder", [])
        if not hasattr(X, "columns"):
            if any(isinstance(name, str) for name in categories):
                raise ValueError(
                    "X must be a DataFrame, as it was in training, to find columns by "
                    f"their names, such as {categories[0]!r}."
                )
            check_numbers((i, X[:, i]) for i in at if i < X.shape[1])
            return X
        seen = list(getattr(self, "feature_names_in_", X.columns))
        names = {seen[i] for i in at if i < len(seen)}
        check_numbers(column for column in columns_of(X) if column[0] in names)
        # Missing strings alone are a column of floats, which the encoder would refuse.
        numeric = [
            name
            for name, column in columns_of(X)
            if name in categories and getattr(column.dtype, "kind", "") in {*"iuf"}
        ]
        return X.astype(dict.fromkeys(numeric, object)) if numeric else X


def _readable(X: Any) -> Any:  # noqa: ANN401  any data
    """Return a table in which all missing values are NaN, or raise an error."""
    if issparse(X):
        raise TypeError(
            "Sparse data was passed for X, but dense data is required. Use "
            "'.toarray()' to convert to a dense numpy array."
        )
    if hasattr(X, "columns"):
        return _with_nan_in_frame(X) if hasattr(X, "iloc") else X
    if not hasattr(X, "shape"):
        X = check_array(X, dtype=object, **_SHAPE_ONLY)
    elif len(X.shape) != 2:
        check_array(X, dtype=None, **_SHAPE_ONLY)  # raises an error
    kind = getattr(getattr(X, "dtype", None), "kind", "")
    if kind in {*"cmM"} or np.ma.is_masked(X):
        refuse_non_numeric(X)
    if kind == "O":
        missing = np.vectorize(is_missing, otypes=[bool])(X)
        X = np.where(missing, np.nan, X) if missing.any() else X
    return X


def _with_nan_in_frame(X: Any) -> Any:  # noqa: ANN401  a DataFrame of pandas
    """Return a DataFrame whose strings and objects have no missing value but NaN."""
    copy = None
    for i, dtype in enumerate(X.dtypes):
        is_text = dtype.kind == "O" and str(dtype).startswith(("object", "str", "cat"))
        if not is_text or np.asarray(X.iloc[:, i]).dtype != object:
            continue
        column = X.iloc[:, i].astype(object)
        missing = column.isna().to_numpy()
        if missing.any():
            copy = X.copy(deep=False) if copy is None else copy
            column = column.copy()
            column[missing] = np.nan
            copy.isetitem(i, column)
    return X if copy is None else copy
