"""Channels first: the same network, bit by bit, from X in the other order."""

import pickle
import tracemalloc

import numpy as np
import pytest
from estimator_cases import labels
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skconvnet import ConvNetClassifier, ConvNetRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 30
# The shape of a sample, channels last, for each number of spatial axes.
SHAPES = {1: (20, 3), 2: (9, 8, 3), 3: (6, 7, 5, 2)}


def data(ndim, dtype="float64"):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (N, *SHAPES[ndim])).astype(dtype), labels(N)


def first(X):
    return np.moveaxis(X, -1, 1)


def make(ndim=2, cls=ConvNetClassifier, **params):
    fixed = {"filters": 3, "hidden_layer_sizes": 4, "max_iter": 2, "random_state": 0}
    if ndim == 1:
        fixed["input_shape"] = (20, 3)
    return cls(**{**fixed, **params})


def make_first(ndim=2, cls=ConvNetClassifier, **params):
    if ndim == 1:
        params = {"input_shape": (3, 20), **params}
    return make(ndim, cls, data_format="channels_first", **params)


def state(model):
    return model.network_.state.tobytes()


@pytest.mark.parametrize("kind", ["view", "copy", "rows", "strided", "memmap", "list"])
@pytest.mark.parametrize("ndim", SHAPES)
def test_the_same_weights_and_outputs(ndim, kind, tmp_path):
    X, y = data(ndim)
    expected = make(ndim).fit(X, y)
    other, params = first(X), {}
    if kind in ("copy", "memmap"):
        other = np.ascontiguousarray(other)
    if kind == "memmap":
        np.save(tmp_path / "X.npy", other)
        other = np.load(tmp_path / "X.npy", mmap_mode="r")
    if kind == "list":
        other = list(other)
    if kind in ("rows", "strided"):
        other = other.reshape(N, -1)
        params = {"input_shape": (SHAPES[ndim][-1], *SHAPES[ndim][:-1])}
    if kind == "strided":
        other = np.repeat(other, 2, axis=1)[:, ::2]
    fitted = make_first(ndim, **params).fit(other, y)
    assert state(fitted) == state(expected)
    assert fitted.network_.in_shape == SHAPES[ndim]
    np.testing.assert_array_equal(
        fitted.predict_proba(other), expected.predict_proba(X)
    )
    np.testing.assert_array_equal(
        fitted.activations(other, "conv1"), expected.activations(X, "conv1")
    )


@pytest.mark.parametrize("ndim", SHAPES)
def test_every_method(ndim):
    X, y = data(ndim)
    other = first(X)
    ours, theirs = make_first(ndim), make(ndim)
    assert state(ours.initialize(other, y)) == state(theirs.initialize(X, y))
    loss, gradients = ours.loss_gradients(other, y)
    expected_loss, expected = theirs.loss_gradients(X, y)
    assert loss == expected_loss
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, expected[name])
    ours.partial_fit(other, y, X_val=other[:9], y_val=y[:9])
    theirs.partial_fit(X, y, X_val=X[:9], y_val=y[:9])
    assert state(ours) == state(theirs)
    assert ours.validation_scores_ == theirs.validation_scores_
    for model in (ours, theirs):
        model.set_params(warm_start=True, early_stopping=True, scoring="f1_macro")
    ours.fit(other, y, X_val=other[:9], y_val=y[:9])
    theirs.fit(X, y, X_val=X[:9], y_val=y[:9])
    assert state(ours) == state(theirs)
    assert ours.validation_scores_ == theirs.validation_scores_
    again = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(again.predict(other), theirs.predict(X))


def test_within_scikit_learn():
    X, y = data(2)
    ours = cross_val_score(make_first(), first(X), y, cv=2, error_score="raise")
    np.testing.assert_array_equal(ours, cross_val_score(make(), X, y, cv=2))
    regressor = make_first(cls=ConvNetRegressor, solver="lbfgs")
    expected = make(cls=ConvNetRegressor, solver="lbfgs").fit(X, y)
    assert state(clone(regressor).fit(first(X), y)) == state(expected)


def test_images_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(6 + i % 3, 8 - i % 2, 3)) for i in range(N)]
    other = [np.moveaxis(x, -1, 0) for x in X]
    params = {"global_pooling": "avg", "scoring": "f1_macro", "early_stopping": True}
    ours = make_first(**params).fit(other, labels(N))
    theirs = make(**params).fit(X, labels(N))
    assert state(ours) == state(theirs)
    assert ours.validation_scores_ == theirs.validation_scores_
    np.testing.assert_array_equal(ours.predict_proba(other), theirs.predict_proba(X))
    one_size = rng.uniform(size=(4, 9, 9, 3))
    np.testing.assert_array_equal(
        ours.predict_proba(first(one_size)), theirs.predict_proba(one_size)
    )


def test_sequences_of_different_lengths():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(20 + i % 3, 3)) for i in range(N)]
    ours = make_first(input_shape=(3, None), global_pooling="max")
    ours.fit([x.T for x in X], labels(N))
    theirs = make(input_shape=(None, 3), global_pooling="max").fit(X, labels(N))
    assert state(ours) == state(theirs)
    assert ours.network_.in_shape == (22, 3)


def test_gray_images_have_no_axis_to_move():
    X, y = data(2)
    ours = make_first().fit(X[..., 0], y)
    assert state(ours) == state(make().fit(X[..., 0], y))
    # A fitted network reads what `data_format` says when it is called.
    fitted = make().fit(X, y)
    expected = fitted.predict_proba(X)
    fitted.set_params(data_format="channels_first")
    np.testing.assert_array_equal(fitted.predict_proba(first(X)), expected)


@pytest.mark.parametrize(
    "value", ["NCHW", "channels-first", None, 1, ["channels_last"]]
)
def test_other_values_are_refused(value):
    X, y = data(2)
    with pytest.raises(ValueError, match=r"'data_format' parameter .*'channels_last'"):
        make(data_format=value).fit(X, y)
    fitted = make().fit(X, y).set_params(data_format=value)
    with pytest.raises(ValueError, match="data_format must be one of 'channels_last'"):
        fitted.predict(X)


@pytest.mark.parametrize("order", ["transposed", "channels_first", "rows"])
def test_uint8_images_are_not_copied_whole(order):
    X = np.random.default_rng(0).integers(256, size=(12_000, 3, 16, 12), dtype=np.uint8)
    params = {"strides": 4, "max_iter": 1, "batch_size": 200}
    model = make_first(**params)
    given = X
    if order == "transposed":
        model, given = make(**params), X.transpose(0, 2, 3, 1)
    if order == "rows":
        model.set_params(input_shape=(3, 16, 12))
        given = X.reshape(12_000, -1)
    y = labels(12_000)
    tracemalloc.start()
    model.fit(given, y)
    model.predict(given)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < X.nbytes  # parts of a fixed size take about half of that
