"""RMSNorm against its formula, PyTorch and Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet.layers import RMSNorm

SHAPES = [(6,), (5, 4), (4, 3, 5), (2, 3, 4, 3)]
of_shapes = pytest.mark.parametrize("in_shape", SHAPES, ids=str)
of_axes = pytest.mark.parametrize("axis", ["channels", "all"])


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape, scale=scale)


def ours(bench, x, dy):
    y = bench.forward(x)
    dx, gradients, _ = bench.backward(dy.copy())
    return [y, dx, gradients["gamma"]]


@settings(max_examples=60, deadline=None)
@given(
    in_shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    axis=st.sampled_from(["channels", "all"]),
    epsilon=st.sampled_from([1e-6, 1e-3, 0.3]),
    batch=st.integers(1, 5),
)
def test_rms_norm_is_its_formula(in_shape, axis, epsilon, batch):
    x = draw((batch, *in_shape), scale=2) + 1
    bench = Bench(RMSNorm(epsilon, axis), tuple(in_shape))
    gamma, expected = bench.weights["gamma"], np.empty_like(x)
    for i, sample in enumerate(x):
        groups = [()] if axis == "all" else np.ndindex(*in_shape[:-1])
        for where in groups:
            values = sample[where]
            root = np.sqrt(np.mean(values**2) + epsilon)
            expected[(i, *where)] = gamma * values / root
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-11, atol=1e-13)


def of_torch(torch, bench, x, dy, axis, epsilon, dtype="float64"):
    """Return the output of PyTorch's layer with the same weights, and all gradients."""
    shape = x.shape[1:] if axis == "all" else x.shape[-1:]
    theirs = torch.nn.RMSNorm(shape, epsilon, dtype=getattr(torch, dtype))
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(bench.weights["gamma"]))
    inputs = torch.tensor(x.astype(dtype), requires_grad=True)
    y = theirs(inputs)
    y.backward(torch.tensor(dy.astype(dtype)))
    return [v.numpy() for v in (y.detach(), inputs.grad, theirs.weight.grad)]


@pytest.mark.parametrize("seed", range(3))
@of_axes
@of_shapes
def test_rms_norm_equals_torch(torch, in_shape, axis, seed):
    epsilon = (1e-6, 1e-3, 0.1)[seed]
    bench = Bench(RMSNorm(epsilon, axis), in_shape)
    x, dy = draw((3, *in_shape), seed) + 1, draw((3, *in_shape), seed + 9)
    expected = of_torch(torch, bench, x, dy, axis, epsilon)
    for value, wanted in zip(ours(bench, x, dy), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-11)


@of_axes
@of_shapes
def test_rms_norm_equals_keras(keras, torch, in_shape, axis):
    bench = Bench(RMSNorm(axis=axis), in_shape)
    x, dy = draw((3, *in_shape)) + 1, draw((3, *in_shape), seed=1)
    axes = list(range(1, x.ndim)) if axis == "all" else -1
    layer = keras.layers.RMSNormalization(axes, dtype="float64")
    layer.build(x.shape)
    layer.set_weights([bench.weights["gamma"]])
    inputs = torch.tensor(x, requires_grad=True)
    y = layer(inputs)
    y.backward(torch.tensor(dy))
    (scale,) = layer.weights
    expected = (y.detach(), inputs.grad, scale.value.grad)
    for value, wanted in zip(ours(bench, x, dy), expected, strict=True):
        # Keras rounds to float32, in layers of float64 as well.
        tolerance = 1e-5 * max(np.abs(wanted.numpy()).max(), 1)
        np.testing.assert_allclose(value, wanted.numpy(), rtol=0, atol=tolerance)


@of_axes
@pytest.mark.parametrize("in_shape", [(64,), (16, 16, 32), (997, 32)], ids=str)
def test_float32_is_as_exact_as_torch(torch, in_shape, axis):
    bench = Bench(RMSNorm(axis=axis), in_shape, "float32")
    x, dy = draw((40, *in_shape)) + 2, draw((40, *in_shape), seed=1)
    x, dy = x.astype("float32"), dy.astype("float32")
    exact = of_torch(torch, bench, x, dy, axis, 1e-6)
    theirs = of_torch(torch, bench, x, dy, axis, 1e-6, "float32")
    for value, other, wanted in zip(ours(bench, x, dy), theirs, exact, strict=True):
        assert value.dtype == np.float32
        scale = np.abs(wanted).max()
        error, their_error = (np.abs(v - wanted).max() / scale for v in (value, other))
        assert error < 3 * their_error + 5e-7


@of_axes
def test_zeros_stay_zeros(axis):
    bench = Bench(RMSNorm(axis=axis), (3, 4), "float32")
    y, dx, dgamma = ours(bench, np.zeros((2, 3, 4)), np.ones((2, 3, 4)))
    assert not y.any()
    assert not dgamma.any()
    assert np.isfinite(dx).all()


@of_axes
def test_the_scale_of_the_input_does_not_matter(axis):
    x = draw((2, 5, 4))
    bench = Bench(RMSNorm(1e-12, axis), (5, 4))
    np.testing.assert_allclose(bench.forward(1000 * x), bench.forward(x), rtol=1e-9)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "1e-5", None, True])
def test_bad_epsilon(value):
    with pytest.raises((TypeError, ValueError), match=r"epsilon must be .* got"):
        RMSNorm(epsilon=value).build((4,))


@pytest.mark.parametrize("value", [-1, None, "channel", ("all",), 1.0])
def test_bad_axis(value):
    with pytest.raises(ValueError, match=r"axis must be one of 'channels', 'all'; got"):
        RMSNorm(axis=value).build((4,))
