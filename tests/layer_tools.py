"""Run one layer forward and backward with channels-last arrays, and compare it."""

import re

import numpy as np
import pytest

from skconvnet.engine.network import Network
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.ops.convolution.selection import AlgorithmSelector


class Bench:
    """A network of one layer, with its weights drawn at random."""

    def __init__(self, spec, in_shape, dtype="float64", seed=0):
        self.network = Network([("layer", spec)], in_shape, dtype)
        self.layer = self.network.layers["layer"]
        rng = np.random.default_rng(seed)
        self.network.vector[:] = rng.normal(size=self.network.vector.size)
        self.workspace = self.network.workspaces()[0]

    @property
    def weights(self):
        return self.layer.weights

    def forward(self, x, train=False, seed=None):
        rng = None if seed is None else np.random.default_rng(seed)
        y, self.cache = self.layer.forward(
            batch_last(x.astype(self.network.dtype)),
            train=train,
            rng=rng,
            workspace=self.workspace,
        )
        return batch_first(y).copy()

    def backward(self, dy, need_dx=True):
        gradient = np.full_like(self.network.vector, np.nan)
        views = self.network.by_layer(gradient)[0]
        dx = self.layer.backward(
            batch_last(dy.astype(self.network.dtype)),
            self.cache,
            gradients=views,
            workspace=self.workspace,
            need_dx=need_dx,
        )
        return None if dx is None else batch_first(dx).copy(), views, gradient


def in_blocks(spec, block_bytes):
    """Return `spec`, a convolution, computed in row blocks of about `block_bytes`."""

    class InBlocks(type(spec)):
        def build(self, in_shape):
            usual = super().build(in_shape)
            selector = AlgorithmSelector(
                self.conv_method,
                usual.windows,
                in_shape[-1],
                usual.selector.filters,
                usual.selector.groups,
                block_bytes=block_bytes,
            )
            return ConvolutionLayer(in_shape, selector, self.activation)

    return InBlocks(**spec.get_params())


def batch_last(x):
    """Turn (n, *spatial, channels) into a contiguous (channels, *spatial, n)."""
    if x.ndim == 2:
        return np.ascontiguousarray(x.T)
    return np.ascontiguousarray(np.moveaxis(x, (-1, 0), (0, -1)))


def batch_first(x):
    return x.T if x.ndim == 2 else np.moveaxis(x, (0, -1), (-1, 0))


def assert_build_fails(error, spec, in_shape, *words):
    """Assert that `build` raises `error` with a message that has each of the words.

    Each word must stand at the beginning of a word of the message.
    """
    with pytest.raises(error) as caught:
        spec.build(in_shape)
    for word in words:
        assert re.search(rf"(?<!\w){re.escape(word)}", str(caught.value)), word


def compare_with(oracle, bench, x, gradients=None, *, rtol=1e-10, atol=1e-10):
    """Assert that both passes of a layer are those of an oracle.

    Parameters
    ----------
    oracle : callable
        ``oracle(x, *weights)`` returns the outputs.
    bench : Bench
    x : ndarray of shape (n, *in_shape)
    gradients : callable, optional
        ``gradients(x, dy, *weights)`` returns those of `x` and of each of the weights.
        None is for layers with a kernel and a bias that are linear in `x` and in the
        kernel: there, the outputs tell the gradients.
    rtol, atol : float
    """
    weights = [array.copy() for array in bench.weights.values()]
    y, expected = bench.forward(x), oracle(x, *weights)
    assert y.shape == expected.shape == (len(x), *bench.layer.out_shape)
    np.testing.assert_allclose(y, expected, rtol=rtol, atol=atol)
    dy = np.random.default_rng(1).normal(size=y.shape)
    dx, dweights, _ = bench.backward(dy.copy())
    found = [dx, *dweights.values()]
    if gradients is None:
        _assert_gradients_of_linear(oracle, x, dy, weights, found)
        return
    for one, two in zip(found, gradients(x, dy, *weights), strict=True):
        np.testing.assert_allclose(one, two, rtol=rtol, atol=atol)


def _assert_gradients_of_linear(oracle, x, dy, weights, found):
    """Assert that <dy, f(u)> = <gradient, u> for a random u in place of each argument.

    If it holds for every u, the gradient is right.
    """
    (kernel, bias), (dx, dkernel, dbias) = weights, found
    rng, no_bias = np.random.default_rng(2), np.zeros_like(bias)
    u, v = rng.normal(size=x.shape), rng.normal(size=kernel.shape)
    for product, outputs in (
        (np.vdot(dx, u), oracle(u, kernel, no_bias)),
        (np.vdot(dkernel, v), oracle(x, v, no_bias)),
    ):
        np.testing.assert_allclose(product, np.vdot(dy, outputs), rtol=1e-9, atol=1e-9)
    axes = tuple(range(dy.ndim - 1))
    np.testing.assert_allclose(dbias, dy.sum(axis=axes), rtol=1e-10)
