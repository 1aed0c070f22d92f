"""Rows of tokens with padding, and networks that read them in ONNX Runtime."""

import numpy as np
from onnx_tools import TOLERANCE, TOLERANCE_OF_ERF, assert_close, randomize, run

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import Embedding

LENGTH, N_TOKENS, PADDING = 9, 20, 3


def embedding(n_dims=6, **params):
    return Embedding(N_TOKENS, n_dims, padding_token=PADDING, **params)


def draw_rows(shape=(LENGTH,), seed=0):
    """Return rows with padding in all places; some have none, and some nothing else."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, N_TOKENS, (16, *shape))
    X[X == PADDING] += 1
    X[rng.uniform(size=X.shape) < rng.uniform(size=(16, *(1,) * len(shape)))] = PADDING
    X[0] = np.where(X[0] == PADDING, 7, X[0])
    X[1] = PADDING
    X[2, ..., 5:] = PADDING
    X[3, ..., :4] = PADDING
    X[4, ..., 1:] = PADDING
    X[5, ..., :-1] = PADDING
    X[6, ..., 2:4] = PADDING
    return X


def initialized(layers, X, dtype="float64", shape=(), cls=SequentialRegressor):
    model = cls(layers, dtype=dtype, random_state=0)
    y = np.random.default_rng(0).normal(size=(len(X), *shape, 2))
    if cls is SequentialClassifier:
        y = (np.arange(y[..., :1].size) % 3).reshape(*y.shape[:-1], 1)
    return randomize(model.initialize(X, y))


def assert_equal_in_runtime(model, X, dtype, opset=None):
    exported = model.to_onnx(X, opset=opset)
    expected = model.predict(X)
    scale = np.abs(expected).max()
    tolerance = TOLERANCE[dtype]
    if "Erf" in {node.op_type for node in exported.graph.node}:
        tolerance = max(tolerance, TOLERANCE_OF_ERF)
    for rows in (slice(None), slice(1), slice(1, 2), slice(2, 5)):
        found = run(exported, X[rows])["variable"]
        assert_close(found, expected[rows], tolerance, scale=scale)
