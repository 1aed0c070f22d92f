"""Missing values in y: an error that names y, the first one, and how to drop them."""

import numpy as np
import pandas as pd
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make

from skconvnet import ConvNetClassifier, ConvNetRegressor, MLPClassifier
from skconvnet.estimators._missing_targets import refuse_missing

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 60
WORDS, INTS = ["a", "b", "c"] * 20, [0, 1, 2] * 20


def spoilt(values, missing):
    return [missing if i in (3, 7) else value for i, value in enumerate(values)]


def series(values, missing, dtype):
    return pd.Series(spoilt(values, missing), dtype=dtype, index=range(100, 160))


DATES = list(pd.date_range("2020", periods=3)) * 20
OF_PANDAS = {
    "objects NA": series(WORDS, pd.NA, object),
    "objects None": series(WORDS, None, object),
    "objects NaN": series(WORDS, np.nan, object),
    "str": series(WORDS, None, "str"),
    "string": series(WORDS, pd.NA, "string"),
    "Int64": series(INTS, pd.NA, "Int64"),
    "boolean": series([True, False] * 30, pd.NA, "boolean"),
    "Float64": series(INTS, pd.NA, "Float64"),
    "float": series(INTS, np.nan, float),
    "int objects": series(INTS, pd.NA, object),
    "category": series(WORDS, None, "category"),
    "category of ints": series(INTS, None, "category"),
    "dates": series(DATES, pd.NaT, "datetime64[s]"),
}
LISTS = {
    f"{type(values[0]).__name__} {missing}": spoilt(values, missing)
    for values in (WORDS, INTS)
    for missing in (None, pd.NA, float("nan"), np.float32("nan"), pd.NaT)
}
SHOWN = r"(<NA>|None|nan|NaT) \(2 of 60 samples\)"


def refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("kind", OF_PANDAS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_columns(cls, kind):
    X, y = data_for(cls)
    own = OF_PANDAS[kind]
    instead = "label them" if cls in CLASSIFIERS else "fill them in"
    message = (
        rf"^y has missing values: y\.iloc\[3\] is {SHOWN}\. Drop these samples, from "
        rf"X too \(mask = y\.notna\(\)\), or {instead}\.$"
    )
    fitted = make(cls).fit(X, y)
    refused(lambda: make(cls).fit(X, own), message)
    refused(lambda: make(cls).initialize(X, own), message)
    refused(lambda: fitted.partial_fit(X, own), message)
    refused(lambda: fitted.loss_gradients(X, own), message)
    refused(lambda: fitted.score(X, own), message)
    message = r"^y_val has missing.* y_val\.iloc\[3\].*X_val too .*y_val\.notna\(\)"
    refused(lambda: make(cls).fit(X, y, X_val=X, y_val=own), message)
    refused(lambda: fitted.partial_fit(X, y, X_val=X, y_val=own), message)


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("cls", ESTIMATORS)
def test_lists_and_arrays(cls, kind):
    X, y = data_for(cls)
    own = LISTS[kind]
    fitted = make(cls).fit(X, y)
    message = (
        rf"^y has missing values: y\[3\] is {SHOWN}\. .*mask = (pd\.not|~np\.is)na"
    )
    for values in (own, tuple(own), np.array(own, dtype=object)):
        refused(lambda values=values: make(cls).fit(X, values), message)
        refused(lambda values=values: fitted.score(X, values), message)
    refused(lambda: make(cls).fit(X, pd.Index(own)), r"y\[3\] .*y\.notna\(\)")


def test_what_is_shown_is_what_the_user_has():
    refused(lambda: refuse_missing(OF_PANDAS["Int64"]), "is <NA>")
    refused(lambda: refuse_missing(OF_PANDAS["float"]), "is nan")
    refused(lambda: refuse_missing(spoilt(WORDS, None)), "is None")
    refused(
        lambda: refuse_missing(np.array(["NaT", "2020"], "datetime64[s]")), "is NaT"
    )


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_first_partial_fit(cls):
    X, y = data_for(cls)
    own, model = OF_PANDAS["string"], make(cls)
    message = r"^y has missing values: y\.iloc\[3\] is <NA>"
    refused(lambda: model.partial_fit(X, own, classes=["a", "b", "c"]), message)
    for missing in (None, pd.NA, np.nan):
        classes = [*WORDS[:2], missing]
        message = r"^classes has missing values: classes\[2\] is .*\(1 of 3 classes\)"
        refused(lambda c=classes: model.partial_fit(X, WORDS, classes=c), message)
    refused(lambda: model.partial_fit(X, y, classes=[0, 1, np.nan]), message)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("cls", REGRESSORS)
def test_several_outputs(cls):
    X, y = data_for(cls)
    both = np.stack([y, y], axis=1)
    both[5, 1] = np.nan
    message = r"y\[5, 1\] is nan \(1 of 60 samples\).* ~np\.isnan\(y\)\.any\(axis=1\)"
    refused(lambda: make(cls).fit(X, both), message)
    refused(lambda: make(cls).fit(X, both.tolist()), message)
    message = r"y\.iloc\[5, 1\] is nan.*mask = y\.notna\(\)\.all\(axis=1\)"
    refused(lambda: make(cls).fit(X, pd.DataFrame(both)), message)


MASKS = [
    OF_PANDAS["string"],
    pd.DataFrame({"a": OF_PANDAS["Int64"], "b": 1.0}),
    np.array(spoilt(INTS, np.nan)),
    np.array([[1.0, 2.0], [np.nan, 2.0], [np.nan, np.nan]]),
    spoilt(WORDS, None),
]


@pytest.mark.parametrize("y", MASKS, ids=lambda y: type(y).__name__)
def test_the_mask_leaves_what_is_there(y):
    with pytest.raises(ValueError, match="mask") as caught:
        refuse_missing(y)
    code = str(caught.value).split("mask = ")[1].split("), or")[0]
    mask = eval(code, {"y": y, "np": np, "pd": pd})
    expected = pd.DataFrame(y).notna().all(axis=1)
    np.testing.assert_array_equal(mask, expected)
    refuse_missing(y[mask] if hasattr(y, "shape") else pd.Series(y)[mask])


PRESENT = {
    "words": WORDS,
    "the word nan": ["nan", "None", "<NA>"] * 20,
    "objects": np.array(WORDS, object),
    "category": pd.Series(WORDS, dtype="category"),
    "Int64": pd.Series(INTS, dtype="Int64"),
    "bools": [True, False] * 30,
}


@pytest.mark.parametrize("kind", PRESENT)
def test_labels_that_are_there(kind):
    for cls in (ConvNetClassifier, MLPClassifier):
        X, _ = data_for(cls)
        model = make(cls).fit(X, PRESENT[kind])
        assert len(model.classes_) == len(set(PRESENT[kind]))
        assert 0 <= model.score(X, PRESENT[kind]) <= 1


class OtherSeries:
    """A column as in polars, which is not installed with the tests."""

    def __array__(self, dtype=None, copy=None):
        return np.array(["a", None], dtype=object)

    def is_not_null(self):
        return np.array([True, False])


def test_columns_of_other_libraries():
    message = r"^y has missing values: y\[1\] is None .*mask = y\.is_not_null\(\)"
    refused(lambda: refuse_missing(OtherSeries()), message)


def test_infinity_is_not_missing():
    X, y = data_for(ConvNetRegressor)
    y[3] = np.inf
    refused(lambda: make(ConvNetRegressor).fit(X, y), "y contains infinity")


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_objects_that_are_left_over(cls):
    y = pd.Series(INTS, dtype=object)
    X, _ = data_for(cls)
    message = r"Unknown label type.* y has dtype object\. .*y\.astype\(int\)"
    refused(lambda: make(cls).fit(X, y), message)
    make(cls).fit(X, y.astype(int))
