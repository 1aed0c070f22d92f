"""Unshared convolution against plain loops."""

from itertools import product

import numpy as np
import oracles
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet.engine.network import Network
from skconvnet.layers import (
    Conv1D,
    Conv2D,
    LocallyConnected1D,
    LocallyConnected2D,
    MaxPool2D,
)
from skconvnet.ops.convolution.locally_connected import LocallyConnectedConvolution

KINDS = {1: (LocallyConnected1D, Conv1D), 2: (LocallyConnected2D, Conv2D)}


def connect(x, kernel, strides, padding, dilation):
    """Sum, for each position, the products of its window and its own kernel."""
    ndim = x.ndim - 2
    positions, (filters, channels), size = (
        kernel.shape[:ndim],
        kernel.shape[ndim : ndim + 2],
        kernel.shape[ndim + 2 :],
    )
    pads = oracles.pad_amounts(x.shape[1:-1], size, strides, padding, dilation)
    x = np.pad(x, [(0, 0), *pads, (0, 0)])
    y = np.zeros((len(x), *positions, filters))
    for position in product(*map(range, positions)):
        for tap in product(*map(range, size)):
            where = tuple(
                p * s + c * d
                for p, s, c, d in zip(position, strides, tap, dilation, strict=True)
            )
            for f, c in product(range(filters), range(channels)):
                weight = kernel[(*position, f, c, *tap)]
                y[(slice(None), *position, f)] += weight * x[(slice(None), *where, c)]
    return y


@st.composite
def cases(draw):
    ndim = draw(st.integers(1, 2))

    def per_axis(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * ndim))

    size, kernel, strides, dilation = (
        per_axis(1, 7),
        per_axis(1, 3),
        per_axis(1, 3),
        per_axis(1, 2),
    )
    sides = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * ndim)
    padding = draw(st.sampled_from(["valid", "same", "full"]) | sides)
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    for n, (before, after), d, k in zip(size, pads, dilation, kernel, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    in_shape = (*size, draw(st.integers(1, 3)))
    return in_shape, (kernel, strides, padding, dilation)


@settings(max_examples=80, deadline=None)
@given(
    case=cases(),
    filters=st.integers(1, 3),
    n=st.integers(1, 4),
    block_bytes=st.sampled_from([1, 10**7]),
)
def test_equals_plain_loops(case, filters, n, block_bytes):
    in_shape, parameters = case
    bench = Bench(KINDS[len(in_shape) - 1][0](filters, *parameters), in_shape)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, *in_shape))
    kernel, bias = bench.weights["kernel"], bench.weights["bias"]
    usual = bench.layer.algorithm
    bench.layer.algorithm = LocallyConnectedConvolution(
        usual.windows, usual.channels, usual.filters, block_bytes=block_bytes
    )
    y = bench.forward(x)
    dy = rng.normal(size=y.shape)
    dx, gradients, _ = bench.backward(dy)
    same = {"rtol": 1e-9, "atol": 1e-9}
    expected = connect(x, kernel, *parameters[1:]) + bias
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, **same)
    # <dy, f(u)> = <dx, u> for every u, as the layer is linear in each argument.
    u, v = rng.normal(size=x.shape), rng.normal(size=kernel.shape)
    along = np.vdot(dy, connect(u, kernel, *parameters[1:]))
    np.testing.assert_allclose(np.vdot(dx, u), along, **same)
    along = np.vdot(dy, connect(x, v, *parameters[1:]))
    np.testing.assert_allclose(np.vdot(gradients["kernel"], v), along, **same)
    np.testing.assert_allclose(gradients["bias"], dy.sum(axis=0), rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(case=cases(), filters=st.integers(1, 3))
def test_equal_kernels_everywhere_are_a_convolution(case, filters):
    in_shape, parameters = case
    kind, shared = KINDS[len(in_shape) - 1]
    ours = Bench(kind(filters, *parameters), in_shape)
    theirs = Bench(shared(filters, *parameters), in_shape)
    ours.weights["kernel"][...] = theirs.weights["kernel"]
    ours.weights["bias"][...] = theirs.weights["bias"]
    x = np.random.default_rng(0).normal(size=(2, *in_shape))
    np.testing.assert_allclose(ours.forward(x), theirs.forward(x), rtol=1e-9, atol=1e-9)


def test_stack_of_deepface():
    """Shapes and weights of the paper's layers C1 to L6, but for its largest maps.

    The paper: 152x152x3, then C1 32 of 11x11, M2 of 3x3 and stride 2, C3 16 of 9x9,
    L4 16 of 9x9, L5 16 of 7x7 and stride 2, L6 16 of 5x5, of 21x21x16 outputs.
    """
    specs = [
        ("C1", Conv2D(32, 11)),
        ("M2", MaxPool2D(3, 2, padding="same")),
        ("C3", Conv2D(16, 9)),
        ("L4", LocallyConnected2D(16, 9)),
        ("L5", LocallyConnected2D(16, 7, strides=2)),
        ("L6", LocallyConnected2D(16, 5)),
    ]
    in_shape, shapes, sizes = (152, 152, 3), [], {}
    for name, spec in specs:
        layer = spec.build(in_shape)
        in_shape = layer.out_shape
        shapes.append(in_shape)
        sizes[name] = int(np.prod(layer.weight_shapes.get("kernel", 0)))
    assert shapes == [
        (142, 142, 32),
        (71, 71, 32),
        (63, 63, 16),
        (55, 55, 16),
        (25, 25, 16),
        (21, 21, 16),
    ]
    assert sizes["C1"] == 32 * 3 * 11 * 11
    assert sizes["L4"] == 55 * 55 * 16 * 16 * 9 * 9
    assert sizes["L5"] == 25 * 25 * 16 * 16 * 7 * 7
    assert sizes["L6"] == 21 * 21 * 16 * 16 * 5 * 5


def test_in_a_chain_after_a_convolution():
    """The output of a convolution is a view, which the next has to take."""
    specs = [("conv", Conv2D(2, 3)), ("local", LocallyConnected2D(2, 3, 2))]
    network = Network(specs, (20, 22, 2), "float64")
    network.initialize(np.random.RandomState(0))
    x = np.random.default_rng(0).normal(size=(2, 20, 22, 3))
    y, _ = network.forward(
        np.moveaxis(x, (0, 3), (3, 0))[:2].copy(), network.workspaces()
    )
    weights = network.weights
    maps = oracles.convolve(
        x[..., :2], weights["conv/kernel"], np.zeros(2), (1, 1), "valid", (1, 1), 1
    )
    expected = connect(maps, weights["local/kernel"], (2, 2), "valid", (1, 1))
    np.testing.assert_allclose(np.moveaxis(y, (0, 3), (3, 0)), expected, atol=1e-12)
