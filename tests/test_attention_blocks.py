"""The blocks of scores that attention is computed in."""

import numpy as np
import pytest
from attention_tools import draw
from hypothesis import given, settings
from hypothesis import strategies as st

from skconvnet.engine.network import Network
from skconvnet.layers import MultiHeadAttention
from skconvnet.ops.attention.blocks import Block, Extent, blocks_of
from skconvnet.ops.attention.dot_product import DotProductAttention, Heads
from skconvnet.ops.attention.dropout import WeightDropout
from skconvnet.ops.attention.softmax import Mask
from skconvnet.ops.workspace import Workspace


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
