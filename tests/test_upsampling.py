"""Upsample against plain loops and PyTorch."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet.layers import Upsample

MODES = ["nearest", "bilinear"]


def weights_along_an_axis(i, n, size, mode):
    """Return the weight of each of n positions along an axis in output i."""
    if mode == "nearest":
        return {i // size: 1.0}
    center = (i + 0.5) / size - 0.5
    below = int(np.floor(center))
    weights = {}
    for position, weight in (
        (below, below + 1 - center),
        (below + 1, center - below),
    ):
        inside = min(max(position, 0), n - 1)
        weights[inside] = weights.get(inside, 0) + weight
    return weights


def oracle(x, sizes, mode):
    in_shape = x.shape[1:-1]
    out_shape = [n * size for n, size in zip(in_shape, sizes, strict=True)]
    y = np.zeros((len(x), *out_shape, x.shape[-1]))
    for output in np.ndindex(*out_shape):
        axes = zip(output, in_shape, sizes, strict=True)
        for pairs in product(*(weights_along_an_axis(*a, mode).items() for a in axes)):
            position = tuple(p for p, _ in pairs)
            weight = np.prod([w for _, w in pairs])
            y[(slice(None), *output)] += weight * x[(slice(None), *position)]
    return y


def per_axis(size, ndim):
    return (size,) * ndim if isinstance(size, int) else size


@st.composite
def upsamples(draw):
    ndim = draw(st.integers(1, 3))
    in_shape = draw(st.tuples(*[st.integers(1, (12, 6, 4)[ndim - 1])] * ndim))
    sizes = st.tuples(*[st.integers(1, (9, 5, 3)[ndim - 1])] * ndim)
    size = draw(st.integers(1, 3) | sizes)
    return (*in_shape, draw(st.integers(1, 3))), size


@settings(max_examples=80, deadline=None)
@given(
    case=upsamples(),
    mode=st.sampled_from(MODES),
    block_rows=st.sampled_from([1, 5, 16]),
)
def test_equals_plain_loops(case, mode, block_rows):
    in_shape, size = case
    sizes = per_axis(size, len(in_shape) - 1)
    bench = Bench(Upsample(size, mode), in_shape)
    rng = np.random.default_rng(0)
    x, u = rng.normal(size=(2, 3, *in_shape))
    bench.layer.block_rows = block_rows
    y = bench.forward(x)
    expected = oracle(x, sizes, mode)
    assert y.shape == expected.shape == (3, *bench.layer.out_shape)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-13)
    dy = rng.normal(size=y.shape)
    dx, _, _ = bench.backward(dy)
    # Linear in x, hence <dy, y(u)> = <dx, u>.
    slope = np.vdot(dy, oracle(u, sizes, mode))
    np.testing.assert_allclose(np.vdot(dx, u), slope, rtol=1e-10, atol=1e-11)


@settings(max_examples=60, deadline=None)
@given(case=upsamples(), mode=st.sampled_from(MODES))
def test_equals_torch(torch, case, mode):
    in_shape, size = case
    ndim = len(in_shape) - 1
    sizes = per_axis(size, ndim)
    bench = Bench(Upsample(size, mode), in_shape)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *in_shape))
    tensor = torch.tensor(np.moveaxis(x, -1, 1).copy(), requires_grad=True)
    how = {"mode": mode}
    if mode == "bilinear":
        names = ("linear", "bilinear", "trilinear")
        how = {"mode": names[ndim - 1], "align_corners": False}
    theirs = torch.nn.functional.interpolate(tensor, scale_factor=sizes, **how)
    y = bench.forward(x)
    expected = np.moveaxis(theirs.detach().numpy(), 1, -1)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-10)
    dy = rng.normal(size=y.shape)
    theirs.backward(torch.tensor(np.moveaxis(dy, -1, 1).copy()))
    dx, _, _ = bench.backward(dy)
    expected = np.moveaxis(tensor.grad.numpy(), 1, -1)
    np.testing.assert_allclose(dx, expected, rtol=1e-9, atol=1e-10)


def test_known_values():
    x = np.array([[0.0, 4.0, 8.0]])[..., None]
    nearest = Bench(Upsample(2), (3, 1)).forward(x)[0, :, 0]
    np.testing.assert_array_equal(nearest, [0, 0, 4, 4, 8, 8])
    linear = Bench(Upsample(2, "bilinear"), (3, 1)).forward(x)[0, :, 0]
    np.testing.assert_array_equal(linear, [0, 1, 3, 5, 7, 8])


@pytest.mark.parametrize("mode", MODES)
def test_constant_maps_stay_constant(mode):
    y = Bench(Upsample((3, 2), mode), (4, 5, 2), "float32").forward(
        np.ones((2, 4, 5, 2))
    )
    np.testing.assert_allclose(y, 1, rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_large_maps(mode):
    in_shape = (70, 40, 2)
    x = np.random.default_rng(0).normal(size=(1, *in_shape))
    y = Bench(Upsample(2, mode), in_shape).forward(x)
    np.testing.assert_allclose(y, oracle(x, (2, 2), mode), rtol=1e-11, atol=1e-12)
