"""Attention is exported with the oldest operators, too."""

import numpy as np
import pytest
from onnx_tools import TOLERANCE, TOLERANCE_OF_ERF, assert_close, randomize, run

from skconvnet import SequentialRegressor
from skconvnet.layers import (
    AdditiveAttention,
    AttentionPooling,
    Flatten,
    MultiHeadAttention,
    PositionalEncoding,
    TransformerEncoder,
)
from skconvnet.onnx.graph import MIN_OPSET

pytestmark = pytest.mark.onnxruntime

NETWORKS = {
    "attention": [MultiHeadAttention(3, 2, 4, causal=True), Flatten()],
    "no bias": [MultiHeadAttention(2, 3, use_bias=False), AttentionPooling(3)],
    "transformer": [
        PositionalEncoding("learned"),
        TransformerEncoder(2, 5, dropout=0.1, activation="gelu"),
        TransformerEncoder(2, 5, pre_norm=True, causal=True),
        AttentionPooling(3),
    ],
    "additive": [
        PositionalEncoding(),
        AdditiveAttention(3),
        AdditiveAttention(3, causal=True),
        Flatten(),
    ],
}


@pytest.mark.parametrize("opset", [MIN_OPSET, None])
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_compute_the_same(name, dtype, opset):
    X = np.random.default_rng(0).normal(size=(5, 7, 6)).astype(dtype)
    model = SequentialRegressor(NETWORKS[name], dtype=dtype, random_state=0)
    model = randomize(model.initialize(X, np.ones((len(X), 2))))
    exported = model.to_onnx(X, opset=opset)
    tolerance = TOLERANCE[dtype]
    if "Erf" in {node.op_type for node in exported.graph.node}:
        tolerance = max(tolerance, TOLERANCE_OF_ERF)
    expected = model.predict(X)
    for n in (1, len(X)):
        found = run(exported, X[:n])["variable"]
        scale = np.abs(expected).max()
        assert_close(found, expected[:n], tolerance, scale=scale)
