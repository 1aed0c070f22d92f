"""PReLU, RReLU and Maxout against their definitions and PyTorch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench

from skconvnet.engine.network import Network
from skconvnet.layers import Maxout, PReLU, RReLU

SHAPES = [(6,), (5, 4), (4, 3, 6), (2, 3, 4, 2)]


def draw(shape, seed=0):
    # Halves of whole numbers, so that zeros are among them, and ties.
    return np.random.default_rng(seed).integers(-4, 5, size=shape) / 2


@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
def test_prelu_equals_torch(torch, in_shape, shared):
    bench = Bench(PReLU(shared), in_shape)
    x, dy = draw((3, *in_shape)), draw((3, *in_shape), seed=1)
    y = bench.forward(x)
    dx, gradients, _ = bench.backward(dy.copy())
    theirs = torch.nn.PReLU(1 if shared else in_shape[-1], dtype=torch.float64)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(bench.weights["slope"]))
    inputs = torch.tensor(x, requires_grad=True)
    expected = theirs(inputs.movedim(-1, 1)).movedim(1, -1)
    expected.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-14)
    np.testing.assert_allclose(dx, inputs.grad.numpy(), rtol=1e-14)
    np.testing.assert_allclose(gradients["slope"], theirs.weight.grad.numpy(), 1e-12)


@pytest.mark.parametrize("shared", [False, True])
def test_prelu_is_its_definition(shared):
    bench = Bench(PReLU(shared), (4, 3, 2))
    x, dy = draw((3, 4, 3, 2)), draw((3, 4, 3, 2), seed=1)
    slope = np.broadcast_to(bench.weights["slope"], (2,))
    np.testing.assert_array_equal(bench.forward(x), np.where(x > 0, x, slope * x))
    dx, gradients, _ = bench.backward(dy.copy())
    np.testing.assert_array_equal(dx, np.where(x > 0, dy, slope * dy))
    dslope = np.where(x > 0, 0, x * dy).sum(axis=(0, 1, 2))
    wanted = dslope.sum(keepdims=True) if shared else dslope
    np.testing.assert_allclose(gradients["slope"], wanted, rtol=1e-13)


@pytest.mark.parametrize("shared", [False, True])
def test_prelu_starts_from_initial(shared):
    network = Network([("layer", PReLU(shared, initial=0.1))], (4, 3), "float64")
    network.initialize(np.random.RandomState(0))
    np.testing.assert_array_equal(
        network.weights["layer/slope"], [0.1] * (3, 1)[shared]
    )
    assert network.layout.n_penalized == 0


def test_prelu_with_slope_0_is_relu_to_the_bit():
    bench = Bench(PReLU(), (7,), "float32")
    bench.weights["slope"][...] = 0
    x = np.random.default_rng(0).normal(size=(5, 7)).astype("float32")
    np.testing.assert_array_equal(bench.forward(x), np.maximum(x, 0))


@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
@pytest.mark.parametrize(("lower", "upper"), [(1 / 8, 1 / 3), (-1.0, 2.0)])
def test_rrelu_draws_a_slope_for_every_value(lower, upper, in_shape):
    bench = Bench(RReLU(lower, upper), in_shape)
    x, dy = draw((50, *in_shape)), draw((50, *in_shape), seed=1)
    y = bench.forward(x, train=True, seed=0)
    positive = x >= 0
    np.testing.assert_array_equal(y[positive], x[positive])
    slopes = y[~positive] / x[~positive]
    assert lower <= slopes.min() < lower + 0.1 * (upper - lower)
    assert upper >= slopes.max() > upper - 0.1 * (upper - lower)
    assert len(np.unique(slopes)) > 0.9 * slopes.size
    mean = (lower + upper) / 2
    error = (upper - lower) / np.sqrt(12 * slopes.size)
    assert abs(slopes.mean() - mean) < 4 * error
    dx, _, _ = bench.backward(dy.copy())
    np.testing.assert_allclose(dx[~positive], dy[~positive] * slopes, rtol=1e-12)
    np.testing.assert_array_equal(dx[x > 0], dy[x > 0])


@pytest.mark.parametrize("in_shape", SHAPES, ids=str)
def test_rrelu_predicts_with_the_mean_slope_as_torch_does(torch, in_shape):
    bench = Bench(RReLU(0.1, 0.4), in_shape)
    x = draw((3, *in_shape))
    expected = torch.nn.RReLU(0.1, 0.4).eval()(torch.tensor(x)).numpy()
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-14)


def test_rrelu_of_one_slope_is_not_random():
    layer = RReLU(0.25, 0.25).build((4,))
    assert not layer.is_random
    assert RReLU().build((4,)).is_random
    bench = Bench(RReLU(0.25, 0.25), (4,))
    x = draw((3, 4))
    expected = np.where(x > 0, x, 0.25 * x)
    np.testing.assert_array_equal(bench.forward(x, train=True), expected)


@settings(max_examples=50, deadline=None)
@given(
    spatial=st.lists(st.integers(1, 4), max_size=3),
    units=st.integers(1, 4),
    pieces=st.integers(1, 5),
)
def test_maxout_is_a_maximum_over_consecutive_channels(spatial, units, pieces):
    x = draw((2, *spatial, units * pieces))
    bench = Bench(Maxout(pieces), x.shape[1:])
    y = bench.forward(x)
    grouped = x.reshape(*x.shape[:-1], units, pieces)
    np.testing.assert_array_equal(y, grouped.max(axis=-1))
    dy = draw(y.shape, seed=1)
    dx, _, _ = bench.backward(dy.copy())
    wins = np.arange(pieces) == grouped.argmax(axis=-1)[..., None]
    np.testing.assert_array_equal(dx, (wins * dy[..., None]).reshape(x.shape))


@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, None])
def test_bad_pieces(value):
    with pytest.raises((TypeError, ValueError), match="pieces must be an int of at"):
        Maxout(value).build((4,))


def test_pieces_must_divide_the_channels():
    message = (
        r"pieces must divide the 7 channels .*\(4, 4, 7\); got 3.*3 times the number"
    )
    with pytest.raises(ValueError, match=message):
        Maxout(3).build((4, 4, 7))


@pytest.mark.parametrize("value", [1, 0, "no", None])
def test_bad_shared(value):
    with pytest.raises(TypeError, match="shared must be True or False; got"):
        PReLU(shared=value).build((4,))


@pytest.mark.parametrize("value", [np.nan, np.inf, "1", None, True])
@pytest.mark.parametrize(
    ("kind", "name"), [(PReLU, "initial"), (RReLU, "lower"), (RReLU, "upper")]
)
def test_bad_slopes(kind, name, value):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be a finite"):
        kind(**{name: value}).build((4,))


def test_lower_above_upper():
    message = r"lower must not be larger than upper; got lower=0\.5 and upper=0\.25"
    with pytest.raises(ValueError, match=message):
        RReLU(0.5, 0.25).build((4,))
