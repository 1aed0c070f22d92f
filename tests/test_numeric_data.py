"""Data that is not numeric is refused by the name of its column or its position."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from estimator_cases import ESTIMATORS, IMAGE_ESTIMATORS, data_for, labels, make

from skconvnet import ConvNetClassifier, MLPClassifier
from skconvnet.estimators._numeric_data import refuse_non_numeric

pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore:The columns of X have names as in a table"),
]
N = 60
DATE, DELTA = datetime.date(2020, 1, 1), datetime.timedelta(days=1)


def column(values, dtype=None):
    return pd.Series(list(values) * (N // len(values)), dtype=dtype, name="own")


BAD_COLUMNS = {
    "text": (column(["a", "b"]), "dtype str.* text"),
    "digits": (column(["3.5", "4"]), "text"),
    "objects": (
        column([1.5, "a"], object),
        "contains 'a' at position 1, which is text",
    ),
    "none": (column([1.5, None], object), "contains None at position 1"),
    "category": (column(["a", "b"], "category"), "dtype category.* categories"),
    "category of ints": (column([1, 2], "category"), "categories"),
    "dates": (column([DATE], "datetime64[s]"), "dates"),
    "zone": (column([DATE], "datetime64[s, UTC]"), "dates"),
    "periods": (column(["2020"], "period[D]"), "no numbers"),
    "deltas": (column([DELTA], "timedelta64[s]"), "time differences"),
    "complex": (column([1j]), "complex numbers"),
    "missing int": (column([1, pd.NA], "Int64"), "<NA> at position 1"),
    "missing float": (column([1.5, pd.NA], "Float64"), "<NA> at position 1"),
    "missing bool": (column([True, pd.NA], "boolean"), "<NA> at position 1"),
}
GOOD_COLUMNS = {
    "Int64": column([1, 2], "Int64"),
    "Float32": column([1.5, 2], "Float32"),
    "boolean": column([True, False], "boolean"),
    "bool": column([True, False]),
    "uint8": column([1, 2], "uint8"),
    "objects": column([1, 2.5, True, np.float32(2)], object),
}


def frame(own):
    return pd.DataFrame({"first": np.linspace(0, 1, N), "own": own})


def fit_calls(model, X, y, X_good):
    fitted = make(type(model)).fit(X_good, y)
    return [
        ("X", lambda: model.fit(X, y)),
        ("X", lambda: model.initialize(X, y)),
        ("X", lambda: fitted.predict(X)),
        ("X", lambda: fitted.partial_fit(X, y)),
        ("X", lambda: fitted.loss_gradients(X, y)),
        ("X", lambda: fitted.activations(X, "output")),
        ("X_val", lambda: make(type(model)).fit(X_good, y, X_val=X, y_val=y)),
    ]


@pytest.mark.parametrize("kind", BAD_COLUMNS)
@pytest.mark.parametrize("cls", [MLPClassifier, ConvNetClassifier])
def test_columns_are_refused_by_name(cls, kind):
    own, message = BAD_COLUMNS[kind]
    good = frame(np.arange(N) / N)
    for name, call in fit_calls(make(cls), frame(own), labels(), good):
        with pytest.raises(ValueError, match=f"Column 'own' of {name} .*{message}"):
            call()


@pytest.mark.parametrize("kind", GOOD_COLUMNS)
@pytest.mark.parametrize("cls", [MLPClassifier, ConvNetClassifier])
def test_numeric_columns_are_numbers(cls, kind):
    own = GOOD_COLUMNS[kind]
    fitted = make(cls).fit(frame(own), labels())
    plain = make(cls).fit(frame(own.to_numpy("float64")), labels())
    np.testing.assert_array_equal(
        fitted.predict_proba(frame(own)), plain.predict_proba(frame(own))
    )


def arrays(shape):
    objects = np.ones(shape, dtype=object)
    last = tuple(n - 1 for n in shape)
    cases = {
        "U": (np.full(shape, "3.5"), "dtype <U3.* text"),
        "S": (np.full(shape, b"3.5"), r"dtype \|S3.* bytes"),
        "M": (np.zeros(shape, "datetime64[s]"), "dates"),
        "m": (np.zeros(shape, "timedelta64[s]"), "time differences"),
        "c": (np.ones(shape, complex), "Complex data not supported"),
        "V": (np.zeros(shape, [("a", float), ("b", float)]), "records"),
    }
    values = ["3.5", b"3.5", None, 1j, DATE, DELTA, pd.NA, pd.NaT, 10**400]
    at = ", ".join(map(str, last))
    for value in [*values, np.datetime64("2020")]:
        own = objects.copy()
        own[last] = value
        cases[f"object {value!r}"[:20]] = (own, rf"\[{at}\] is ")
    return cases


@pytest.mark.parametrize("kind", arrays((N, 4)))
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_arrays_are_refused(cls, kind):
    X, y = data_for(cls)
    bad, message = arrays(X.shape)[kind]
    for name, call in fit_calls(make(cls), bad, y, X):
        with pytest.raises(ValueError, match=f"{name}.*{message}"):
            call()


@pytest.mark.parametrize("cls", IMAGE_ESTIMATORS)
def test_maps_of_different_sizes(cls):
    y = data_for(cls)[1]
    maps = [np.full((5 + i % 2, 5), "1") for i in range(N)]
    with pytest.raises(ValueError, match=r"X\[0\] must be numeric; got dtype <U1"):
        make(cls).fit(maps, y)


def test_lists_and_sparse_rows():
    with pytest.raises(ValueError, match=r"X has dtype <U.*text"):
        make(MLPClassifier).fit([["1", "2"]] * N, labels())
    with pytest.raises(ValueError, match=r"X has dtype <U.*text"):
        make(MLPClassifier).fit([[1, "a"]] * N, labels())
    with pytest.raises(ValueError, match="complex"):
        make(MLPClassifier).fit(scipy.sparse.csr_matrix(np.eye(N) * 1j), labels())
    for value in (Decimal("1.5"), Fraction(3, 2), True):
        make(MLPClassifier).fit([[value, 0]] * N, labels())


class InterchangeColumn:
    def __init__(self, kind, null_count):
        self.dtype = (kind, 64, "fmt", "=")
        self.null_count = null_count


class InterchangeFrame:
    """A data frame that only has the interchange protocol."""

    def __init__(self, kind, null_count=0):
        self._own = InterchangeColumn(kind, null_count)

    def __dataframe__(self):
        return self

    def column_names(self):
        return ["own"]

    def get_column_by_name(self, name):
        assert name == "own"
        return self._own


@pytest.mark.parametrize(("kind", "noun"), [(21, "text"), (22, "dates"), (23, "cat")])
def test_the_interchange_protocol(kind, noun):
    with pytest.raises(ValueError, match=f"Column 'own' of X has .*{noun}"):
        refuse_non_numeric(InterchangeFrame(kind))
    for numeric in (0, 1, 2, 20):
        refuse_non_numeric(InterchangeFrame(numeric))
        with pytest.raises(ValueError, match="Column 'own' of X contains 3 missing"):
            refuse_non_numeric(InterchangeFrame(numeric, null_count=3))
