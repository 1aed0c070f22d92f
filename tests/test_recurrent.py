"""Recurrent layers: published formulas, PyTorch, Keras, and padded sequences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails
from padding_tools import assert_padding_changes_nothing
from scipy.special import expit

from skconvnet.initializers import Normal
from skconvnet.layers import GRU, LSTM, SimpleRNN
from skconvnet.ops.recurrent import sequence
from skconvnet.ops.recurrent.reversal import reverse_steps

FUNCTIONS = {
    "tanh": np.tanh,
    "logistic": expit,
    "relu": lambda z: np.maximum(z, 0),
    "silu": lambda z: z * expit(z),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    None: lambda z: z,
}
KINDS = {
    "simple": SimpleRNN,
    "reset after": GRU,
    "reset before": lambda *args, **params: GRU(*args, reset_after=False, **params),
    "lstm": LSTM,
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))


@pytest.fixture(params=[1, 2**18], ids=["blocks of one step", "one block"])
def _blocks(request, monkeypatch):
    monkeypatch.setattr(sequence, "_BLOCK_BYTES", request.param)


def simple_step(spec, x, h, c, kernel, recurrent, bias):
    del c
    h = FUNCTIONS[spec.activation](x @ kernel + h @ recurrent + bias)
    return h, None


def gru_step(spec, x, h, c, kernel, recurrent, bias):
    del c
    (w_z, w_r, w_g), (u_z, u_r, u_g) = (np.split(k, 3, 1) for k in (kernel, recurrent))
    f, s = FUNCTIONS[spec.activation], FUNCTIONS[spec.recurrent_activation]
    if spec.reset_after:
        (b_z, b_r, b_g), (c_z, c_r, c_g) = (np.split(row, 3) for row in bias)
        z = s(x @ w_z + b_z + h @ u_z + c_z)
        r = s(x @ w_r + b_r + h @ u_r + c_r)
        g = f(x @ w_g + b_g + r * (h @ u_g + c_g))
    else:
        b_z, b_r, b_g = np.split(bias, 3)
        z = s(x @ w_z + b_z + h @ u_z)
        r = s(x @ w_r + b_r + h @ u_r)
        g = f(x @ w_g + b_g + (r * h) @ u_g)
    return z * h + (1 - z) * g, None


def lstm_step(spec, x, h, c, kernel, recurrent, bias):
    f, s = FUNCTIONS[spec.activation], FUNCTIONS[spec.recurrent_activation]
    i, forget, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = s(forget) * (0 if c is None else c) + s(i) * f(g)
    return s(o) * f(c), c


STEPS = {SimpleRNN: simple_step, GRU: gru_step, LSTM: lstm_step}


def oracle(spec, x, weights):
    """Compute one sample, step by step."""
    kernel, recurrent = weights["kernel"], weights["recurrent_kernel"]
    bias = weights.get("bias")
    if bias is None:
        columns = kernel.shape[1]
        two = getattr(spec, "reset_after", False)
        bias = np.zeros((2, columns) if two else columns)
    h, c, outputs = np.zeros(spec.units), None, []
    for step in x[::-1] if spec.go_backwards else x:
        h, c = STEPS[type(spec)](spec, step, h, c, kernel, recurrent, bias)
        outputs.append(h)
    return np.array(outputs) if spec.return_sequences else h


@st.composite
def specs(draw):
    kind = draw(st.sampled_from(list(KINDS.values())))
    names = st.sampled_from(list(FUNCTIONS))
    params = {
        name: draw(st.booleans())
        for name in ("use_bias", "return_sequences", "go_backwards")
    }
    if kind is not SimpleRNN:
        params["recurrent_activation"] = draw(names)
    return kind(draw(st.integers(1, 4)), draw(names), **params)


@settings(deadline=None, max_examples=150)
@given(specs(), st.integers(1, 6), st.integers(1, 3), st.integers(1, 4))
def test_outputs_are_those_of_the_formulas(spec, length, n_in, batch):
    bench = Bench(spec, (length, n_in))
    bench.network.vector *= 0.5
    x = np.random.default_rng(1).normal(size=(batch, length, n_in))
    y = bench.forward(x)
    for own, sample in zip(y, x, strict=True):
        expected = oracle(spec, sample, bench.weights)
        np.testing.assert_allclose(own, expected, rtol=1e-9, atol=1e-9)


def torch_arrays(weights, kind):
    """Return weight_ih, weight_hh and the two biases of PyTorch."""
    order = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}[kind]

    def rows(array):
        blocks = np.split(array, len(order), axis=-1)
        return np.concatenate([blocks[k] for k in order], axis=-1).T

    bias = weights["bias"]
    first, second = bias if bias.ndim == 2 else (bias, np.zeros_like(bias))
    kernels = [weights[name] for name in ("kernel", "recurrent_kernel")]
    return [rows(array) for array in (*kernels, first, second)]


@pytest.mark.torch
@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("spec", "kind", "params"),
    [
        (LSTM, "LSTM", {}),
        (GRU, "GRU", {}),
        (SimpleRNN, "RNN", {}),
        (SimpleRNN, "RNN", {"nonlinearity": "relu"}),
    ],
    ids=["lstm", "gru", "tanh", "relu"],
)
def test_both_passes_are_those_of_torch(torch, spec, kind, params, seed):
    rng = np.random.default_rng(seed)
    units, n_in, length, batch = map(int, rng.integers(1, 9, 4))
    if seed == 4:  # products are cut into blocks of rows
        units, n_in, batch = 96, 60, 40
    own = {"activation": "relu"} if params else {}
    bench = Bench(spec(units, return_sequences=bool(seed % 2), **own), (length, n_in))
    bench.network.vector *= 0.3
    module = getattr(torch.nn, kind)(n_in, units, batch_first=True, **params).double()
    with torch.no_grad():
        theirs = torch_arrays(bench.weights, kind)
        for parameter, values in zip(module.parameters(), theirs, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    x = rng.normal(size=(batch, length, n_in))
    inputs = torch.from_numpy(x).requires_grad_()
    outputs, _ = module(inputs)
    if not seed % 2:
        outputs = outputs[:, -1]
    y = bench.forward(x)
    np.testing.assert_allclose(y, outputs.detach().numpy(), rtol=1e-9, atol=1e-12)
    dy = rng.normal(size=y.shape)
    outputs.backward(torch.from_numpy(dy))
    dx, gradients, _ = bench.backward(dy)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-8, atol=1e-11)
    found = torch_arrays(gradients, kind)
    if gradients["bias"].ndim == 1:
        found[3] = found[2]
    for parameter, values in zip(module.parameters(), found, strict=True):
        grad = parameter.grad.numpy()
        np.testing.assert_allclose(values, grad, rtol=1e-8, atol=1e-11)


@pytest.mark.keras
@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning:keras")
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize(
    ("name", "spec", "params"),
    [
        ("LSTM", LSTM, {}),
        ("LSTM", LSTM, {"use_bias": False, "activation": "relu"}),
        ("GRU", GRU, {}),
        ("GRU", GRU, {"reset_after": False}),
        ("GRU", GRU, {"use_bias": False}),
        ("SimpleRNN", SimpleRNN, {"activation": "relu"}),
    ],
)
@pytest.mark.usefixtures("torch")
def test_outputs_are_those_of_keras(name, spec, params, go_backwards, return_sequences):
    import keras

    params = {
        **params,
        "go_backwards": go_backwards,
        "return_sequences": return_sequences,
    }
    bench = Bench(spec(5, **params), (7, 3))
    bench.network.vector *= 0.3
    layer = getattr(keras.layers, name)(5, dtype="float64", **params)
    layer.build((None, 7, 3))
    layer.set_weights(list(bench.weights.values()))
    x = np.random.default_rng(1).normal(size=(4, 7, 3))
    expected = keras.ops.convert_to_numpy(layer(x))
    # Keras rounds matrix products to float32, even those of layers in float64.
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-5, atol=1e-6)


@every_kind
@pytest.mark.usefixtures("_blocks")
@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_padding_changes_nothing(kind, go_backwards, return_sequences):
    spec = kind(3, return_sequences=return_sequences, go_backwards=go_backwards)
    rng = np.random.default_rng(1)
    xs = [rng.normal(size=(n, 2)) for n in (4, 0, 7, 1, 7)]
    assert_padding_changes_nothing(spec, xs)


@every_kind
def test_padding_does_not_overflow(kind):
    # This state grows tenfold with every step, also after the end.
    spec = kind(2, "relu")
    bench = Bench(spec, (3000, 2))
    bench.network.vector.fill(0)
    bench.weights["recurrent_kernel"][...] = 5
    if "bias" in bench.weights:
        bench.weights["bias"][...] = 1
    bench.workspace.lengths = np.array([2, 1])
    x = np.zeros((2, 3000, 2))
    y = bench.forward(x)
    dx, _, gradient = bench.backward(np.ones_like(y))
    assert all(np.isfinite(values).all() for values in (y, dx, gradient))


@every_kind
def test_dropout_takes_the_same_channels_at_all_steps(kind):
    bench, plain = Bench(kind(3, dropout=0.4), (6, 5)), Bench(kind(3), (6, 5))
    x = np.random.default_rng(1).normal(size=(40, 6, 5))
    y = bench.forward(x, train=True, seed=0)
    mask = bench.cache.masks.x
    assert set(np.unique(mask)) == {0, 1 / 0.6}
    dropped = x * mask.T[:, np.newaxis]
    np.testing.assert_allclose(y, plain.forward(dropped), rtol=1e-12, atol=1e-14)
    # In prediction, nothing is dropped.
    np.testing.assert_array_equal(bench.forward(x), plain.forward(x))


@pytest.mark.parametrize("kind", [SimpleRNN, LSTM, GRU])
def test_recurrent_dropout_takes_the_same_states_at_all_steps(kind):
    bench, plain = Bench(kind(3, recurrent_dropout=0.4), (6, 5)), Bench(kind(3), (6, 5))
    x = np.random.default_rng(1).normal(size=(40, 6, 5))
    y = bench.forward(x, train=True, seed=0)
    mask = bench.cache.masks.h
    assert set(np.unique(mask)) == {0, 1 / 0.6}
    recurrent = plain.weights["recurrent_kernel"].copy()
    for i in range(len(x)):
        plain.weights["recurrent_kernel"][...] = mask[:, i, np.newaxis] * recurrent
        expected = plain.forward(x[i : i + 1])[0]
        np.testing.assert_allclose(y[i], expected, rtol=1e-12, atol=1e-14)


@every_kind
def test_initial_weights(kind):
    layer = kind(20).build((5, 30))
    weights = layer.initialize(np.random.RandomState(0))
    columns = layer.weight_shapes["kernel"][1]
    bound = np.sqrt(6 / (30 + columns))
    assert 0.9 * bound < np.abs(weights["kernel"]).max() <= bound
    recurrent = weights["recurrent_kernel"]
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(20), atol=1e-12)
    expected = np.zeros(layer.weight_shapes["bias"])
    if kind is LSTM:
        expected[20:40] = 1
    np.testing.assert_array_equal(weights["bias"], expected)


def test_initializers_by_name_and_object():
    spec = LSTM(
        50,
        kernel_initializer=Normal(std=0.3),
        recurrent_initializer="zeros",
        unit_forget_bias=False,
    )
    weights = spec.build((5, 40)).initialize(np.random.RandomState(0))
    assert 0.29 < weights["kernel"].std() < 0.31
    assert not weights["recurrent_kernel"].any()
    assert not weights["bias"].any()


@every_kind
def test_wrong_parameters_are_refused(kind):
    shape = (5, 3)
    assert_build_fails(ValueError, kind(0), shape, "units", "0")
    assert_build_fails(TypeError, kind(2.5), shape, "units", "2.5")
    assert_build_fails(ValueError, kind(2, "tahn"), shape, "activation", "tanh")
    for name in ("use_bias", "return_sequences", "go_backwards"):
        assert_build_fails(TypeError, kind(2, **{name: 1}), shape, name, "True", "1")
    for name in ("dropout", "recurrent_dropout"):
        assert_build_fails(ValueError, kind(2, **{name: 1.0}), shape, name, "1.0")
    for name in ("kernel_initializer", "recurrent_initializer"):
        wrong = kind(2, **{name: "he"})
        assert_build_fails(ValueError, wrong, shape, name, "he")
    assert_build_fails(ValueError, kind(2), (5,), "length, channels", "(5,)")


def test_wrong_parameters_of_gates_are_refused():
    shape = (5, 3)
    for kind in (GRU, LSTM):
        wrong = kind(2, recurrent_activation="sigmod")
        assert_build_fails(ValueError, wrong, shape, "recurrent_activation", "sigmod")
    assert_build_fails(TypeError, GRU(2, reset_after=0), shape, "reset_after", "0")
    wrong = LSTM(2, unit_forget_bias="no")
    assert_build_fails(TypeError, wrong, shape, "unit_forget_bias")


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5))
def test_reversed_twice_is_unchanged(lengths):
    x = np.random.default_rng(0).normal(size=(2, 6, len(lengths)))
    once, twice = np.empty_like(x), np.empty_like(x)
    lengths = np.array(lengths)
    reverse_steps(x, lengths, once)
    reverse_steps(once, lengths, twice)
    np.testing.assert_array_equal(twice, x)
    for i, n in enumerate(lengths):
        np.testing.assert_array_equal(once[:, :n, i], x[:, :n, i][:, ::-1])
        np.testing.assert_array_equal(once[:, n:, i], x[:, n:, i])
