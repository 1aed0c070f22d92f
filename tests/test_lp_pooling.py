"""Pooling by the p-norm against plain loops and PyTorch."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with

from skconvnet import layers
from skconvnet.layers import GlobalLpPool, GlobalMaxPool, LpPool1D, LpPool2D

EXPONENTS = [1, 1.3, 2, 2.5, 3, 7]


def draw(shape, zeros=False, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(-2, 3, shape) * 1.0 if zeros else rng.normal(size=shape)


def norm(values, p):
    """Return the norm over the first axis, and its derivative by each value."""
    y = (np.abs(values) ** p).sum(axis=0) ** (1 / p)
    ratio = np.divide(np.abs(values), y, out=np.zeros_like(values), where=y > 0)
    return y, np.sign(values) * ratio ** (p - 1)


def values_at(x, positions):
    return np.stack([x[(slice(None), *position)] for position in positions])


def pool(x, size, strides, padding, p):
    out = None
    window = size, strides, padding
    for output, inside, counts in oracles.windows_of(x.shape[1:-1], *window):
        if out is None:
            out = np.empty((len(x), *counts, x.shape[-1]))
        out[(slice(None), *output)], _ = norm(values_at(x, inside), p)
    return out


def pool_gradient(x, dy, size, strides, padding, p):
    dx = np.zeros_like(x)
    window = size, strides, padding
    for output, inside, _ in oracles.windows_of(x.shape[1:-1], *window):
        _, slopes = norm(values_at(x, inside), p)
        for position, slope in zip(inside, slopes, strict=True):
            dx[(slice(None), *position)] += slope * dy[(slice(None), *output)]
    return dx


def assert_pools(size, strides, padding, p, x):
    spec = getattr(layers, f"LpPool{len(size)}D")(size, strides, padding, p)
    compare_with(
        lambda x: pool(x, size, strides, padding, p),
        Bench(spec, x.shape[1:]),
        x,
        lambda x, dy: [pool_gradient(x, dy, size, strides, padding, p)],
        rtol=1e-11,
        atol=1e-13,
    )


@settings(max_examples=80, deadline=None)
@given(
    shape=st.lists(st.integers(4, 7), min_size=1, max_size=3),
    padding=st.sampled_from(["valid", "same"]),
    p=st.sampled_from(EXPONENTS),
    zeros=st.booleans(),
    data=st.data(),
)
def test_any_parameters(shape, padding, p, zeros, data):
    size, strides = (tuple(data.draw(st.integers(1, n)) for _ in shape) for n in (3, 4))
    assert_pools(size, strides, padding, p, draw((2, *shape, 2), zeros))


def test_explicit_padding():
    assert_pools((3, 2), (2, 1), (1, (0, 1)), 3, draw((2, 6, 5, 2)))


@settings(max_examples=60, deadline=None)
@given(
    spatial=st.lists(st.integers(1, 6), min_size=1, max_size=3),
    p=st.sampled_from(EXPONENTS),
    zeros=st.booleans(),
    batch=st.integers(1, 3),
)
def test_global_pooling_is_one_window(spatial, p, zeros, batch):
    x = draw((batch, *spatial, 2), zeros)
    positions = list(np.ndindex(*spatial))

    def gradient(x, dy):
        _, slopes = norm(values_at(x, positions), p)
        return [np.moveaxis(slopes * dy, 0, 1).reshape(x.shape)]

    compare_with(
        lambda x: norm(values_at(x, positions), p)[0],
        Bench(GlobalLpPool(p), x.shape[1:]),
        x,
        gradient,
        rtol=1e-11,
        atol=1e-13,
    )


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, 2), (2, 1)])
@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 4])
def test_equals_torch(torch, p, size, strides, ndim):
    x = draw((3, *(7, 6, 5)[:ndim], 2))
    if p % 2:  # for which PyTorch's powers have a sign
        x = np.abs(x)
    bench = Bench(getattr(layers, f"LpPool{ndim}D")(size, strides, p=p), x.shape[1:])
    y = bench.forward(x)
    dy = draw(y.shape, seed=1)
    dx, _, _ = bench.backward(dy.copy())
    inputs = torch.tensor(x, requires_grad=True)
    theirs = getattr(torch.nn, f"LPPool{ndim}d")(p, size, strides)
    expected = theirs(inputs.movedim(-1, 1)).movedim(1, -1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-11)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", [LpPool1D, GlobalLpPool])
def test_zeros_have_no_gradient(kind, dtype, p):
    bench = Bench(kind(p=p), (4, 2), dtype)
    with np.errstate(all="raise"):
        y = bench.forward(np.zeros((3, 4, 2)))
        dx, _, _ = bench.backward(np.full_like(y, 100))
    assert not y.any()
    assert not dx.any()


@pytest.mark.parametrize("scale", [1e-25, 1e25])
@pytest.mark.parametrize("p", [1, 1.5, 3, 50, 1000])
@pytest.mark.parametrize("kind", [LpPool1D, GlobalLpPool])
def test_powers_do_not_overflow(kind, p, scale):
    x = draw((3, 4, 2))
    exact = Bench(kind(p=p), (4, 2))
    expected = exact.forward(x)
    dy = draw(expected.shape, seed=1)
    expected_dx, _, _ = exact.backward(dy.copy())
    bench = Bench(kind(p=p), (4, 2), "float32")
    with np.errstate(all="raise", under="ignore"):
        y = bench.forward(scale * x)
        dx, _, _ = bench.backward(dy)
    np.testing.assert_allclose(y / scale, expected, rtol=1e-5)
    np.testing.assert_allclose(dx, expected_dx, rtol=5e-4, atol=1e-6)


def test_a_large_exponent_gives_the_maximum():
    x = np.abs(draw((3, 6, 5, 2)))
    largest = Bench(GlobalMaxPool(), x.shape[1:]).forward(x)
    y = Bench(GlobalLpPool(5000), x.shape[1:]).forward(x)
    np.testing.assert_allclose(y, largest, rtol=1e-3)


@pytest.mark.parametrize("value", [0, 0.9, -2, np.nan, np.inf, "2", None, True])
@pytest.mark.parametrize("spec", [LpPool2D(), GlobalLpPool()], ids=str)
def test_bad_p(spec, value):
    with pytest.raises((TypeError, ValueError), match="p must be a finite float of at"):
        spec.set_params(p=value).build((6, 6, 1))


def test_flat_input_is_refused():
    with pytest.raises(
        ValueError, match=r"GlobalLpPool needs a map .*\(12,\).*Flatten"
    ):
        GlobalLpPool().build((12,))
