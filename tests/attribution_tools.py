"""Small fitted estimators of every kind, and their scores, for tests of gradients."""

from functools import cache

import numpy as np
import pytest

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.inspection.attribution.attribute import METHODS
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Parallel,
    Rescaling,
    Residual,
    SpatialPyramidPool,
)

N = 24
SHARED = {"max_iter": 2, "random_state": 0, "dtype": "float64", "batch_size": 8}
CONVNET = {"filters": (3, 4), "hidden_layer_sizes": (5,), "activation": "tanh"}

MANY_KINDS = [
    ("scale", Rescaling(0.5, -0.25)),
    ("transposed", Conv2DTranspose(2, 3, strides=2)),
    ("norm", BatchNorm()),
    ("relu", Activation("relu")),
    (
        "join",
        Parallel(
            [
                ("dilated", Conv2D(3, 3, dilation=2, padding="same")),
                ("norm", [Conv2D(2, 1), BatchNorm(), Activation("tanh")]),
            ]
        ),
    ),
    ("drop", Dropout(0.5)),
    ("residual", Residual([Conv2D(4, 3, strides=2, padding="same")])),
    ("pool", MaxPool2D(2)),
    ("flatten", Flatten()),
    ("dense", Dense(6, activation="tanh")),
]
SERIES = [
    ("conv", Conv1D(4, 3, activation="relu")),
    ("pool", MaxPool1D(2)),
    ("mean", GlobalAvgPool()),
]
VOLUMES = [
    ("conv", Conv3D(3, 2, activation="relu")),
    ("pool", MaxPool3D(2)),
    ("flatten", Flatten()),
]
ANY_SIZE = [
    ("conv", Conv2D(3, 3, padding="same", activation="tanh")),
    ("pyramid", SpatialPyramidPool((1, 2))),
]


def samples(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=(N, *shape))


def classes(n=3):
    return np.array([f"class {i % n}" for i in range(N)])


def labels():
    return np.random.default_rng(1).integers(0, 2, size=(N, 3))


def numbers(X, n=2):
    rows = X.reshape(len(X), -1)
    return 7 + 30 * rows @ np.random.default_rng(2).normal(size=(rows.shape[1], n))


# The estimator, X and y of each case.
CASES = {
    "mlp multiclass": lambda: (
        MLPClassifier((6, 5), activation="tanh", **SHARED),
        samples(7),
        classes(),
    ),
    "mlp binary": lambda: (
        MLPClassifier((6,), **SHARED),
        samples(7),
        classes(2),
    ),
    "mlp multilabel": lambda: (MLPClassifier((6,), **SHARED), samples(7), labels()),
    "mlp hinge": lambda: (
        MLPClassifier((6,), loss="hinge", **SHARED),
        samples(7),
        classes(),
    ),
    "mlp regressor": lambda: (
        MLPRegressor(hidden_layer_sizes=(6,), **SHARED),
        samples(7),
        numbers(samples(7)),
    ),
    "mlp poisson": lambda: (
        MLPRegressor(hidden_layer_sizes=(6,), loss="poisson", **SHARED),
        samples(7),
        np.arange(N) % 5,
    ),
    "convnet images": lambda: (
        ConvNetClassifier(**CONVNET, **SHARED),
        samples(8, 9, 2),
        classes(),
    ),
    "convnet channels first": lambda: (
        ConvNetClassifier(data_format="channels_first", **CONVNET, **SHARED),
        samples(2, 8, 9),
        classes(),
    ),
    "convnet rows, channels first": lambda: (
        ConvNetClassifier(
            data_format="channels_first", input_shape=(2, 8, 9), **CONVNET, **SHARED
        ),
        samples(144),
        classes(2),
    ),
    "convnet gray": lambda: (
        ConvNetClassifier(batch_norm=True, **CONVNET, **SHARED),
        samples(8, 9),
        classes(2),
    ),
    "convnet rows": lambda: (
        ConvNetClassifier(dropout=0.5, **CONVNET, **SHARED),
        samples(64),
        labels(),
    ),
    "convnet series": lambda: (
        ConvNetClassifier(input_shape=(20, 2), **CONVNET, **SHARED),
        samples(20, 2),
        classes(),
    ),
    "convnet regressor": lambda: (
        ConvNetRegressor(**CONVNET, **SHARED),
        samples(8, 9, 2),
        numbers(samples(8, 9, 2)),
    ),
    "convnet poisson": lambda: (
        ConvNetRegressor(loss="poisson", **CONVNET, **SHARED),
        samples(8, 9),
        np.arange(N) % 5,
    ),
    "sequential of many kinds": lambda: (
        SequentialClassifier(MANY_KINDS, **SHARED),
        samples(5, 6, 2),
        classes(),
    ),
    "sequential squared error": lambda: (
        SequentialClassifier(MANY_KINDS, loss="squared_error", **SHARED),
        samples(5, 6, 2),
        classes(2),
    ),
    "sequential series": lambda: (
        SequentialRegressor(SERIES, **SHARED),
        samples(12, 2),
        numbers(samples(12, 2), 1)[:, 0],
    ),
    "sequential volumes": lambda: (
        SequentialRegressor(VOLUMES, **SHARED),
        samples(5, 6, 4, 2),
        numbers(samples(5, 6, 4, 2)) / 100,
    ),
    "sequential any size": lambda: (
        SequentialClassifier(ANY_SIZE, **SHARED),
        images_of_sizes(),
        classes(),
    ),
}


def images_of_sizes():
    """Return images of several sizes, without an axis of channels."""
    rng = np.random.default_rng(3)
    return [rng.uniform(size=(5 + i % 3, 6 + i % 2)) for i in range(N)]


@cache
def fitted(case):
    """Return the fitted estimator and X of a case, which tests must not change."""
    model, X, y = CASES[case]()
    return model.fit(X, y), X


def n_targets(model):
    return len(model.classes_) if hasattr(model, "classes_") else model.n_outputs_


def target_of(model, position):
    """Return the label of a class, or the index of an output."""
    if not hasattr(model, "classes_"):
        return position
    return model.classes_[position]


def scores_of(model, X):
    """Return the scores of all targets by public methods, (n_samples, n_targets)."""
    if not hasattr(model, "decision_function"):
        return model.predict(X).reshape(len(X), -1)
    scores = model.decision_function(X)
    return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def target_scores_of(model, X, positions):
    return scores_of(model, X)[np.arange(len(X)), positions]


def default_positions(model, X):
    """Return the positions of the targets that None stands for."""
    scores = scores_of(model, X)
    is_multilabel = getattr(model, "_targets", None) and model.predict(X).ndim > 1
    if not hasattr(model, "decision_function") or is_multilabel:
        return np.zeros(len(X), dtype=int)
    return scores.argmax(axis=1)


def finite_differences(score, x, step=1e-6):
    """Return the gradient of a score of one sample.

    `score` takes samples of the shape of x.
    """
    steps = step * np.eye(x.size).reshape(x.size, *x.shape)
    difference = score(x + steps) - score(x - steps)
    return difference.reshape(x.shape) / (2 * step)


every_case = pytest.mark.parametrize("case", CASES)
every_method = pytest.mark.parametrize("method", METHODS)

# The error of integrated gradients, as a share of the largest difference of scores,
# over many steps in networks with ReLU or max pooling, whose gradient jumps.
N_STEPS, ERROR = 1000, 0.01

FEW = {
    "integrated_gradients": {"n_steps": 3},
    "smooth_grad": {"n_samples": 3, "random_state": 0},
}


def few(method):
    """Return options with which a method is fast and repeatable."""
    return FEW.get(method, {})
