"""Errors about targets and weights of positions."""

import warnings

import numpy as np
import pytest
from map_tools import labels, layers_for, make, maps
from sklearn.exceptions import ConvergenceWarning

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    Upsample,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


SAME = Conv2D(3, 3, padding="same")


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        (
            [SAME, MaxPool2D((2, 1))],
            (6, 5),
            r"y has shape \(n, 6, 5\).*'maxpool2d'.*3x5: add Upsample\(\(2, 1\)\)",
        ),
        ([SAME, Upsample(2)], (6, 5), "gives maps of 12x10: leave out an Upsample"),
        ([Conv2D(3, 3)], (6, 5), "gives maps of 4x3: set padding='same'"),
        ([SAME], (6, 5, 1, 1), "A target at each position has 2 axes per sample, or 3"),
        ([SAME, Flatten()], (6, 5), "gives 90 flat features. For a target at each"),
        ([SAME, Flatten(), Dense(4)], (6, 5), "gives 4 flat features"),
        ([SAME], (6, 0), "every axis of a target"),
    ],
)
def test_y_of_another_shape(layers, shape, message):
    X = maps()
    reg = make(SequentialRegressor, layers)
    with pytest.raises(ValueError, match=message):
        reg.fit(X, np.zeros((20, *shape)))
    assert not hasattr(reg, "network_")


def test_values_of_y_that_are_wrong():
    X = maps()
    y = X.copy()
    y[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"y has missing values: y\[1, 2, 3, 0\]"):
        make(SequentialRegressor).fit(X, y)
    y[1, 2, 3] = np.inf
    with pytest.raises(ValueError, match="y contains infinity"):
        make(SequentialRegressor).fit(X, y)
    y[1, 2, 3] = 1e300
    with pytest.raises(ValueError, match=r"y\[1, 2, 3, 0\] is 1e\+300.*too large"):
        make(SequentialRegressor, dtype="float32").fit(X, y)
    with pytest.raises(ValueError, match="y must consist of numbers"):
        make(SequentialRegressor).fit(X, np.full(X.shape, "a"))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        make(SequentialClassifier).fit(X, X)
    with pytest.raises(ValueError, match="y has only one class"):
        make(SequentialClassifier).fit(X, np.ones(X.shape))
    with pytest.raises(ValueError, match="requires y >= 0"):
        make(SequentialRegressor, loss="poisson").fit(X, X)
    with pytest.raises(ValueError, match=r"\[20, 19\]: X has 20 samples and y has 19"):
        make(SequentialRegressor).fit(X, X[:-1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((20, 6)), r"sample_weight has shape \(20, 6\), but y has targets for"),
        (np.ones((20, 6, 5, 1)), "sample_weight has shape"),
        (np.ones((19, 6, 5)), "sample_weight has 19 maps of weights"),
        (-np.ones((20, 6, 5)), "finite numbers of at least 0; it contains -1.0"),
        (np.full((20, 6, 5), np.nan), "it contains nan"),
        (np.zeros((20, 6, 5)), "at least one position with a weight above 0"),
        (np.full((20, 6, 5), "a"), "sample_weight must be arrays of numbers"),
    ],
)
def test_weights_of_positions_that_are_wrong(weights, message):
    X = maps()
    reg = make(SequentialRegressor).fit(X, X)
    before = reg.network_.vector.copy()
    with pytest.raises(ValueError, match=message):
        reg.fit(X, X, sample_weight=weights)
    np.testing.assert_array_equal(reg.network_.vector, before)


def test_score_with_a_y_of_another_shape():
    X = maps()
    reg = make(SequentialRegressor).fit(X, X)
    with pytest.raises(ValueError, match="fitted on targets with 2 spatial axes"):
        reg.score(X, X[..., 0])
    with pytest.raises(ValueError, match=r"y has \(5, 5, 1\) where predict returns"):
        reg.score(X, X[:, :-1])


def test_targets_far_from_the_outputs_are_told():
    X = maps()
    with pytest.warns(UserWarning, match=r"far above.*scale y, .* as \(y - y.mean"):
        make(SequentialRegressor).fit(X, 1000 + X)
    with pytest.warns(ConvergenceWarning, match="has learned nothing in 6 epochs"):
        make(SequentialRegressor, alpha=1e6, max_iter=6).fit(X, X)


def test_series_of_different_lengths():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (7, 9, 7, 12) * 5]
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    clf = make(SequentialClassifier, layers_for(1), max_iter=40).fit(X, y)
    assert [p.shape for p in clf.predict(X)] == [own.shape for own in y]
    assert clf.score(X, y) > 0.95
    assert clf.score(np.stack(X[::4]), np.stack(y[::4])) > 0.9


def test_a_second_output_layer_is_told():
    X = maps()
    layers = [*layers_for(2), ("scores", Conv2D(3, 1))]
    with pytest.warns(UserWarning, match="'scores' with filters=3, looks like an out"):
        make(SequentialClassifier, layers).fit(X, labels(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        make(SequentialClassifier, layers).fit(X, labels(X, 4))
