"""Which columns the recipe for tables reads, and what it says about others."""

import datetime

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.base import clone

from skconvnet.tabular import make_tabular_classifier, make_tabular_regressor
from skconvnet.tabular.columns import encode_columns

N = 40
NUMBER = np.linspace(0, 1, N)
Y = np.arange(N) % 2
FEW = {"max_iter": 1, "random_state": 0}


def frame(values, dtype=None):
    own = pd.Series(list(values) * (N // len(values)), dtype=dtype)
    return pd.DataFrame({"number": NUMBER, "own": own})


@pytest.fixture(scope="module")
def fitted():
    return make_tabular_classifier(**FEW).fit(frame(["x", "y"]), Y)


class TestMissingValues:
    @pytest.mark.parametrize("dtype", ["string", "category", None, object])
    @pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
    def test_strings(self, missing, dtype):
        X = frame(["q", missing], dtype)
        before = X.copy()
        columns = encode_columns().fit(X)
        names = columns.get_feature_names_out().tolist()
        assert names[:2] == ["categories__own_q", "categories__own_nan"]
        expected = np.tile([[1, 0], [0, 1]], (N // 2, 1))
        np.testing.assert_array_equal(columns.transform(X)[:, :2], expected)
        pd.testing.assert_frame_equal(X, before)
        # It is the same category in columns of other kinds.
        alone = frame([np.nan])
        np.testing.assert_array_equal(columns.transform(alone)[:, :2], [[0, 1]] * N)

    def test_categories_of_strings(self):
        X = frame(["q", pd.NA], "string").astype({"own": "category"})
        assert make_tabular_classifier(**FEW).fit(X, Y).score(X, Y) >= 0.5

    @pytest.mark.parametrize(
        ("values", "dtype"),
        [([1, pd.NA], "Int64"), ([1.5, pd.NA], "Float32"), ([True, pd.NA], "boolean")],
    )
    def test_nullable_dtypes(self, values, dtype):
        X = frame(values, dtype)
        model = make_tabular_classifier(**FEW).fit(X, Y)
        plain = frame([np.nan if value is pd.NA else value for value in values])
        again = clone(model).fit(plain, Y)
        np.testing.assert_array_equal(
            model.predict_proba(X), again.predict_proba(plain)
        )
        np.testing.assert_array_equal(
            model.predict_proba(frame([pd.NA], dtype)),
            model.predict_proba(frame([pd.NA], object)),
        )

    def test_arrays_of_objects(self):
        X = np.array([[1.0, pd.NA], [None, 2.0]] * (N // 2), dtype=object)
        plain = np.array([[1.0, np.nan], [np.nan, 2.0]] * (N // 2))
        for data in (X, X.tolist()):
            found = encode_columns().fit_transform(data)
            np.testing.assert_array_equal(found, encode_columns().fit_transform(plain))


ALLOWED = "it must have numbers, strings, bools or categories"
REFUSED = {
    "dates": (frame([pd.Timestamp("2024-01-01")]), "datetime64.*days since a date"),
    "zone": (frame([pd.Timestamp("2024-01-01", tz="UTC")]), r"UTC\].*holds dates"),
    "deltas": (
        frame([pd.Timedelta(1, "D")]),
        rf"timedelta64.*{ALLOWED}.*X\['own'\].dt.total_seconds\(\)",
    ),
    "complex": (frame([1j]), rf"complex128.*{ALLOWED}.*np.real\(X\['own'\]\)"),
    "period": (frame(["2024"], "period[D]"), rf"period\[D\].*{ALLOWED}"),
    "date objects": (
        frame([datetime.date(2024, 1, 1), None], object),
        rf"object and contains datetime.date.*is a date; {ALLOWED}",
    ),
    "two types": (frame([1, "a"], object), r"int and str.*X\['own'\].astype\(str\)"),
    "lists": (frame([[1], [2]], object), "values of type list"),
}


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("make", [make_tabular_classifier, make_tabular_regressor])
def test_columns_are_refused_by_name(make, kind):
    X, told = REFUSED[kind]
    with pytest.raises(ValueError, match=f"Column 'own' of X has dtype .*{told}"):
        make(**FEW).fit(X, Y)


def test_columns_are_refused_in_predictions():
    model = make_tabular_classifier(**FEW).fit(frame([1.5, 2]), Y)
    for kind in ("dates", "zone", "deltas", "complex"):
        X, told = REFUSED[kind]
        with pytest.raises(ValueError, match=f"Column 'own' of X has dtype .*{told}"):
            model.predict(X)
    for X in (frame([1, "a"], object), REFUSED["period"][0]):
        told = r"Column 'own' .* at position \d, which is .*numeric, as it was in train"
        with pytest.raises(ValueError, match=told):
            model.predict(X)
    assert len(model.predict(frame([1, "2.5"], object))) == N


OBJECTS = np.array([[1, "x"], [2.5, "y"]] * (N // 2), dtype=object)
ARRAYS = {
    "1-D": (NUMBER, "Expected 2D array, got 1D array instead.*Reshape your data"),
    "list": (NUMBER.tolist(), "Expected 2D array, got 1D array.*Reshape your data"),
    "Series": (pd.Series(NUMBER), "Expected a 2-dimensional container.*DataFrame"),
    "3-D": (np.ones((N, 2, 2)), "array with dim 3, while dim <= 2 is required"),
    "sparse": (scipy.sparse.csr_array(np.ones((N, 2))), "Sparse data.*toarray"),
    "objects": (OBJECTS, "Column 1 of X contains 'x'.*is text.*Pass a DataFrame"),
    "mixed list": (OBJECTS.tolist(), "Column 1 of X contains 'x'.*Pass a DataFrame"),
    "words": (OBJECTS.astype(str), "Column 1 of X contains .*Pass a DataFrame"),
    "complex": (np.full((N, 2), 1j), "complex128.*real and imaginary parts"),
    "deltas": (np.ones((N, 2), "m8[s]"), "timedelta64.*such as seconds"),
    "dates": (np.ones((N, 2), "M8[s]"), "datetime64.*days since a date"),
    "masked": (np.ma.masked_less(np.ones((N, 2)), 2), "masked values"),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_are_refused(kind):
    X, told = ARRAYS[kind]
    model = make_tabular_classifier(**FEW)
    with pytest.raises((TypeError, ValueError), match=f"(?s){told}"):
        model.fit(X, Y)
    model.fit(np.c_[NUMBER, NUMBER**2], Y)
    with pytest.raises((TypeError, ValueError), match=f"(?s){told}"):
        model.predict(X)


def test_frames_of_other_libraries_have_numbers_alone():
    class Dtype(str):
        def is_numeric(self):
            return self == "Float64"

    class Polars(dict):
        """A table as in polars, which is not installed with the tests."""

        columns = property(list)
        dtypes = property(lambda self: [column.dtype for column in self.values()])

    class Column:
        def __init__(self, dtype):
            self.dtype = Dtype(dtype)

    columns = encode_columns().transformers[0][2]
    assert columns(Polars(a=Column("Float64"), b=Column("Boolean"))) == []
    with pytest.raises(ValueError, match=r"Column 'b' .*dtype String.*to_pandas\(\)"):
        columns(Polars(a=Column("Float64"), b=Column("String")))


class TestFitted:
    def test_a_call_that_fails_changes_nothing(self, fitted):
        X = frame(["x", "y"])
        expected = fitted.predict_proba(X)
        refused = [X[["own"]].assign(own=1j), X[["number"]].assign(number=np.inf)]
        for wrong in [*refused, NUMBER]:
            with pytest.raises(ValueError, match=r"Column|infinity|2D"):
                fitted.fit(wrong, Y)
            np.testing.assert_array_equal(fitted.predict_proba(X), expected)
        unfitted = encode_columns()
        with pytest.raises(ValueError, match="complex128"):
            unfitted.fit(refused[0])
        assert not hasattr(unfitted, "n_features_in_")

    def test_categories_are_found_by_name_alone(self, fitted):
        X = frame(["x", "y"])
        turned = X[["own", "number"]].assign(other=pd.Timestamp("2024-01-01"))
        np.testing.assert_array_equal(
            fitted.predict_proba(turned), fitted.predict_proba(X)
        )
        with pytest.raises(ValueError, match=r"must be a DataFrame.*such as 'own'"):
            fitted.predict(X.to_numpy())

    def test_numbers_are_new_categories_of_strings(self, fitted):
        np.testing.assert_array_equal(
            fitted.predict_proba(frame([1])), fitted.predict_proba(frame(["new"]))
        )

    def test_arrays_and_frames_take_turns(self):
        X = pd.DataFrame({0: NUMBER, 1: NUMBER**2})
        model = make_tabular_classifier(**FEW).fit(X.to_numpy(), Y)
        np.testing.assert_array_equal(
            model.predict_proba(X), model.predict_proba(X.to_numpy())
        )
        with pytest.raises(ValueError, match="1 features"):
            model.predict(X[[0]])
