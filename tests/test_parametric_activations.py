"""Activation functions with parameters against their formulas, PyTorch and Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet.layers import CELU, ELU, SELU, Activation, LeakyReLU, SmoothClip

SHAPES = [(6,), (5, 4), (4, 3, 5), (2, 3, 4, 3)]
# Parameters of random layers.
DRAWN = {
    LeakyReLU: lambda rng: (rng.uniform(0, 2),),
    ELU: lambda rng: (rng.uniform(0, 3),),
    SELU: lambda rng: (rng.uniform(0, 3), rng.uniform(0.2, 3)),
    # Powers of two, since PyTorch rounds 1 / alpha to float32.
    CELU: lambda rng: (2.0 ** rng.integers(-3, 3),),
    SmoothClip: lambda rng: (rng.uniform(0.5, 5),),
}
FORMULAS = {
    LeakyReLU: lambda x, slope: np.where(x > 0, x, slope * x),
    ELU: lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x) - 1)),
    SELU: lambda x, alpha, gamma: gamma * np.where(x > 0, x, alpha * (np.exp(x) - 1)),
    CELU: lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x / alpha) - 1)),
    SmoothClip: lambda x, limit: x / np.sqrt(1 + (x / limit) ** 2),
}
SLOPES = {
    LeakyReLU: lambda x, slope: np.where(x > 0, 1, slope),
    ELU: lambda x, alpha: np.where(x > 0, 1, alpha * np.exp(x)),
    SELU: lambda x, alpha, gamma: gamma * np.where(x > 0, 1, alpha * np.exp(x)),
    CELU: lambda x, alpha: np.where(x > 0, 1, np.exp(x / alpha)),
    SmoothClip: lambda x, limit: (1 + (x / limit) ** 2) ** -1.5,
}


def random_case(kind, in_shape, seed):
    """Return the parameters of a layer, samples, and the gradient of the output."""
    rng = np.random.default_rng(seed)
    x, dy = rng.normal(0, 3, (2, 4, *in_shape))
    return DRAWN[kind](rng), x, dy


def run(spec, x, dy):
    bench = Bench(spec, x.shape[1:])
    y = bench.forward(x)
    dx, _, _ = bench.backward(dy.copy())
    return y, dx


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(list(FORMULAS)),
    in_shape=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    seed=st.integers(0, 999),
)
def test_layers_are_their_formulas(kind, in_shape, seed):
    params, x, dy = random_case(kind, in_shape, seed)
    y, dx = run(kind(*params), x, dy)
    np.testing.assert_allclose(y, FORMULAS[kind](x, *params), rtol=1e-12, atol=1e-14)
    expected = dy * SLOPES[kind](x, *params)
    np.testing.assert_allclose(dx, expected, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("kind", [LeakyReLU, ELU, SELU, CELU])
def test_defaults_are_those_of_the_function(kind):
    _, x, dy = random_case(kind, (4, 3), 0)
    function = Activation(kind.__name__.lower().replace("leaky", "leaky_"))
    for value, expected in zip(run(kind(), x, dy), run(function, x, dy), strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", [LeakyReLU, ELU, CELU])
def test_layers_equal_torch(torch, kind, in_shape, seed):
    params, x, dy = random_case(kind, in_shape, seed)
    inputs = torch.tensor(x, requires_grad=True)
    y = getattr(torch.nn, kind.__name__)(*params)(inputs)
    y.backward(torch.tensor(dy))
    found = run(kind(*params), x, dy)
    for value, expected in zip(found, (y.detach(), inputs.grad), strict=True):
        np.testing.assert_allclose(value, expected.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", [LeakyReLU, ELU, SELU, CELU])
def test_layers_equal_keras(keras, torch, kind, seed):
    params, x, dy = random_case(kind, (4, 3, 5), seed)
    if kind is SELU:  # of which Keras has the constants alone
        params = ()
    name = {LeakyReLU: "leaky_relu"}.get(kind, kind.__name__.lower())
    inputs = torch.tensor(x, requires_grad=True)
    y = getattr(keras.activations, name)(inputs, *params)
    y.backward(torch.tensor(dy))
    found = run(kind(*params), x, dy)
    for value, expected in zip(found, (y.detach(), inputs.grad), strict=True):
        np.testing.assert_allclose(value, expected.numpy(), rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", FORMULAS)
def test_large_numbers_give_finite_ones(kind, dtype):
    params, _, _ = random_case(kind, (1,), 0)
    x = np.array([[-1e30, -1e4, -80, 80, 1e4, 1e30]])
    bench = Bench(kind(*params), x.shape[1:], dtype)
    with np.errstate(all="raise", under="ignore"):
        y = bench.forward(x)
        dx, _, _ = bench.backward(np.ones_like(y))
    assert np.isfinite(y).all()
    assert np.isfinite(dx).all()


def test_outliers_come_close_to_the_limit_in_order():
    x = np.array([[-1e30, -100.0, -0.01, 0.01, 5.0, 100.0, 1e30]])
    y = Bench(SmoothClip(2.0), (7,)).forward(x)[0]
    assert (np.diff(y) > 0).all()
    np.testing.assert_allclose(y[[0, 2, 3, 6]], [-2, -0.01, 0.01, 2], rtol=1e-4)


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "1", None, True])
@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (LeakyReLU, "negative_slope"),
        (ELU, "alpha"),
        (SELU, "alpha"),
        (SELU, "gamma"),
        (CELU, "alpha"),
        (SmoothClip, "limit"),
    ],
)
def test_bad_parameters(kind, name, value):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be a finite.*got"):
        kind(**{name: value}).build((4,))


@pytest.mark.parametrize(
    ("kind", "name"), [(SELU, "gamma"), (CELU, "alpha"), (SmoothClip, "limit")]
)
def test_factors_are_not_0(kind, name):
    with pytest.raises(ValueError, match=f"^{name} must be a finite float larger than"):
        kind(**{name: 0}).build((4,))
