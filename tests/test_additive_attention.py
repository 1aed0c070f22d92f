"""AdditiveAttention and AttentionPooling against their formulas."""

import numpy as np
import pytest
from attention_tools import assert_padded_is_each_alone, draw, softmax
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails, batch_last

from skconvnet.layers import AdditiveAttention, AttentionPooling
from skconvnet.ops.attention import additive
from skconvnet.ops.attention.additive import AdditiveInputs
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.workspace import Workspace


def additive_of(w, x, causal):
    """Return outputs and weights of one sample, a pair of steps at a time."""
    weights = np.zeros((len(x), len(x)))
    for t, query in enumerate(x @ w["query_kernel"] + w["bias"]):
        seen = x[: t + 1] if causal else x
        scores = [np.tanh(query + s @ w["key_kernel"]) @ w["context"] for s in seen]
        weights[t, : len(seen)] = softmax(np.array(scores))
    return weights @ x, weights


@settings(max_examples=40, deadline=None)
@given(
    units=st.integers(1, 6),
    length=st.integers(1, 9),
    channels=st.integers(1, 5),
    causal=st.booleans(),
    seed=st.integers(0, 99),
)
def test_additive_attention_is_its_formula(units, length, channels, causal, seed):
    spec = AdditiveAttention(units, causal=causal)
    bench = Bench(spec, (length, channels), seed=seed)
    x = draw((3, length, channels), seed)
    y = bench.forward(x)
    shares = bench.layer.attention_weights(batch_last(x), bench.workspace)
    for i, sample in enumerate(x):
        expected, weights = additive_of(bench.weights, sample, causal)
        np.testing.assert_allclose(y[i], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(shares[0, ..., i], weights, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_equal_torch(torch, causal):
    bench = Bench(AdditiveAttention(5, causal=causal), (7, 4))
    x, dy = draw((3, 7, 4)), draw((3, 7, 4), seed=2)
    y = bench.forward(x)
    dx, found, _ = bench.backward(dy.copy())
    w = {
        name: torch.tensor(array, requires_grad=True)
        for name, array in bench.weights.items()
    }
    inputs = torch.tensor(x, requires_grad=True)
    queries = inputs @ w["query_kernel"] + w["bias"]
    keys = inputs @ w["key_kernel"]
    scores = torch.tanh(queries[:, :, None] + keys[:, None]) @ w["context"]
    if causal:
        later = torch.tensor(np.triu(np.ones((7, 7), bool), 1))
        scores = scores.masked_fill(later, -torch.inf)
    expected = torch.softmax(scores, dim=2) @ inputs
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-9, atol=1e-11)
    for name, array in found.items():
        np.testing.assert_allclose(array, w[name].grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("causal", [False, True])
def test_padded_samples_are_as_each_alone(causal):
    assert_padded_is_each_alone(AdditiveAttention(3, causal=causal), 4)


@pytest.mark.parametrize("causal", [False, True])
def test_blocks_of_any_size_give_the_same(causal):
    rng, units, length = np.random.default_rng(0), 4, 150
    rows = (units, 3, length), (units, 3, length), (5, 3, length), (units,)
    inputs = AdditiveInputs(*(rng.normal(size=shape) for shape in rows))
    dout, mask = rng.normal(size=rows[2]), Mask(causal, np.array([150, 0, 123]))
    dout[:, 1] = 0
    results = []
    for block_bytes in (10**8, length * 8 * units * 150, 1):
        attention, workspace = (
            additive.AdditiveAttention(mask, block_bytes),
            Workspace(),
        )
        out, log_sums = np.empty(rows[2]), np.empty((3, length))
        attention.forward(inputs, out, log_sums, workspace)
        gradients = AdditiveInputs(*(np.full(shape, np.nan) for shape in rows))
        dots = (dout * out).sum(axis=0)
        attention.backward(inputs, dout, dots, log_sums, gradients, workspace)
        weights = attention.weights(inputs, workspace)
        results.append((out, weights, *gradients))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


def test_queries_may_be_of_another_sequence():
    rng, units = np.random.default_rng(0), 4
    rows = (units, 2, 3), (units, 2, 7), (5, 2, 7), (units,)
    inputs = AdditiveInputs(*(rng.normal(size=shape) for shape in rows))
    out, log_sums = np.empty((5, 2, 3)), np.empty((2, 3))
    mask, workspace = Mask(lengths=np.array([7, 4])), Workspace()
    attention = additive.AdditiveAttention(mask)
    attention.forward(inputs, out, log_sums, workspace)
    for i, length in enumerate([7, 4]):
        for t in range(3):
            hidden = np.tanh(inputs.q[:, i, t, None] + inputs.k[:, i, :length])
            weights = softmax(inputs.context @ hidden)
            expected = inputs.v[:, i, :length] @ weights
            np.testing.assert_allclose(out[:, i, t], expected, rtol=1e-10)
    dout = rng.normal(size=out.shape)
    gradients = AdditiveInputs(*(np.empty(shape) for shape in rows))
    dots = (dout * out).sum(axis=0)
    attention.backward(inputs, dout, dots, log_sums, gradients, workspace)
    for part in range(4):
        step, ends = rng.normal(size=rows[part]) * 1e-6, []
        for sign in (1, -1):
            moved = list(inputs)
            moved[part] = inputs[part] + sign * step
            attention.forward(AdditiveInputs(*moved), out, log_sums, workspace)
            ends.append(np.vdot(dout, out))
        slope = np.vdot(gradients[part], step)
        assert (ends[0] - ends[1]) / 2 == pytest.approx(slope, rel=1e-6)


def pooled(w, x):
    """Return the output and the weights of one sample."""
    scores = [np.tanh(step @ w["kernel"] + w["bias"]) @ w["context"] for step in x]
    weights = softmax(np.array(scores))
    return weights @ x, weights


@settings(max_examples=40, deadline=None)
@given(
    units=st.integers(1, 6),
    length=st.integers(1, 9),
    channels=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_pooling_is_its_formula(units, length, channels, seed):
    bench = Bench(AttentionPooling(units), (length, channels), seed=seed)
    x = draw((3, length, channels), seed)
    y = bench.forward(x)
    shares = bench.layer.attention_weights(batch_last(x), bench.workspace)
    for i, sample in enumerate(x):
        expected, weights = pooled(bench.weights, sample)
        np.testing.assert_allclose(y[i], expected, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(shares[:, i], weights, rtol=1e-10, atol=1e-12)


def test_padded_samples_are_pooled_as_each_alone():
    assert_padded_is_each_alone(AttentionPooling(3), 4)


def test_gradients_of_pooling_equal_torch(torch):
    bench = Bench(AttentionPooling(5), (7, 4))
    x, dy = draw((3, 7, 4)), draw((3, 4), seed=2)
    bench.forward(x)
    dx, found, _ = bench.backward(dy.copy())
    w = {
        name: torch.tensor(array, requires_grad=True)
        for name, array in bench.weights.items()
    }
    inputs = torch.tensor(x, requires_grad=True)
    scores = torch.tanh(inputs @ w["kernel"] + w["bias"]) @ w["context"]
    expected = (torch.softmax(scores, dim=1)[..., None] * inputs).sum(dim=1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-9, atol=1e-11)
    for name, array in found.items():
        np.testing.assert_allclose(array, w[name].grad.numpy(), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("cls", [AdditiveAttention, AttentionPooling])
def test_bad_parameters(cls):
    for value in (0, -1, 2.0, "3", None, True):
        with pytest.raises((TypeError, ValueError), match=r"^units must be .* got"):
            cls(value).build((4, 3))
    with pytest.raises(ValueError, match=r"^kernel_initializer must be .* got"):
        cls(2, kernel_initializer="glorot").build((4, 3))
    assert_build_fails(ValueError, cls(2), (4,), cls.__name__, "length, channels")


def test_bad_causal():
    with pytest.raises(TypeError, match=r"^causal must be .* got 1"):
        AdditiveAttention(2, causal=1).build((4, 3))
