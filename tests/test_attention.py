"""MultiHeadAttention against its formula, PyTorch and Keras."""

import numpy as np
import pytest
from attention_tools import assert_padded_is_each_alone, draw, softmax
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails, batch_last

from skconvnet.layers import MultiHeadAttention
from skconvnet.layers.attention import MultiHeadAttentionLayer


def attention_of(weights, x, n_heads, key_dim, causal=False, length=None):
    """Return outputs and weights of one sample, a head and a step at a time."""
    names = ("query", "key", "value")
    q, k, v = (
        x @ weights[f"{name}_kernel"] + weights.get(f"{name}_bias", 0) for name in names
    )
    length = len(x) if length is None else length
    value_dim = v.shape[1] // n_heads
    means, shares = np.zeros((len(x), v.shape[1])), np.zeros((n_heads, *[len(x)] * 2))
    for h in range(n_heads):
        own, values = (
            slice(h * key_dim, (h + 1) * key_dim),
            slice(h * value_dim, (h + 1) * value_dim),
        )
        for t in range(len(x)):
            seen = min(t + 1, length) if causal else length
            scores = np.array([q[t, own] @ k[s, own] for s in range(seen)])
            shares[h, t, :seen] = softmax(scores / np.sqrt(key_dim))
            means[t, values] = shares[h, t] @ v[:, values]
    y = means @ weights["output_kernel"] + weights.get("output_bias", 0)
    return y, shares


configurations = {
    "n_heads": st.integers(1, 4),
    "key_dim": st.integers(1, 5),
    "length": st.integers(1, 9),
    "channels": st.integers(1, 6),
    "causal": st.booleans(),
    "use_bias": st.booleans(),
    "seed": st.integers(0, 99),
}


@settings(max_examples=40, deadline=None)
@given(value_dim=st.integers(1, 4), **configurations)
def test_attention_is_its_formula(
    n_heads, key_dim, value_dim, length, channels, causal, use_bias, seed
):
    spec = MultiHeadAttention(
        n_heads, key_dim, value_dim, use_bias=use_bias, causal=causal
    )
    bench = Bench(spec, (length, channels), seed=seed)
    x = draw((3, length, channels), seed)
    y = bench.forward(x)
    shares = bench.layer.attention_weights(batch_last(x), bench.workspace)
    for i, sample in enumerate(x):
        expected, weights = attention_of(
            bench.weights, sample, n_heads, key_dim, causal
        )
        np.testing.assert_allclose(y[i], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(shares[..., i], weights, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_padded_samples_are_as_each_alone(causal):
    assert_padded_is_each_alone(MultiHeadAttention(2, 3, causal=causal), 4)
    assert_padded_is_each_alone(MultiHeadAttention(3, 2, 4, causal=causal), 5)


def test_padding_gets_no_attention():
    bench = Bench(MultiHeadAttention(2, 3), (4, 5))
    bench.workspace.lengths = np.array([4, 2, 0])
    x = batch_last(draw((3, 4, 5)))
    weights = bench.layer.attention_weights(x, bench.workspace)
    assert not weights[:, :, 2:, 1].any()
    assert not weights[..., 2].any()
    np.testing.assert_allclose(weights.sum(axis=2)[..., :2], 1, rtol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_scores_of_any_size_give_the_formula(scale, causal):
    bench = Bench(MultiHeadAttention(2, 3, causal=causal), (7, 4))
    for name in ("query_kernel", "key_kernel"):
        bench.weights[name][...] *= scale
    bench.workspace.lengths = lengths = np.array([7, 0, 4])
    x = draw((3, 7, 4))
    y = bench.forward(x)
    for i, length in enumerate(lengths):
        if length:
            expected, _ = attention_of(bench.weights, x[i], 2, 3, causal, length)
            np.testing.assert_allclose(y[i], expected, rtol=1e-9, atol=1e-10)
    bias = bench.weights["output_bias"]
    np.testing.assert_array_equal(y[1], np.broadcast_to(bias, y[1].shape))
    dy = draw((3, 7, 4), seed=2)
    dy[1] = 0
    dx, _, gradient = bench.backward(dy)
    assert not dx[1].any()
    assert np.isfinite(gradient).all()


def test_large_scores_do_not_overflow():
    bench = Bench(MultiHeadAttention(2, 4), (5, 4), "float32")
    bench.network.vector *= 100
    y = bench.forward(draw((2, 5, 4)))
    dx, _, gradient = bench.backward(np.ones_like(y))
    for values in (y, dx, gradient):
        assert np.isfinite(values).all()


# --- other libraries ---


def torch_attention(torch, bench, channels, n_heads):
    """Return PyTorch's module with the same weights."""
    theirs = torch.nn.MultiheadAttention(
        channels, n_heads, batch_first=True, dtype=torch.float64
    )
    w, names = bench.weights, ("query", "key", "value")
    kernels = np.concatenate([w[f"{name}_kernel"].T for name in names])
    biases = np.concatenate([w[f"{name}_bias"] for name in names])
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.tensor(kernels))
        theirs.in_proj_bias.copy_(torch.tensor(biases))
        theirs.out_proj.weight.copy_(torch.tensor(w["output_kernel"].T))
        theirs.out_proj.bias.copy_(torch.tensor(w["output_bias"]))
    return theirs


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("n_heads", "channels", "length"), [(1, 3, 4), (3, 12, 7)])
@pytest.mark.parametrize("lengths", [None, [2, 4, 1]])
def test_attention_equals_torch(torch, n_heads, channels, length, lengths, causal):
    spec = MultiHeadAttention(n_heads, channels // n_heads, causal=causal)
    bench = Bench(spec, (length, channels))
    x, dy = draw((3, length, channels)), draw((3, length, channels), seed=2)
    padding = None
    if lengths is not None:
        lengths = np.array(lengths)
        bench.workspace.lengths = lengths
        padding = torch.tensor(np.arange(length) >= lengths[:, None])
        dy[np.arange(length) >= lengths[:, None]] = 0
    theirs = torch_attention(torch, bench, channels, n_heads)
    inputs = torch.tensor(x, requires_grad=True)
    mask = torch.tensor(np.triu(np.ones((length, length), bool), 1)) if causal else None
    expected, shares = theirs(
        inputs,
        inputs,
        inputs,
        key_padding_mask=padding,
        attn_mask=mask,
        average_attn_weights=False,
    )
    expected.backward(torch.tensor(dy))
    y = bench.forward(x)
    dx, found, _ = bench.backward(dy.copy())
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(y, expected.detach().numpy(), **close)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), **close)
    kernels = np.split(theirs.in_proj_weight.grad.numpy(), 3)
    biases = np.split(theirs.in_proj_bias.grad.numpy(), 3)
    for name, kernel, bias in zip(
        ("query", "key", "value"), kernels, biases, strict=True
    ):
        np.testing.assert_allclose(found[f"{name}_kernel"], kernel.T, **close)
        np.testing.assert_allclose(found[f"{name}_bias"], bias, **close)
    output = theirs.out_proj
    np.testing.assert_allclose(
        found["output_kernel"], output.weight.grad.numpy().T, **close
    )
    np.testing.assert_allclose(found["output_bias"], output.bias.grad.numpy(), **close)
    weights = bench.layer.attention_weights(batch_last(x), bench.workspace)
    np.testing.assert_allclose(
        weights.transpose(3, 0, 1, 2), shares.detach().numpy(), **close
    )


def own_name(variable):
    """Return how a variable of Keras is called here."""
    dense, kind = variable.path.split("/")[-2:]
    return f"{dense.removeprefix('attention_')}_{kind}"


@pytest.mark.keras
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("value_dim", [None, 5])
def test_attention_equals_keras(torch, value_dim, use_bias, causal):
    assert torch.get_num_threads() == 1
    import keras

    length, channels = 6, 4
    spec = MultiHeadAttention(3, 2, value_dim, use_bias=use_bias, causal=causal)
    bench = Bench(spec, (length, channels))
    theirs = keras.layers.MultiHeadAttention(
        3, 2, value_dim, use_bias=use_bias, dtype="float64"
    )
    theirs.build((None, length, channels), (None, length, channels))
    for variable in theirs.weights:
        variable.assign(bench.weights[own_name(variable)].reshape(variable.shape))
    x, dy = draw((3, length, channels)), draw((3, length, channels), seed=2)
    bench.workspace.lengths = lengths = np.array([6, 2, 3])
    seen = np.arange(length) < lengths[:, None]
    dy[~seen] = 0
    inputs = torch.tensor(x, requires_grad=True)
    expected, shares = theirs(
        inputs,
        inputs,
        attention_mask=torch.tensor(np.repeat(seen[:, None], length, axis=1)),
        use_causal_mask=causal,
        return_attention_scores=True,
    )
    expected.backward(torch.tensor(dy))
    y = bench.forward(x)
    dx, found, _ = bench.backward(dy.copy())
    weights = bench.layer.attention_weights(batch_last(x), bench.workspace)
    close = {"rtol": 1e-9, "atol": 1e-11}
    np.testing.assert_allclose(y, expected.detach().numpy(), **close)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), **close)
    np.testing.assert_allclose(
        weights.transpose(3, 0, 1, 2), shares.detach().numpy(), **close
    )
    for variable in theirs.weights:
        gradient = found[own_name(variable)].reshape(variable.shape)
        np.testing.assert_allclose(gradient, variable.value.grad.numpy(), **close)


# --- initial weights and errors ---


def test_kernels_start_as_glorot_and_biases_at_zero():
    layer = MultiHeadAttention(4, 8).build((3, 64))
    assert isinstance(layer, MultiHeadAttentionLayer)
    weights = layer.initialize(np.random.RandomState(0))
    for name in ("query", "key", "value", "output"):
        kernel = weights[f"{name}_kernel"]
        bound = np.sqrt(6 / sum(kernel.shape))
        assert 0.95 * bound < np.abs(kernel).max() < bound
        assert not weights[f"{name}_bias"].any()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("num_heads", [0, -1, 2.0, "2", None, True]),
        ("key_dim", [0, -1, 2.0, "2", None, True]),
        ("value_dim", [0, 2.0, "2", True]),
        ("dropout", [1.0, -0.1, np.nan, "0", None]),
        ("use_bias", [1, "yes", None]),
        ("causal", [0, "no", None]),
        ("kernel_initializer", ["glorot", None, 3]),
    ],
)
def test_bad_parameters(name, values):
    for value in values:
        spec = MultiHeadAttention(**{"num_heads": 2, "key_dim": 3, name: value})
        with pytest.raises((TypeError, ValueError), match=f"^{name} must be .* got"):
            spec.build((4, 3))


def test_attention_needs_sequences():
    for shape in ((4,), (4, 4, 3)):
        assert_build_fails(
            ValueError, MultiHeadAttention(2, 3), shape, "MultiHeadAttention", "length"
        )
