"""Small estimators and data that the tests of the estimators share."""

import numpy as np

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D

N = 60
SHAPE = (6, 6)


def images(n=N, seed=0):
    return np.random.default_rng(seed).uniform(size=(n, *SHAPE))


def labels(n=N):
    return np.arange(n) % 3


def layer_list():
    return [
        ("conv1", Conv2D(3, 3, activation="relu")),
        ("pool1", MaxPool2D(2)),
        ("flatten", Flatten()),
        ("dense1", Dense(5, activation="tanh")),
    ]


# A network that sees X as it is, and training that is simple to follow by hand.
PLAIN = {
    "rescale": None,
    "batch_norm": False,
    "alpha": 1e-4,
    "learning_rate": "constant",
    "learning_rate_init": 0.001,
}


def make(cls, **params):
    """Return a small `cls` that trains for two epochs without a warning."""
    params = {"max_iter": 2, "random_state": 0, **params}
    if cls.__name__.startswith("MLP"):
        params = {"hidden_layer_sizes": (5,), **params}
    elif cls.__name__.startswith("ConvNet"):
        params = {"filters": (3,), "hidden_layer_sizes": (5,), **PLAIN, **params}
    else:
        params = {"layers": layer_list(), **params}
    return cls(**params)


CLASSIFIERS = [MLPClassifier, ConvNetClassifier, SequentialClassifier]
REGRESSORS = [MLPRegressor, ConvNetRegressor, SequentialRegressor]
ESTIMATORS = CLASSIFIERS + REGRESSORS
IMAGE_ESTIMATORS = [cls for cls in ESTIMATORS if not cls.__name__.startswith("MLP")]


def data_for(cls, n=N, seed=0):
    """Rows for perceptrons, images for the others; labels, or numbers."""
    X = images(n, seed)
    if cls.__name__.startswith("MLP"):
        X = X.reshape(n, -1)
    y = labels(n) if cls in CLASSIFIERS else X.reshape(n, -1)[:, :4].sum(axis=1)
    return X, y
