"""Outputs for every token, and sequences of sequences, in ONNX Runtime."""

import numpy as np
import pytest
from onnx_tools import TOLERANCE, assert_close, run
from padded_rows import (
    LENGTH,
    PADDING,
    assert_equal_in_runtime,
    draw_rows,
    embedding,
    initialized,
)

from skconvnet import FeatureExtractor, SequentialClassifier
from skconvnet.layers import (
    GRU,
    LSTM,
    AttentionPooling,
    Bidirectional,
    Conv1D,
    Dense,
    EncoderDecoder,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    GroupNorm,
    MaxPool1D,
    Parallel,
    Residual,
    TimeDistributed,
    TransformerEncoder,
)
from skconvnet.onnx.graph import MIN_OPSET

pytestmark = pytest.mark.onnxruntime

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
every_opset = pytest.mark.parametrize("opset", [MIN_OPSET, None, 22])


MAPS = [embedding(), Conv1D(4, 3, padding="same", activation="tanh"), GroupNorm(2)]


@every_dtype
@every_opset
def test_predictions_at_padding(opset, dtype):
    X = draw_rows()
    model = initialized(MAPS, X, dtype, (LENGTH,))
    assert_equal_in_runtime(model, X, dtype, opset)
    found = run(model.to_onnx(X), X)["variable"]
    np.testing.assert_array_equal(found.any(axis=-1), X != PADDING)


@every_dtype
def test_labels_of_tokens(dtype):
    X = draw_rows()
    clf = initialized(MAPS, X, dtype, (LENGTH,), SequentialClassifier)
    found = run(clf.to_onnx(X), X)
    np.testing.assert_array_equal(found["label"], clf.predict(X))
    expected = clf.predict_proba(X)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(found["probabilities"][X == PADDING], 1 / 3, rtol=1e-6)


def transform(layers, X, layer, dtype, pooling=None):
    """Return the features of an extractor, and those of the exported one."""
    model = initialized(layers, X, dtype)
    features = FeatureExtractor(model, layer, pooling=pooling, prefit=True)
    features.fit(X)
    exported = features._to_onnx(X, opset=None)  # noqa: SLF001  skl2onnx has no float64
    return features.transform(X), run(exported, X)["variable"]


@every_dtype
@pytest.mark.parametrize("pooling", [None, "avg", "max"])
@pytest.mark.parametrize("layer", ["embedding", "conv1d", "maxpool1d", "globalmaxpool"])
def test_features(layer, pooling, dtype):
    X = draw_rows()
    layers = [embedding(), Conv1D(4, 3, padding="same"), MaxPool1D(2), GlobalMaxPool()]
    expected, found = transform(layers, X, layer, dtype, pooling)
    assert_close(found, expected, TOLERANCE[dtype])


def test_features_before_a_layer_that_is_not_exported():
    layers = [embedding(), Conv1D(4, 3, 2, padding="same"), GlobalMaxPool()]
    expected, found = transform(layers, draw_rows(), "embedding", "float64")
    assert_close(found, expected, 1e-12)
    with pytest.raises(ValueError, match="'conv1d' cannot be exported"):
        transform(layers, draw_rows(), "conv1d", "float64")


SENTENCES = [
    [TimeDistributed([embedding(), GRU(4)]), GRU(3)],
    [
        TimeDistributed([embedding(), Bidirectional(GRU(2)), Dense(3)]),
        Bidirectional(GRU(3, return_sequences=True)),
        AttentionPooling(3),
    ],
    [
        TimeDistributed([embedding(), Conv1D(4, 4), GlobalMaxPool()]),
        TimeDistributed(Dense(4)),
        TransformerEncoder(2, 3),
        GlobalAvgPool(),
    ],
    [TimeDistributed(embedding(reduce="mean")), Conv1D(3, 2), GlobalMaxPool()],
    [TimeDistributed([embedding(), Flatten(), Dense(3)]), GRU(4)],
    [
        TimeDistributed([embedding(), GRU(3)]),
        GRU(3, return_sequences=True, go_backwards=True),
        Flatten(),
    ],
]


@every_dtype
@every_opset
@pytest.mark.parametrize("number", range(len(SENTENCES)))
def test_sentences_of_documents(number, opset, dtype):
    X = draw_rows((4, 6))
    X[7, 2:] = PADDING
    X[8, 1] = PADDING
    X[9, :3] = PADDING
    assert_equal_in_runtime(initialized(SENTENCES[number], X, dtype), X, dtype, opset)


def test_sentences_of_paragraphs_of_documents():
    X = draw_rows((3, 2, 5))
    X[7, 1:] = X[8, :, 1] = X[9, :2, 1] = PADDING
    paragraphs = [TimeDistributed([embedding(), GRU(4)]), AttentionPooling(2)]
    model = initialized([TimeDistributed(paragraphs), LSTM(3)], X)
    assert_equal_in_runtime(model, X, "float64")


@every_dtype
@every_opset
def test_sequence_to_sequence(opset, dtype):
    rng = np.random.default_rng(0)
    X = draw_rows((5 + 4,))
    X[X == PADDING] = 7
    for row, n, m in zip(
        X, rng.integers(0, 6, 16), rng.integers(0, 5, 16), strict=True
    ):
        row[n:5] = row[5 + m :] = PADDING
    layer = EncoderDecoder(
        [embedding(), Bidirectional(GRU(2, return_sequences=True))],
        [embedding(3), LSTM(5, return_sequences=True)],
        5,
        units=3,
    )
    for layers in ([layer], [layer, Conv1D(3, 1, activation="tanh")]):
        model = initialized(layers, X, dtype, (4,))
        assert_equal_in_runtime(model, X, dtype, opset)


def test_branches_with_embeddings_of_their_own():
    X = draw_rows()
    branches = [("a", [embedding(), GRU(3)]), ("b", [embedding(2), Flatten()])]
    maps = [("a", [embedding(), Conv1D(3, 2)]), ("b", [embedding(2), MaxPool1D(2, 1)])]
    for layers in (
        [Parallel(branches)],
        [Parallel(branches[:1]), Dense(3)],
        [Parallel(maps), GRU(3, go_backwards=True)],
        [Residual(maps[0][1], shortcut=[embedding(3), Conv1D(3, 2)]), GRU(3)],
    ):
        assert_equal_in_runtime(initialized(layers, X), X, "float64")
