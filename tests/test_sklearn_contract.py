"""scikit-learn's own estimator checks, on defaults and on a small configuration."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    FeatureExtractor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv1D, Dense, Flatten, MaxPool1D

DENSE = [("dense1", Dense(8, activation="tanh"))]
CONVOLUTIONAL = [
    ("conv1", Conv1D(4, 3, padding="same", activation="relu")),
    ("pool1", MaxPool1D(2, padding="same")),
    ("flatten", Flatten()),
    ("dense1", Dense(8, activation="relu")),
]

ESTIMATORS = [
    MLPClassifier(),
    MLPRegressor(),
    ConvNetClassifier(),
    ConvNetRegressor(),
    SequentialClassifier(),
    SequentialRegressor(),
    MLPClassifier((5, 3), solver="sgd", learning_rate_init=0.05, max_iter=50),
    MLPClassifier(5, loss="hinge", learning_rate_init=0.05, max_iter=50),
    # A check ranks probabilities, which are only distinct unless outputs saturate.
    MLPClassifier(
        5, loss="squared_error", alpha=0.1, learning_rate_init=0.05, max_iter=50
    ),
    MLPClassifier((), loss="perceptron", learning_rate_init=0.05, max_iter=50),
    MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", activation="tanh"),
    MLPRegressor("quantile", 5, solver="lbfgs", kernel_initializer="orthogonal"),
    ConvNetClassifier(4, hidden_layer_sizes=8, learning_rate_init=0.02, max_iter=50),
    ConvNetRegressor(4, hidden_layer_sizes=8, learning_rate_init=0.02, max_iter=50),
    SequentialClassifier(CONVOLUTIONAL, learning_rate_init=0.02, max_iter=50),
    SequentialRegressor(DENSE, solver="lbfgs"),
    FeatureExtractor(MLPRegressor(hidden_layer_sizes=5, random_state=0), "dense1"),
    FeatureExtractor(
        ConvNetClassifier(4, hidden_layer_sizes=8, max_iter=5, random_state=0),
        "conv1",
        pooling="avg",
    ),
    FeatureExtractor(
        SequentialRegressor(CONVOLUTIONAL, max_iter=5, random_state=0), "output"
    ),
]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
# Some checks have a mean of 100 in X, of which Sequential* rightly warn.
@pytest.mark.filterwarnings("ignore:Training started with a loss of:UserWarning")
@parametrize_with_checks(ESTIMATORS)
def test_estimator_contract(estimator, check):
    check(estimator)
