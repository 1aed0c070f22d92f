"""Rows of tokens with padding give in ONNX Runtime what they give in prediction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx_tools import TOLERANCE, assert_close, run
from padded_rows import (
    LENGTH,
    N_TOKENS,
    PADDING,
    assert_equal_in_runtime,
    draw_rows,
    embedding,
    initialized,
)

from skconvnet.layers import (
    GRU,
    LSTM,
    Activation,
    AdditiveAttention,
    AttentionPooling,
    AvgPool1D,
    BatchNorm,
    Bidirectional,
    Conv1D,
    Conv1DTranspose,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalLpPool,
    GlobalMaxPool,
    GroupNorm,
    InstanceNorm,
    LayerNorm,
    LpPool1D,
    MaxPool1D,
    MultiHeadAttention,
    Parallel,
    PositionalEncoding,
    Residual,
    RMSNorm,
    SeparableConv1D,
    SimpleRNN,
    SpatialPyramidPool,
    TimeDistributed,
    TransformerEncoder,
    Upsample,
)
from skconvnet.onnx.graph import MIN_OPSET

pytestmark = pytest.mark.onnxruntime

every_dtype = pytest.mark.parametrize("dtype", TOLERANCE)
every_opset = pytest.mark.parametrize("opset", [MIN_OPSET, None, 22])


NETWORKS = {
    "pooled": [Conv1D(8, 3, padding="same", activation="relu"), GlobalMaxPool()],
    "long kernel": [Conv1D(4, 6, activation="gelu"), GlobalMaxPool()],
    "strides": [Conv1D(4, 3, 2, padding=((2, 0),)), Activation("elu"), GlobalAvgPool()],
    "full": [Conv1D(4, 3, padding="full"), AvgPool1D(2, 1), GlobalAvgPool()],
    "dilation": [Conv1D(4, 3, dilation=2, padding="same"), GlobalMaxPool()],
    "separable": [SeparableConv1D(5, 3, padding="same"), BatchNorm(), GlobalAvgPool()],
    "transposed": [Conv1DTranspose(4, 3, 2, padding="same"), GlobalAvgPool()],
    "output_padding": [Conv1DTranspose(4, 4, 3, output_padding=2), GlobalAvgPool()],
    "upsampled": [Upsample(3), Conv1D(4, 4, padding="same"), GlobalMaxPool()],
    "max_pool": [MaxPool1D(3, 1, "same"), MaxPool1D(2), GlobalAvgPool()],
    "max_pool pads": [MaxPool1D(3, 2, ((1, 2),)), GlobalAvgPool()],
    "lp_pool": [LpPool1D(3, 1, "same"), LpPool1D(2, p=3), GlobalLpPool(1)],
    "global_lp_pool": [Conv1D(4, 3), GlobalLpPool(3)],
    "group_norm": [GroupNorm(2), Conv1D(4, 3), GroupNorm(4), GlobalMaxPool()],
    "instance_norm": [Conv1D(4, 4), InstanceNorm(), GlobalMaxPool()],
    "norms": [LayerNorm(), Conv1D(4, 3), RMSNorm(), Dropout(0.5), GlobalMaxPool()],
    "lstm": [LSTM(3, return_sequences=True), LSTM(4)],
    "gru": [GRU(3, return_sequences=True, reset_after=False), GRU(4)],
    "activations": [SimpleRNN(3, "elu", return_sequences=True), GRU(4, "softsign")],
    "backwards": [LSTM(3, return_sequences=True, go_backwards=True), GlobalAvgPool()],
    "backwards twice": [
        GRU(3, return_sequences=True, go_backwards=True),
        SimpleRNN(4, go_backwards=True, use_bias=False),
    ],
    "after valid": [Conv1D(4, 4), GRU(3, go_backwards=True)],
    "bidirectional": [
        Bidirectional(GRU(3, return_sequences=True)),
        Bidirectional(LSTM(4), "mul"),
    ],
    "attention": [
        PositionalEncoding(),
        MultiHeadAttention(2, 3),
        MultiHeadAttention(3, 2, causal=True),
        AttentionPooling(3),
    ],
    "few keys": [Conv1D(6, 5), MultiHeadAttention(2, 3), AttentionPooling(3)],
    "transformers": [
        PositionalEncoding("learned", max_length=LENGTH + 1),
        TransformerEncoder(2, 5, activation="gelu"),
        TransformerEncoder(3, 4, pre_norm=True, causal=True),
        GlobalMaxPool(),
    ],
    "additive": [AdditiveAttention(3), AdditiveAttention(2, causal=True), GRU(3)],
    "branches": [
        Parallel(
            [(f"b{k}", [Conv1D(3, k, padding="same"), GlobalMaxPool()]) for k in (2, 3)]
        ),
        Dense(4, "tanh"),
    ],
    "branches of maps": [
        Parallel([("a", [Conv1D(3, 3)]), ("b", [MaxPool1D(3, 1)])]),
        GlobalAvgPool(),
    ],
    "shortcut": [
        Residual([Conv1D(6, 3, padding="same"), BatchNorm()]),
        Residual([Conv1D(4, 2, padding="same")]),
        InstanceNorm(),
        GlobalMaxPool(),
    ],
    "steps": [GRU(3, return_sequences=True), TimeDistributed(Dense(4)), GRU(3)],
}


@every_dtype
@every_opset
@pytest.mark.parametrize("name", NETWORKS)
def test_padding_does_not_count(name, opset, dtype):
    X = draw_rows()
    model = initialized([embedding(), *NETWORKS[name]], X, dtype)
    assert_equal_in_runtime(model, X, dtype, opset)


@pytest.mark.parametrize("name", NETWORKS)
def test_it_does_not_matter_where_padding_is(name):
    rng = np.random.default_rng(0)
    text = np.array([7, 1, 0, 5])
    places = [np.sort(rng.permutation(LENGTH)[: len(text)]) for _ in range(8)]
    X = np.full((len(places), LENGTH), PADDING)
    for row, place in zip(X, places, strict=True):
        row[place] = text
    other = X[:1].copy()
    other[other == PADDING] = 7
    model = initialized([embedding(), *NETWORKS[name]], X)
    found = run(model.to_onnx(X), np.concatenate([X, other]))["variable"]
    scale = np.abs(found).max()
    np.testing.assert_allclose(found[:-1] / scale, found[[0] * 8] / scale, 0, 1e-12)
    if name != "bidirectional":  # whose product may be small
        assert np.abs(found[-1] - found[0]).max() > 1e-6 * scale


# Layers that take a sequence of any length from 1 on, and return one.
MIDDLE = [
    Activation("tanh"),
    BatchNorm(),
    Bidirectional(LSTM(2, return_sequences=True)),
    Conv1D(4, 2, padding="same"),
    Conv1D(4, 4, padding="full"),
    Conv1DTranspose(2, 2, 2),
    GRU(4, return_sequences=True, go_backwards=True),
    GroupNorm(2, epsilon=0.1),
    InstanceNorm(epsilon=0.1),
    MaxPool1D(2, 1, "same"),
    MultiHeadAttention(2, 2),
    Residual([Conv1D(4, 3, padding="same")]),
    TransformerEncoder(2, 3, epsilon=0.1),
    Upsample(2),
]
LAST = [
    AttentionPooling(3),
    Bidirectional(GRU(2)),
    GlobalAvgPool(),
    GlobalLpPool(),
    GlobalMaxPool(),
    LSTM(3),
    Parallel([("a", GlobalMaxPool()), ("b", SimpleRNN(2))]),
]


@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_layers_in_any_order(data):
    middle = data.draw(st.lists(st.sampled_from(MIDDLE), max_size=4))
    # Of different lengths again after a layer whose outputs may have no step.
    shrink = data.draw(st.sampled_from([[], [Conv1D(4, 3)], [MaxPool1D(3)]]))
    last = data.draw(st.sampled_from(LAST))
    layers = [embedding(4), *middle, *shrink, *middle[:1], last]
    specs = [(f"layer{i}", layer) for i, layer in enumerate(layers)]
    X = draw_rows(seed=data.draw(st.integers(0, 1000)))
    # Many layers in a row make float32 inexact.
    assert_equal_in_runtime(initialized(specs, X, "float64"), X, "float64")


@every_dtype
def test_padding_stays_in_place_where_it_counts(dtype):
    X = draw_rows()
    layers = [embedding(), Conv1D(3, 2), Bidirectional(GRU(3, return_sequences=True))]
    model = initialized([*layers, Flatten()], X, dtype)
    assert_equal_in_runtime(model, X, dtype)
    operators = {node.op_type for node in model.to_onnx(X).graph.node}
    assert not operators & {"ScatterElements", "Where", "ReverseSequence"}


@pytest.mark.parametrize("input_dtype", ["uint8", "int32", "float32"])
def test_tokens_of_any_dtype(input_dtype):
    X = draw_rows()
    model = initialized([embedding(), Conv1D(4, 3), GlobalMaxPool()], X)
    found = run(model.to_onnx(X.astype(input_dtype)), X.astype(input_dtype))
    assert_close(found["variable"], model.predict(X), 1e-10)


@pytest.mark.parametrize(
    ("layers", "path", "remedy"),
    [
        ([Conv1D(4, 3, 2, padding="same"), GlobalMaxPool()], "conv1d", "padding to"),
        ([MaxPool1D(3, 2, "same"), GRU(2)], "maxpool1d", "padding to"),
        ([AvgPool1D(3, 1, "same"), GRU(2)], "avgpool1d", "padding to 'valid'"),
        ([Upsample(2, "bilinear"), GRU(2)], "upsample", "'nearest'"),
        ([SpatialPyramidPool((1, 2))], "spatialpyramidpool", r"GlobalMaxPool\(\)"),
        (
            [Residual([Conv1D(6, 3, 2, padding="same")]), GRU(2)],
            "residual/conv1d",
            "padding to",
        ),
    ],
)
def test_a_layer_that_is_built_for_each_length_is_refused(layers, path, remedy):
    X = draw_rows()
    model = initialized([embedding(), *layers], X)
    with pytest.raises(ValueError, match=f"'{path}' cannot .*{remedy}"):
        model.to_onnx(X)
    same = initialized([Embedding(N_TOKENS, 6), *layers], X)
    assert_equal_in_runtime(same, X, "float64")


def test_a_pyramid_of_sentences_is_refused():
    X = draw_rows((4, 6))
    pyramid = TimeDistributed([embedding(), SpatialPyramidPool((1, 2))])
    with pytest.raises(ValueError, match="'spatialpyramidpool' cannot leave out pad"):
        initialized([pyramid, GRU(2)], X)


@every_dtype
def test_a_pipeline_of_skl2onnx(dtype):
    skl2onnx = pytest.importorskip("skl2onnx", reason="skl2onnx is in the extra `onnx`")
    import skconvnet.onnx

    skconvnet.onnx.register()
    X = draw_rows()
    layers = [embedding(), LSTM(3, return_sequences=True), GlobalMaxPool()]
    model = initialized(layers, X, dtype)
    exported = skl2onnx.to_onnx(model, X[:1])
    assert_close(run(exported, X)["variable"], model.predict(X), 1e-5)
