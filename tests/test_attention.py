"""MultiHeadAttention against its formula, PyTorch and Keras."""

import numpy as np
import pytest
from attention_tools import assert_padded_is_each_alone, draw
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, assert_build_fails, batch_last

from skconvnet.engine.network import Network
from skconvnet.layers import MultiHeadAttention
from skconvnet.layers.attention import MultiHeadAttentionLayer
from skconvnet.ops.attention.blocks import Block, Extent, blocks_of
from skconvnet.ops.attention.dot_product import DotProductAttention, Heads
from skconvnet.ops.attention.dropout import WeightDropout
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.workspace import Workspace


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


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


@settings(max_examples=60, deadline=None)
@given(
    n_samples=st.integers(1, 5),
    n_heads=st.integers(1, 4),
    length=st.integers(1, 200),
    room=st.integers(1, 30_000),
    causal=st.booleans(),
)
def test_blocks_hold_every_pair_once(n_samples, n_heads, length, room, causal):
    extent = Extent(n_samples, n_heads, length, length)
    seen = np.zeros((n_samples, n_heads, length, length), int)
    for group in blocks_of(extent, 1, causal=causal, block_bytes=room):
        assert len({str(block[:2]) for block in group}) == 1
        assert group[0].keys == slice(0, length)
        for samples, heads, queries, keys in group:
            seen[samples, heads, keys, queries] += 1
            count = seen[samples, heads, keys, queries].size
            assert count <= max(room, 64 * length)
    must = np.triu(np.ones((length, length), bool)) if causal else True
    assert seen.max() == 1
    assert (seen == 1)[..., must].all()


@pytest.mark.parametrize("causal", [False, True])
def test_blocks_of_any_size_give_the_same(causal):
    rng = np.random.default_rng(0)
    rows = (3, 2, 4, 150), (3, 2, 4, 150), (3, 2, 5, 150)
    heads = Heads(*(rng.normal(size=shape) for shape in rows))
    dout, lengths = rng.normal(size=rows[2]), np.array([150, 7, 123])
    results = []
    for block_bytes in (10**7, 150 * 8 * 150, 150 * 8 * 80, 1):
        attention = DotProductAttention(Mask(causal, lengths), None, block_bytes)
        workspace, out = Workspace(), np.empty(rows[2])
        log_sums = np.empty((3, 2, 150))
        attention.forward(heads, out, log_sums, workspace)
        gradients = Heads(*(np.full(shape, np.nan) for shape in rows))
        dots = (dout * out).sum(axis=2)
        attention.backward(heads, dout, dots, log_sums, gradients, workspace)
        results.append((out, *gradients))
    for other in results[1:]:
        for one, two in zip(results[0], other, strict=True):
            np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("causal", [False, True])
def test_gradients_with_dropout_are_differences_in_every_block(causal):
    rng = np.random.default_rng(0)
    rows = (2, 2, 3, 100), (2, 2, 3, 100), (2, 2, 4, 100)
    heads = Heads(*(rng.normal(size=shape) for shape in rows))
    dout = rng.normal(size=rows[2])
    attention = DotProductAttention(Mask(causal), WeightDropout(0.3, 5), 1)
    workspace, log_sums = Workspace(), np.empty((2, 2, 100))

    def outputs(heads):
        out = np.empty(rows[2])
        attention.forward(heads, out, log_sums, workspace)
        return out

    out = outputs(heads)
    gradients = Heads(*(np.empty(shape) for shape in rows))
    dots = (dout * out).sum(axis=2)
    attention.backward(heads, dout, dots, log_sums, gradients, workspace)
    for part in range(3):
        step = rng.normal(size=rows[part]) * 1e-6
        ends = [
            outputs(heads._replace(**{heads._fields[part]: heads[part] + sign * step}))
            for sign in (1, -1)
        ]
        difference = np.vdot(dout, ends[0] - ends[1]) / 2
        assert difference == pytest.approx(np.vdot(gradients[part], step), rel=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    n_queries=st.integers(1, 150),
    n_keys=st.integers(1, 300),
    block_bytes=st.sampled_from([1, 50_000, 10**7]),
)
def test_queries_may_be_of_another_sequence(torch, n_queries, n_keys, block_bytes):
    rng = np.random.default_rng(n_queries + n_keys)
    rows = (2, 2, 3, n_queries), (2, 2, 3, n_keys), (2, 2, 4, n_keys)
    heads = Heads(*(rng.normal(size=shape) for shape in rows))
    lengths = rng.integers(1, n_keys + 1, 2)
    dout = rng.normal(size=(2, 2, 4, n_queries))
    out, log_sums = np.empty_like(dout), np.empty((2, 2, n_queries))
    attention = DotProductAttention(Mask(lengths=lengths), block_bytes=block_bytes)
    attention.forward(heads, out, log_sums, Workspace())
    gradients = Heads(*(np.full(shape, np.nan) for shape in rows))
    dots = (dout * out).sum(axis=2)
    attention.backward(heads, dout, dots, log_sums, gradients, Workspace())
    q, k, v = (torch.tensor(part.swapaxes(2, 3), requires_grad=True) for part in heads)
    seen = torch.tensor(np.arange(n_keys) < lengths[:, None, None, None])
    expected = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=seen, scale=1.0
    )
    expected.backward(torch.tensor(dout.swapaxes(2, 3)))
    pairs = zip((expected, q.grad, k.grad, v.grad), (out, *gradients), strict=True)
    for theirs, ours in pairs:
        np.testing.assert_allclose(
            ours.swapaxes(2, 3), theirs.detach().numpy(), rtol=1e-9, atol=1e-11
        )


def test_threads_share_the_blocks_with_the_same_bits():
    spec, x = MultiHeadAttention(4, 8, dropout=0.2), draw((16, 500, 2)).astype("f")

    def results(run):
        network = Network([("layer", spec)], (500, 16), "float32")
        network.initialize(np.random.RandomState(0))
        layer, workspace = network.layers["layer"], Workspace(min_values_for_threads=0)
        workspace.run = run
        rng = np.random.default_rng(0)
        y, cache = layer.forward(x, train=True, rng=rng, workspace=workspace)
        gradients = {k: np.empty(v, "f") for k, v in layer.weight_shapes.items()}
        dx = layer.backward(
            x.copy(), cache, gradients=gradients, workspace=workspace, need_dx=True
        )
        return [y, dx, *gradients.values()]

    used = set()

    def backward_order(n, task):
        for i in reversed(range(n)):
            used.add(i % 3)
            task(i, i % 3)

    for one, two in zip(results(None), results(backward_order), strict=True):
        np.testing.assert_array_equal(one, two)
    assert used == {0, 1, 2}


def test_dropout_keeps_the_mean_and_drops_a_share():
    weights = np.ones((3, 2, 100, 100), "float32")
    first, second = (
        Block(slice(start, start + 3), slice(0, 2), slice(0, 100), slice(0, 100))
        for start in (0, 3)
    )
    scales = WeightDropout(0.25, 7).scales(first, weights, Workspace()).copy()
    assert set(np.unique(scales)) == {np.float32(0), np.float32(1 / 0.75)}
    assert (scales == 0).mean() == pytest.approx(0.25, abs=0.01)
    other = WeightDropout(0.25, 7).scales(second, weights, Workspace())
    assert (other != scales).mean() == pytest.approx(0.375, abs=0.01)


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


@pytest.mark.parametrize("causal", [False, True])
def test_memory_is_proportional_to_the_length(causal):
    def nbytes(length):
        network = Network(
            [("layer", MultiHeadAttention(4, 8, causal=causal))],
            (length, 16),
            "float32",
        )
        workspace = network.workspaces()[0]
        x = np.ones((16, length, 2), "float32")
        layer = network.layers["layer"]
        y, cache = layer.forward(x, train=True, rng=None, workspace=workspace)
        gradients = {k: np.empty(v) for k, v in layer.weight_shapes.items()}
        layer.backward(y, cache, gradients=gradients, workspace=workspace, need_dx=True)
        return workspace.nbytes, workspace.scratch_nbytes

    short, long = nbytes(512), nbytes(2048)
    assert long[0] == pytest.approx(4 * short[0], rel=0.05)
    assert long[1] < 4 * short[1]
    assert sum(long) < 2048 * 2048 * 4 * 4  # of which all scores would have twice


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
