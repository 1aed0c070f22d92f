"""Targets of each step in lists, in arrays of objects, and in columns of pandas."""

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import GridSearchCV

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import GRU

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12


def as_objects(maps):
    array = np.empty(len(maps), dtype=object)
    array[:] = maps
    return array


columns = pytest.mark.parametrize("column", [as_objects, pd.Series])


def sequences():
    rng = np.random.default_rng(0)
    return [rng.normal(size=(3 + i % 4, 2)) for i in range(N)]


def labels(X):
    return [np.where(x[:, :1] > 0, "up", "down") for x in X]


def make(kind=SequentialClassifier, **params):
    layers = [("gru", GRU(3, return_sequences=True))]
    return kind(layers, max_iter=2, batch_size=4, random_state=0, **params)


def state(model):
    return model.network_.state.tobytes()


@columns
@pytest.mark.parametrize("has_axis", [True, False])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_columns_of_labels_are_as_good_as_lists(column, has_axis, class_weight):
    X = sequences()
    y = [own if has_axis else own[:, 0] for own in labels(X)]
    weights = [np.arange(len(x)) + 1.0 for x in X]
    expected = make(class_weight=class_weight).fit(X, y, sample_weight=weights)
    model = make(class_weight=class_weight)
    model.fit(column(X), column(y), sample_weight=column(weights))
    assert state(model) == state(expected)
    assert model.score(column(X), column(y)) == expected.score(X, y)
    score = model.score(column(X), column(y), column(weights))
    assert score == expected.score(X, y, weights)


@columns
def test_columns_of_labels_in_partial_fit(column):
    X = sequences()
    y = labels(X)
    expected, model = make(), make()
    for _ in range(2):
        expected.partial_fit(X, y, classes=["down", "up"])
        model.partial_fit(column(X), column(y), classes=["down", "up"])
        assert state(model) == state(expected)


@columns
def test_columns_of_numbers_are_as_good_as_lists(column):
    X = sequences()
    expected = make(SequentialRegressor).fit(X, X, X_val=X, y_val=X)
    model = make(SequentialRegressor).fit(
        column(X), column(X), X_val=X, y_val=column(X)
    )
    assert state(model) == state(expected)
    assert model.score(X, column(X)) == expected.score(X, X)
    search = GridSearchCV(make(SequentialRegressor), {"gru__units": [2, 3]}, cv=2)
    scores = [
        search.fit(form(X), form(X)).cv_results_["mean_test_score"]
        for form in (list, column)
    ]
    np.testing.assert_array_equal(*scores)


@columns
def test_columns_of_targets_of_one_length(column):
    X = [x[:3] for x in sequences()]
    expected = make(SequentialRegressor).fit(X, np.stack(X))
    model = make(SequentialRegressor).fit(X, column(X))
    assert state(model) == state(expected)
    rows = np.stack(X)[:, 0]
    net = MLPRegressor(hidden_layer_sizes=2, max_iter=1, random_state=0)
    predicted = net.fit(rows, column(list(rows))).predict(rows)
    np.testing.assert_array_equal(predicted, net.fit(rows, rows).predict(rows))


@pytest.mark.parametrize("form", [list, as_objects, pd.Series])
def test_estimators_without_targets_of_steps_refuse_them(form):
    X = sequences()
    series = {"input_shape": (None, 2), "global_pooling": "avg"}
    shapes = r"y must have .*have shapes \[\(3, 2\), \(4, 2\), .* use Sequential"
    with pytest.raises(ValueError, match=f"{shapes}Regressor.$"):
        ConvNetRegressor(2, **series).fit(X, form(X))
    shapes = shapes.replace("2", "1")
    with pytest.raises(ValueError, match=f"{shapes}Classifier.$"):
        ConvNetClassifier(2, **series).fit(X, form(labels(X)))
    several = [["a", "b"] if i % 2 else ["a"] for i in range(N)]
    with pytest.raises(ValueError, match=r"MultiLabelBinarizer\(\).fit_transform\(y\)"):
        MLPClassifier().fit(np.zeros((N, 3)), form(several))


@pytest.mark.parametrize(
    "y", [[1, [2, 3]] * (N // 2), [[[1], [2, 3]], [4]] * (N // 2)], ids=["flat", "deep"]
)
def test_targets_of_different_lengths_within_a_sample(y):
    for model in (make(), MLPClassifier()):
        with pytest.raises(ValueError, match=r"^y has elements of different lengths\."):
            model.fit(np.ones((N, 3)), y)
