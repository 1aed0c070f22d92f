"""Channels first in networks of any layers: the same network from X in either order."""

import pickle

import numpy as np
import pytest
from estimator_cases import labels
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    Conv1D,
    Conv2D,
    Conv3D,
    Dense,
    Flatten,
    GlobalAvgPool,
    LayerNorm,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
N = 12
# The shape of a sample, channels last, for each number of spatial axes.
SHAPES = {1: (20, 3), 2: (9, 8, 3), 3: (6, 7, 5, 2)}
CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}


def make(ndim, cls=SequentialClassifier, **params):
    layers = [("conv", CONVOLUTIONS[ndim](3, 2)), GlobalAvgPool()]
    return cls(**{"layers": layers, "max_iter": 2, "random_state": 0, **params})


def data(ndim):
    return np.random.default_rng(0).uniform(size=(N, *SHAPES[ndim])), labels(N)


def first(X):
    return np.moveaxis(X, -1, 1)


def state(model):
    return model.network_.state.tobytes()


@pytest.mark.parametrize("kind", ["view", "copy", "list", "rows", "objects"])
@pytest.mark.parametrize("ndim", SHAPES)
def test_the_same_weights_and_outputs(ndim, kind):
    X, y = data(ndim)
    other, params = first(X), {}
    if kind == "copy":
        other = other.copy()
    if kind == "list":
        other = list(other)
    if kind == "rows":
        other = other.reshape(N, -1)
        params = {"input_shape": (SHAPES[ndim][-1], *SHAPES[ndim][:-1])}
    if kind == "objects":
        samples, other = list(other), np.empty(N, dtype=object)
        other[:] = samples
    theirs = make(ndim).fit(X, y)
    ours = make(ndim, data_format="channels_first", **params).fit(other, y)
    assert state(ours) == state(theirs)
    assert ours.network_.in_shape == SHAPES[ndim]
    np.testing.assert_array_equal(ours.predict_proba(other), theirs.predict_proba(X))
    np.testing.assert_array_equal(
        ours.activations(other, "conv"), theirs.activations(X, "conv")
    )
    gradients = ours.input_gradients(other)
    if kind not in ("rows", "objects"):
        np.testing.assert_array_equal(gradients, first(theirs.input_gradients(X)))
    again = pickle.loads(pickle.dumps(ours))
    np.testing.assert_array_equal(again.predict(other), theirs.predict(X))


def test_sequences_of_different_lengths():
    rng = np.random.default_rng(0)
    X = [rng.uniform(size=(20 + i % 3, 3)) for i in range(N)]
    other, y = [x.T for x in X], labels(N)
    held_out = {"X_val": other[:4], "y_val": y[:4]}
    theirs = make(1, early_stopping=True).fit(X, y, X_val=X[:4], y_val=y[:4])
    ours = make(1, early_stopping=True, data_format="channels_first")
    ours.fit(other, y, **held_out).partial_fit(other, y, **held_out)
    theirs.partial_fit(X, y, X_val=X[:4], y_val=y[:4])
    assert state(ours) == state(theirs)
    assert ours.validation_scores_ == theirs.validation_scores_
    np.testing.assert_array_equal(ours.predict_proba(other), theirs.predict_proba(X))
    one_length = np.stack([x[:, :9] for x in other])
    np.testing.assert_array_equal(
        ours.predict_proba(one_length), theirs.predict_proba(first(one_length))
    )
    patterned = make(1, data_format="channels_first", input_shape=(3, None))
    assert patterned.fit(other, y).network_.in_shape == (22, 3)
    with pytest.raises(ValueError, match=r"first axis.*the last axis, .* data_format"):
        make(1, data_format="channels_first").fit(X, y)


@pytest.mark.parametrize(
    "layers", [[LayerNorm(), Flatten(), Dense(4)], [Flatten(), Dense(4)], [Dense(4)]]
)
def test_layers_that_prescribe_no_number_of_axes(layers):
    X, y = data(1)
    if len(layers) == 1:  # features have no order of axes
        X = X.reshape(N, -1)
        other = X
    else:
        other = first(X)
    theirs = make(1, layers=layers).fit(X, y)
    ours = make(1, layers=layers, data_format="channels_first").fit(other, y)
    assert ours.network_.in_shape == theirs.network_.in_shape
    assert state(ours) == state(theirs)


def test_within_scikit_learn():
    X, y = data(1)
    model = clone(make(1, data_format="channels_first"))
    ours = cross_val_score(model, first(X), y, cv=2, error_score="raise")
    np.testing.assert_array_equal(ours, cross_val_score(make(1), X, y, cv=2))


def test_targets_of_steps_have_their_outputs_last():
    X, _ = data(1)
    y = X[..., :2]
    params = {"layers": [Conv1D(3, 3, padding="same")], "cls": SequentialRegressor}
    ours = make(1, data_format="channels_first", **params).fit(first(X), y)
    assert state(ours) == state(make(1, **params).fit(X, y))
    assert ours.predict(first(X)).shape == y.shape


@pytest.mark.parametrize("value", ["NCL", None, 1])
def test_other_values_are_refused(value):
    X, y = data(1)
    with pytest.raises(ValueError, match=r"'data_format' parameter .*'channels_last'"):
        make(1, data_format=value).fit(X, y)
