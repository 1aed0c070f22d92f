"""A first loss far above guessing is told only where the scale of data explains it."""

import warnings

import numpy as np
import pytest
from estimator_cases import PLAIN, data_for, make
from sklearn.exceptions import ConvergenceWarning

from skconvnet import ConvNetClassifier, ConvNetRegressor, SequentialRegressor
from skconvnet.layers import Dense, Flatten, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
REAL = [ConvNetRegressor, SequentialRegressor]


@pytest.mark.parametrize("y", [0.0, 1e-3], ids=str)
@pytest.mark.parametrize("cls", REAL)
def test_small_targets_are_no_reason(cls, y):
    X, _ = data_for(cls)
    make(cls).fit(X, np.full(len(X), y))


def test_a_loss_of_zero_is_no_yardstick():
    X, y = data_for(ConvNetClassifier)
    make(ConvNetClassifier, loss="perceptron").fit(X, y)
    with pytest.warns(UserWarning, match="far above 0, the loss of guessing"):
        make(ConvNetClassifier, loss="perceptron").fit(X * 255, y)


def test_updates_that_diverge_are_no_reason():
    X, y = data_for(ConvNetRegressor)
    model = make(ConvNetRegressor, learning_rate_init=0.5, batch_size=10, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X, y)
    assert model.loss_ > 10 * y.var()


def test_networks_that_standardize_are_not_told_to():
    rng = np.random.default_rng(0)
    X, y = rng.normal(scale=1e4, size=(40, 6, 6)), np.arange(40) % 2
    wide = {"filters": 2, "hidden_layer_sizes": (), "max_iter": 1, "random_state": 0}
    ConvNetClassifier(**wide).fit(X, y)
    with pytest.warns(UserWarning, match="set rescale='auto', or scale X"):
        ConvNetClassifier(**wide, **PLAIN).fit(X, y)
    layers = [Flatten(), Dense(50, "relu"), Dense(50, "relu")]
    with pytest.warns(UserWarning, match="begin layers with Standardize"):
        SequentialRegressor(layers, max_iter=1, random_state=0).fit(X, y)
    SequentialRegressor([Standardize(), *layers], max_iter=1, random_state=0).fit(X, y)


def test_large_targets_of_a_network_that_standardizes_only_x():
    X, y = data_for(SequentialRegressor)
    model = SequentialRegressor([Standardize(), Flatten(), Dense(4)], max_iter=1)
    with pytest.warns(UserWarning, match=r"values of y have a mean of .*: scale y"):
        model.fit(X, 1000 + y)
