"""Networks whose `initialize` tells how X is read."""

import warnings

import numpy as np
from estimator_cases import labels

from skconvnet import ConvNetClassifier, SequentialClassifier
from skconvnet.layers import Conv1D, Conv2D, Conv3D, GlobalAvgPool

N = 6


def sized(*shape):
    """Return samples of a shape; their values do not matter, but differ."""
    X = np.zeros((N, *shape), dtype=np.float32)
    X[0] = 1
    return X


def convnet(**params):
    fixed = {"filters": 2, "hidden_layer_sizes": (), "pooling": None, "max_iter": 1}
    return ConvNetClassifier(**{**fixed, "random_state": 0, **params})


def sequential(ndim, **params):
    convolution = {1: Conv1D, 2: Conv2D, 3: Conv3D}[ndim]
    layers = [convolution(2, 1), GlobalAvgPool()]
    return SequentialClassifier(layers, max_iter=1, random_state=0, **params)


def read(model, X):
    """Return how the samples are read, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        model.initialize(X, labels(N))
    return model.network_.in_shape, [str(w.message) for w in caught]
