"""TransformerEncoder against PyTorch's TransformerEncoderLayer."""

import numpy as np
import pytest
from attention_tools import assert_padded_is_each_alone, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails, batch_last
from test_attention import attention_of

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import GlobalAvgPool, PositionalEncoding, TransformerEncoder


def torch_block(torch, bench, spec, channels):
    """Return PyTorch's module, and a function from its parameters to our names."""
    theirs = torch.nn.TransformerEncoderLayer(
        channels,
        spec.num_heads,
        spec.units,
        dropout=0.0,
        activation=spec.activation,
        layer_norm_eps=spec.epsilon,
        batch_first=True,
        norm_first=spec.pre_norm,
        dtype=torch.float64,
    )

    def in_their_order(arrays):
        names = ("query", "key", "value")
        kernels = [arrays[f"attention/{name}_kernel"].T for name in names]
        biases = [arrays[f"attention/{name}_bias"] for name in names]
        yield theirs.self_attn.in_proj_weight, np.concatenate(kernels)
        yield theirs.self_attn.in_proj_bias, np.concatenate(biases)
        output = theirs.self_attn.out_proj
        yield output.weight, arrays["attention/output_kernel"].T
        yield output.bias, arrays["attention/output_bias"]
        for number in (1, 2):
            dense = getattr(theirs, f"linear{number}")
            yield dense.weight, arrays[f"dense{number}/kernel"].T
            yield dense.bias, arrays[f"dense{number}/bias"]
            norm = getattr(theirs, f"norm{number}")
            yield norm.weight, arrays[f"norm{number}/gamma"]
            yield norm.bias, arrays[f"norm{number}/beta"]

    with torch.no_grad():
        for parameter, values in in_their_order(bench.weights):
            parameter.copy_(torch.tensor(values))
    return theirs, in_their_order


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("lengths", [None, [5, 2, 1]])
def test_block_equals_torch(torch, lengths, causal, activation, pre_norm):
    channels, length = 6, 5
    spec = TransformerEncoder(
        3, 7, 0.0, activation, pre_norm=pre_norm, epsilon=1e-3, causal=causal
    )
    bench = Bench(spec, (length, channels))
    x, dy = draw((3, length, channels)), draw((3, length, channels), seed=2)
    padding = None
    if lengths is not None:
        bench.workspace.lengths = lengths = np.array(lengths)
        is_padding = np.arange(length) >= lengths[:, None]
        padding = torch.tensor(is_padding)
        x[is_padding] = dy[is_padding] = 0
    theirs, in_their_order = torch_block(torch, bench, spec, channels)
    inputs = torch.tensor(x, requires_grad=True)
    mask = torch.tensor(np.triu(np.ones((length, length), bool), 1)) if causal else None
    expected = theirs(inputs, src_mask=mask, src_key_padding_mask=padding)
    expected.backward(torch.tensor(dy))
    y = bench.forward(x)
    dx, found, _ = bench.backward(dy.copy())
    close = {"rtol": 1e-8, "atol": 1e-10}
    expected = expected.detach().numpy()
    if lengths is not None:
        y[is_padding] = expected[is_padding] = 0
    np.testing.assert_allclose(y, expected, **close)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), **close)
    for parameter, gradient in in_their_order(found):
        np.testing.assert_allclose(gradient, parameter.grad.numpy(), **close)


def norm(x, gamma, beta):
    deviation = x - x.mean(axis=-1, keepdims=True)
    variance = (deviation**2).mean(axis=-1, keepdims=True)
    return gamma * deviation / np.sqrt(variance + 1e-5) + beta


@pytest.mark.parametrize("pre_norm", [False, True])
def test_block_is_its_formula(pre_norm):
    bench = Bench(TransformerEncoder(2, 5, pre_norm=pre_norm), (7, 6))
    w = bench.weights
    attention = {
        name.removeprefix("attention/"): array
        for name, array in w.items()
        if name.startswith("attention")
    }
    norm1, norm2 = (
        lambda x, n=n: norm(x, w[f"norm{n}/gamma"], w[f"norm{n}/beta"]) for n in (1, 2)
    )

    def attend(x):
        return attention_of(attention, x, 2, 3)[0]

    def dense(x):
        hidden = np.maximum(x @ w["dense1/kernel"] + w["dense1/bias"], 0)
        return hidden @ w["dense2/kernel"] + w["dense2/bias"]

    x = draw((3, 7, 6))
    for y, sample in zip(bench.forward(x), x, strict=True):
        if pre_norm:
            between = sample + attend(norm1(sample))
            expected = between + dense(norm2(between))
        else:
            between = norm1(sample + attend(sample))
            expected = norm2(between + dense(between))
        np.testing.assert_allclose(y, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("pre_norm", [False, True])
@pytest.mark.parametrize("causal", [False, True])
def test_padded_samples_are_as_each_alone(pre_norm, causal):
    spec = TransformerEncoder(2, 5, 0.0, "gelu", pre_norm=pre_norm, causal=causal)
    assert_padded_is_each_alone(spec, 4)


@settings(max_examples=20, deadline=None)
@given(
    lengths=st.lists(st.integers(0, 7), min_size=1, max_size=5).filter(any),
    pre_norm=st.booleans(),
    causal=st.booleans(),
)
def test_padded_samples_of_any_lengths_are_as_each_alone(lengths, pre_norm, causal):
    spec = TransformerEncoder(2, 5, pre_norm=pre_norm, causal=causal)
    assert_padded_is_each_alone(spec, 4, np.array(lengths))


@pytest.mark.parametrize("pre_norm", [False, True])
def test_weights_are_those_of_the_attention_inside(pre_norm):
    bench = Bench(TransformerEncoder(2, 5, pre_norm=pre_norm), (7, 6))
    x = draw((3, 7, 6))
    seen = norm(x, *(bench.weights[f"norm1/{n}"] for n in ("gamma", "beta")))
    own = {
        name.removeprefix("attention/"): array
        for name, array in bench.weights.items()
        if name.startswith("attention")
    }
    found = bench.layer.attention_weights(batch_last(x), bench.workspace)
    for i, sample in enumerate(seen if pre_norm else x):
        _, expected = attention_of(own, sample, 2, 3)
        np.testing.assert_allclose(found[..., i], expected, rtol=1e-10, atol=1e-12)


def test_dropout_is_drawn_anew_in_four_places():
    layer = TransformerEncoder(2, 5, dropout=0.5).build((3, 4))
    names = list(layer.chain.layers)
    assert [name for name in names if name.startswith("dropout")] == [
        "dropout1",
        "dropout2",
        "dropout3",
    ]
    assert layer.chain.layers["attention"].dropout == 0.5
    bench = Bench(TransformerEncoder(2, 5, dropout=0.5), (3, 4))
    x = draw((2, 3, 4))
    assert (bench.forward(x, train=True, seed=1) != bench.forward(x)).any()


@pytest.mark.parametrize("pre_norm", [False, True])
def test_a_frozen_block_has_no_gradients_but_that_of_the_input(pre_norm):
    spec = TransformerEncoder(2, 5, pre_norm=pre_norm)
    bench, frozen = Bench(spec, (5, 4)), Bench(spec, (5, 4))
    frozen.layer.freeze()
    assert not frozen.layer.trained_shapes
    x, dy = draw((2, 5, 4)), draw((2, 5, 4), seed=2)
    np.testing.assert_array_equal(bench.forward(x), frozen.forward(x))
    expected, _, _ = bench.backward(dy)
    dx = frozen.layer.backward(
        batch_last(dy),
        frozen.cache,
        gradients={},
        workspace=frozen.workspace,
        need_dx=True,
    )
    np.testing.assert_array_equal(dx, batch_last(expected))


def test_memory_is_proportional_to_the_length():
    def nbytes(length):
        specs = [("layer", TransformerEncoder(4, 32))]
        network = Network(specs, (length, 16), "float32")
        workspaces = network.workspaces()
        x = np.ones((16, length, 2), "float32")
        layer, workspace = network.layers["layer"], workspaces[0]
        y, cache = layer.forward(x, train=True, rng=None, workspace=workspace)
        gradients = {k: np.empty(v) for k, v in layer.weight_shapes.items()}
        layer.backward(y, cache, gradients=gradients, workspace=workspace, need_dx=True)
        return workspace.nbytes + workspace.scratch_nbytes

    assert nbytes(2048) < 4.05 * nbytes(512)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_learns_which_step_comes_first_if_it_knows_positions():
    rng, n = np.random.default_rng(0), 600
    X = 0.1 * rng.normal(size=(n, 6, 4)).astype("float32")
    first, second = np.argsort(rng.random((n, 6)), axis=1)[:, :2].T
    X[..., :2] = 0
    X[np.arange(n), first, 0] = X[np.arange(n), second, 1] = 3
    y = first < second
    scores = []
    for start in ([PositionalEncoding()], []):
        layers = [*start, TransformerEncoder(2, 16, pre_norm=True), GlobalAvgPool()]
        model = SequentialClassifier(
            layers,
            batch_size=32,
            learning_rate_init=0.01,
            max_iter=20,
            random_state=0,
        )
        scores.append(model.fit(X[:400], y[:400]).score(X[400:], y[400:]))
    assert scores[0] > 0.85
    assert scores[1] < 0.65


def test_heads_must_divide_the_channels():
    assert_build_fails(
        ValueError, TransformerEncoder(3, 5), (4, 8), "num_heads", "divisor", "8", "3"
    )


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("num_heads", [0, 2.0, None]),
        ("units", [0, -1, 2.0, None]),
        ("dropout", [1, -0.1, "0", None]),
        ("activation", ["Relu?", 3]),
        ("pre_norm", [1, None]),
        ("epsilon", [0, -1.0, None]),
        ("causal", [1, None]),
        ("kernel_initializer", ["glorot", None]),
    ],
)
def test_bad_parameters(name, values):
    for value in values:
        spec = TransformerEncoder(**{"num_heads": 2, "units": 3, name: value})
        with pytest.raises((TypeError, ValueError), match=rf"\b{name} must be .* got"):
            spec.build((4, 6))
