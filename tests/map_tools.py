"""Small networks that predict maps, and their samples and targets."""

import numpy as np

from skconvnet.layers import (
    Conv1D,
    Conv2D,
    Conv3D,
)

CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}
SIZES = {1: (9,), 2: (6, 5), 3: (4, 3, 5)}


def layers_for(ndim, filters=4):
    conv = CONVOLUTIONS[ndim](filters, 3, padding="same", activation="tanh")
    return [("conv", conv)]


def make(cls, layers=None, **params):
    params = {
        "max_iter": 3,
        "batch_size": 4,
        "random_state": 0,
        "dtype": "float64",
        "learning_rate_init": 0.01,
        **params,
    }
    return cls(layers_for(2) if layers is None else layers, **params)


def maps(n=20, ndim=2, channels=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *SIZES[ndim], channels))


def labels(X, n_classes=3):
    bounds = np.linspace(-0.5, 0.5, n_classes - 1) if n_classes > 2 else [0.0]
    return np.digitize(X[..., 0], bounds)


def ragged(n=12, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [(6, 5), (4, 7), (6, 5), (8, 8)]
    return [rng.normal(size=(*sizes[i % 4], 1)) for i in range(n)]
