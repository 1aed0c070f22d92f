"""Padded batches against each sample alone, for layers of sequences."""

import numpy as np
from layer_tools import Bench, batch_first, batch_last

from skconvnet.ops.lengths import clear_padding

LENGTHS = np.array([3, 0, 6, 1, 5])


def draw(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def run_padded(bench, x, dy, lengths):
    """Return the output and all gradients of a padded batch, as a chain does it."""
    workspace = bench.workspace
    workspace.lengths = lengths
    inputs = batch_last(x.copy())
    clear_padding(inputs, lengths)
    y, cache = bench.layer.forward(inputs, train=False, rng=None, workspace=workspace)
    after = bench.layer.lengths_after(inputs, lengths)
    clear_padding(y, after)
    y, dys = y.copy(), batch_last(dy.copy())
    clear_padding(dys, after)
    gradient = np.full_like(bench.network.vector, np.nan)
    views = bench.network.by_layer(gradient)[0]
    dx = bench.layer.backward(
        dys, cache, gradients=views, workspace=workspace, need_dx=True
    )
    clear_padding(dx, lengths)
    return batch_first(y), batch_first(dx), gradient


def assert_padded_is_each_alone(spec, channels, lengths=LENGTHS):
    """Compare a padded batch with each sample alone, outputs and gradients."""
    length = lengths.max()
    padded = Bench(spec, (length, channels))
    out_shape = padded.layer.out_shape
    x = draw((len(lengths), length, channels))
    dy = draw((len(lengths), *out_shape), seed=2)
    y, dx, gradient = run_padded(padded, x, dy, lengths)
    total = np.zeros_like(gradient)
    for i, own in enumerate(lengths):
        if own == 0:
            assert not y[i].any()
            assert not dx[i].any()
            continue
        alone = Bench(spec, (int(own), channels))
        alone.network.vector[:] = padded.network.vector
        is_map = len(out_shape) > 1
        expected = alone.forward(x[i : i + 1, :own])
        own_dy = dy[i : i + 1, :own] if is_map else dy[i : i + 1]
        own_dx, _, own_gradient = alone.backward(own_dy.copy())
        found = y[i, :own] if is_map else y[i]
        np.testing.assert_allclose(found, expected[0], rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(dx[i, :own], own_dx[0], rtol=1e-11, atol=1e-12)
        assert not dx[i, own:].any()
        total += own_gradient
    np.testing.assert_allclose(gradient, total, rtol=1e-10, atol=1e-11)
