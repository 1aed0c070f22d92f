"""coefs_ and intercepts_ are lists whose items can be assigned, as in scikit-learn."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
from estimator_cases import data_for, make
from sklearn.exceptions import NotFittedError

from skconvnet import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
both = pytest.mark.parametrize("cls", [MLPClassifier, MLPRegressor])
STILL = {"solver": "sgd", "learning_rate_init": 1e-300, "max_iter": 1}


def fitted(cls, **params):
    X, y = data_for(cls)
    return make(cls, **params).fit(X, y), X, y


def by_hand(model, X):
    hidden = X
    for kernel, bias in zip(model.coefs_, model.intercepts_, strict=True):
        hidden = np.maximum(hidden, 0) if hidden is not X else X
        hidden = hidden @ kernel + bias
    return hidden


def set_all(model, new):
    model.coefs_ = new


def set_items(model, new):
    for i, array in enumerate(new):
        model.coefs_[i - len(new)] = array


def set_slice(model, new):
    model.coefs_[:] = new


def set_elements(model, new):
    for i, array in enumerate(new):
        model.coefs_[i][:] = array


def multiply(model, _new):
    for i in range(len(model.coefs_)):
        model.coefs_[i] *= 2


def set_lists(model, new):
    model.coefs_ = tuple(array.tolist() for array in new)


@both
@pytest.mark.parametrize(
    "assign", [set_all, set_items, set_slice, set_elements, multiply, set_lists]
)
def test_every_assignment_reaches_the_network(cls, assign):
    model, X, y = fitted(cls, **STILL)
    new = [2 * array for array in model.coefs_]
    intercepts = [array + 1 for array in model.intercepts_]
    model.intercepts_ = intercepts
    assign(model, new)
    for method in (None, model.partial_fit, model.set_params(warm_start=True).fit):
        if method is not None:
            method(X, y)
        for kernel, expected in zip(model.coefs_, new, strict=True):
            np.testing.assert_array_equal(kernel, expected)
        for bias, expected in zip(model.intercepts_, intercepts, strict=True):
            np.testing.assert_array_equal(bias, expected)
        np.testing.assert_array_equal(model.get_weights()["dense1/kernel"], new[0])
    output = by_hand(model, X)
    if cls is MLPClassifier:
        np.testing.assert_allclose(model.decision_function(X), output)
    else:
        np.testing.assert_allclose(model.predict(X), output.ravel())


@both
def test_a_plain_fit_draws_new_weights(cls):
    model, X, y = fitted(cls)
    first = model.network_.vector.copy()
    model.coefs_ = [np.zeros_like(array) for array in model.coefs_]
    np.testing.assert_array_equal(model.fit(X, y).network_.vector, first)


def assign_item(key, value):
    def assign(model):
        model.coefs_[key] = value

    return assign


def assign_list(value, name="coefs_"):
    return lambda model: setattr(model, name, value)


GOOD = np.ones((36, 5))


@pytest.mark.parametrize(
    ("assign", "error", "message"),
    [
        (assign_item(0, np.ones((5, 36))), ValueError, r"coefs_\[0\] must have shape"),
        (assign_item(-1, np.ones(3)), ValueError, r"coefs_\[1\] must have shape \(5"),
        (assign_item(0, GOOD * np.nan), ValueError, r"coefs_\[0\] contains NaN"),
        (assign_item(0, GOOD * np.inf), ValueError, r"coefs_\[0\] contains infinity"),
        (assign_item(0, "ones"), ValueError, r"coefs_\[0\] must be an array of num"),
        (assign_item(0, [[1], [2, 3]]), ValueError, r"coefs_\[0\] must be an array"),
        (assign_item(2, GOOD), IndexError, "coefs_ has 2 arrays; got the index 2"),
        (assign_item("a", GOOD), TypeError, "cannot be interpreted as an integer"),
        (assign_item(slice(1), [GOOD] * 2), ValueError, "coefs_ needs 1 arrays"),
        (assign_list([GOOD]), ValueError, "coefs_ needs 2 arrays .*; got 1"),
        (assign_list([GOOD, GOOD]), ValueError, r"coefs_\[1\] must have shape"),
        (assign_list(None), TypeError, "coefs_ must be a list of arrays.* got None"),
        (assign_list([0, 1], "intercepts_"), ValueError, r"intercepts_\[0\] must have"),
        (lambda model: model.coefs_.append(GOOD), TypeError, "append is not possible"),
        (lambda model: model.coefs_.reverse(), TypeError, "reverse is not possible"),
        (lambda model: model.coefs_.pop(), TypeError, r"use list\(coefs_\)"),
    ],
)
def test_errors_name_the_array_and_change_nothing(assign, error, message):
    model, *_ = fitted(MLPClassifier)
    before = model.network_.vector.copy()
    with pytest.raises(error, match=message):
        assign(model)
    np.testing.assert_array_equal(model.network_.vector, before)


@both
@pytest.mark.parametrize("name", ["coefs_", "intercepts_"])
def test_before_a_network_there_is_nothing_to_assign(cls, name):
    assert not hasattr(cls(), name)
    with pytest.raises(NotFittedError, match=rf"so {name} cannot be set.*initialize"):
        setattr(cls(), name, [np.ones(3)])


def test_the_list_may_hold_its_own_arrays():
    X, y = data_for(MLPRegressor)
    model = make(MLPRegressor, hidden_layer_sizes=(36, 36)).initialize(X, y)
    first, second, last = (array.copy() for array in model.coefs_)
    views = model.coefs_
    model.coefs_ = [views[1], views[0], views[2]]
    for kernel, expected in zip(model.coefs_, [second, first, last], strict=True):
        np.testing.assert_array_equal(kernel, expected)


def reload_by_joblib(arrays):
    file = io.BytesIO()
    joblib.dump(arrays, file)
    file.seek(0)
    return joblib.load(file)


@pytest.mark.parametrize(
    ("change", "shares"),
    [
        (list, True),
        (copy.copy, True),
        (copy.deepcopy, False),
        (lambda arrays: pickle.loads(pickle.dumps(arrays)), False),
        (reload_by_joblib, False),
        (lambda arrays: arrays[:], True),
        (lambda arrays: arrays + [], True),  # noqa: RUF005  the operator is tested
        (lambda arrays: arrays.copy(), True),
    ],
)
def test_it_is_used_like_a_list(change, shares):
    model, *_ = fitted(MLPClassifier)
    arrays = model.coefs_
    other = change(arrays)
    assert type(other) is list
    assert isinstance(arrays, list)
    assert len(other) == len(arrays) == 2
    for a, b in zip(other, arrays, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.shares_memory(a, b) == shares
    other.append(1)
    assert len(model.coefs_) == 2
    assert arrays == list(arrays)
    assert [array.shape for array in arrays[1:]] == [(5, 3)]
    assert repr(arrays) == repr(list(arrays))
