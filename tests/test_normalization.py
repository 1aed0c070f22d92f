"""LayerNorm and LocalResponseNorm against their formulas and PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import Dense, LayerNorm, LocalResponseNorm

SHAPES = [(6,), (5, 4), (4, 3, 5), (2, 3, 4, 3)]


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape, scale=scale)


def backward(bench, y, seed=1):
    dy = draw(y.shape, seed)
    dx, views, _ = bench.backward(dy.copy())
    return dy, dx, views


@pytest.mark.parametrize("epsilon", [1e-5, 0.3])
@pytest.mark.parametrize("axis", ["channels", "all"])
@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
def test_layer_norm_is_its_formula(in_shape, axis, epsilon):
    x = draw((3, *in_shape), scale=2) + 5
    bench = Bench(LayerNorm(epsilon, axis), in_shape)
    expected = np.empty_like(x)
    gamma, beta = bench.weights["gamma"], bench.weights["beta"]
    for i, sample in enumerate(x):
        groups = [()] if axis == "all" else np.ndindex(in_shape[:-1])
        for where in groups:
            values = sample[where]
            scale = np.sqrt(np.var(values) + epsilon)
            expected[(i, *where)] = gamma * (values - values.mean()) / scale + beta
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-10, atol=1e-12)


def torch_layer_norm(torch, bench, x, dy, axis, dtype):
    """Return the output of PyTorch's layer with the same weights, and all gradients."""
    shape = x.shape[1:] if axis == "all" else x.shape[-1:]
    theirs = torch.nn.LayerNorm(shape, dtype=getattr(torch, dtype))
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(bench.weights["gamma"]))
        theirs.bias.copy_(torch.tensor(bench.weights["beta"]))
    inputs = torch.tensor(x.astype(dtype), requires_grad=True)
    y = theirs(inputs)
    y.backward(torch.tensor(dy.astype(dtype)))
    values = (y.detach(), inputs.grad, theirs.weight.grad, theirs.bias.grad)
    return [value.numpy() for value in values]


def our_layer_norm(bench, x, dy):
    y = bench.forward(x)
    dx, gradients, _ = bench.backward(dy.copy())
    return [y, dx, gradients["gamma"], gradients["beta"]]


@pytest.mark.parametrize("axis", ["channels", "all"])
@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
def test_layer_norm_equals_torch(torch, in_shape, axis):
    bench = Bench(LayerNorm(axis=axis), in_shape)
    x, dy = draw((3, *in_shape)) + 2, draw((3, *in_shape), seed=1)
    expected = torch_layer_norm(torch, bench, x, dy, axis, "float64")
    for value, wanted in zip(our_layer_norm(bench, x, dy), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("axis", ["channels", "all"])
@pytest.mark.parametrize("in_shape", [(64,), (16, 16, 32)], ids=str)
def test_layer_norm_in_float32_is_as_exact_as_torch(torch, in_shape, axis):
    bench = Bench(LayerNorm(axis=axis), in_shape, "float32")
    x, dy = draw((40, *in_shape)) + 2, draw((40, *in_shape), seed=1)
    x, dy = x.astype("float32"), dy.astype("float32")
    exact = torch_layer_norm(torch, bench, x, dy, axis, "float64")
    theirs = torch_layer_norm(torch, bench, x, dy, axis, "float32")
    for value, other, wanted in zip(
        our_layer_norm(bench, x, dy), theirs, exact, strict=True
    ):
        assert value.dtype == np.float32
        error, their_error = np.abs(value - wanted).max(), np.abs(other - wanted).max()
        assert error < 3 * their_error + 1e-6


@pytest.mark.parametrize("axis", ["channels", "all"])
def test_layer_norm_starts_with_mean_0_and_variance_1(axis):
    network = Network([("layer", LayerNorm(axis=axis))], (4, 3, 5), "float64")
    network.initialize(np.random.RandomState(0))
    layer = network.layers["layer"]
    x = np.random.default_rng(0).normal(3, 7, size=(5, 4, 3, 6))
    workspace = network.workspaces()[0]
    y, _ = layer.forward(x, train=False, rng=None, workspace=workspace)
    over = 0 if axis == "channels" else (0, 1, 2)
    np.testing.assert_allclose(y.mean(axis=over), 0, atol=1e-12)
    np.testing.assert_allclose(y.var(axis=over), 1, rtol=1e-4)


def test_layer_norm_of_equal_values_is_beta():
    bench = Bench(LayerNorm(), (3, 4), "float32")
    y = bench.forward(np.full((2, 3, 4), 7.0))
    np.testing.assert_array_equal(y, np.broadcast_to(bench.weights["beta"], y.shape))


def test_layer_norm_keeps_digits_far_from_zero():
    x = draw((4, 5, 64))
    exact = Bench(LayerNorm(), (5, 64)).forward(x)
    # The values themselves are known to 6e-5 next to 1000, and so is the output.
    moved = Bench(LayerNorm(), (5, 64), "float32").forward(x + 1000)
    np.testing.assert_allclose(moved, exact, rtol=0, atol=5e-4)


def test_alpha_leaves_gamma_and_beta_alone():
    X, y = draw((60, 5)), np.arange(60) % 2
    net = SequentialClassifier([("norm", LayerNorm()), Dense(4)], alpha=1.0)
    net.initialize(X, y)
    free = SequentialClassifier([("norm", LayerNorm()), Dense(4)], alpha=0.0)
    free.initialize(X, y).set_weights(net.get_weights())
    _, gradients = net.loss_gradients(X, y)
    _, wanted = free.loss_gradients(X, y)
    for name in ("norm/gamma", "norm/beta"):
        np.testing.assert_array_equal(gradients[name], wanted[name])
    assert (gradients["dense/kernel"] != wanted["dense/kernel"]).any()


def lrn(x, size, alpha, beta, k):
    """One value at a time, as in section 3.3 of Krizhevsky et al., 2012."""
    y = np.empty_like(x)
    channels = x.shape[-1]
    for c in range(channels):
        window = range(max(0, c - size // 2), min(channels, c + (size - 1) // 2 + 1))
        total = sum(x[..., other] ** 2 for other in window)
        y[..., c] = x[..., c] / (k + alpha * total) ** beta
    return y


@settings(max_examples=60, deadline=None)
@given(
    spatial=st.lists(st.integers(1, 4), max_size=3),
    channels=st.integers(1, 9),
    size=st.integers(1, 12),
    alpha=st.floats(0, 2),
    beta=st.sampled_from([0.0, 0.5, 0.75, 1.0, 1.7]),
    k=st.floats(0.1, 3),
)
def test_local_response_norm_is_its_formula(spatial, channels, size, alpha, beta, k):
    x = draw((2, *spatial, channels))
    y = Bench(LocalResponseNorm(size, alpha, beta, k), x.shape[1:]).forward(x)
    np.testing.assert_allclose(y, lrn(x, size, alpha, beta, k), rtol=1e-12)


@pytest.mark.parametrize("size", [1, 2, 4, 5, 11])
@pytest.mark.parametrize("beta", [0.75, 0.6])
@pytest.mark.parametrize("in_shape", SHAPES[1:], ids=str)
def test_local_response_norm_equals_torch(torch, in_shape, beta, size):
    x = draw((3, *in_shape), scale=3)
    bench = Bench(LocalResponseNorm(size, 0.2, beta, 1.5), in_shape)
    y = bench.forward(x)
    dy, dx, _ = backward(bench, y)
    theirs = torch.nn.LocalResponseNorm(size, size * 0.2, beta, 1.5)
    inputs = torch.tensor(x, requires_grad=True)
    expected = theirs(inputs.movedim(-1, 1)).movedim(1, -1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-11)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "1e-5", None, True])
def test_bad_epsilon(value):
    with pytest.raises((TypeError, ValueError), match=r"epsilon must be .* got"):
        LayerNorm(epsilon=value).build((4,))


@pytest.mark.parametrize("value", [-1, None, "channel", ("all",), 1.0])
def test_bad_axis(value):
    with pytest.raises(ValueError, match=r"axis must be one of 'channels', 'all'; got"):
        LayerNorm(axis=value).build((4,))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("size", [0, -3, 2.5, "5", True, None]),
        ("alpha", [-0.1, np.nan, np.inf, "1", None, True]),
        ("beta", [-0.1, np.nan, np.inf, "1", None, True]),
        ("k", [0, -2.0, np.nan, np.inf, "1", None, True]),
    ],
)
def test_bad_local_response_norm(name, values):
    for value in values:
        spec = LocalResponseNorm(**{name: value})
        with pytest.raises((TypeError, ValueError), match=f"^{name} must be .* got"):
            spec.build((4, 3))
