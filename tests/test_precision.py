"""What holds beside the formulas: dtypes, strided views, long vectors, pickles."""

import pickle
from functools import partial

import numpy as np
import pytest

from skconvnet.losses import (
    AbsoluteError,
    BinaryLogLoss,
    Hinge,
    Huber,
    LogisticSquaredError,
    LogLoss,
    MeanOutputSquaredError,
    Perceptron,
    PoissonDeviance,
    Quantile,
    SquaredError,
    SquaredHinge,
)
from skconvnet.ops.activations import ACTIVATIONS, get_activation
from skconvnet.ops.workspace import Workspace
from skconvnet.optimizers import OPTIMIZERS as NAMED_OPTIMIZERS
from skconvnet.optimizers import SGD, Adam, RMSprop

LOSSES = [
    LogLoss,
    partial(LogLoss, 0.1),
    BinaryLogLoss,
    partial(BinaryLogLoss, 0.1),
    LogisticSquaredError,
    Hinge,
    SquaredHinge,
    Perceptron,
    SquaredError,
    MeanOutputSquaredError,
    AbsoluteError,
    Huber,
    Quantile,
    PoissonDeviance,
]
TRAINABLE = [name for name, f in ACTIVATIONS.items() if f.is_trainable]
OPTIMIZERS = [
    *(make() for make in NAMED_OPTIMIZERS.values()),
    SGD(momentum=0.0),
    SGD(nesterov=True),
    Adam(0.5, 0.7, 0.1),
    Adam(amsgrad=True),
    RMSprop(centered=True),
]


def fresh(optimizer):
    return pickle.loads(pickle.dumps(optimizer))


@pytest.fixture
def scores_and_target():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 8)), np.eye(3)[rng.integers(3, size=8)].T


@pytest.mark.parametrize("make", LOSSES)
def test_losses_keep_float32(make, scores_and_target):
    scores, target = scores_and_target
    weight = np.random.default_rng(1).uniform(size=8)
    single = scores.astype("float32")
    value = make()(single, target.astype("float32"), weight.astype("float32"))
    assert single.dtype == np.float32
    assert type(value) is float
    assert value == pytest.approx(make()(scores, target, weight), rel=1e-5)
    np.testing.assert_allclose(single, scores, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", LOSSES)
def test_losses_weigh_each_sample(make, scores_and_target):
    scores, target = scores_and_target
    weight = np.array([0.0, 1.0, 0.5, 2.0, 0.0, 3.0, 1.0, 0.1])
    unweighted, weighted = scores.copy(), scores.copy()
    make()(unweighted, target, 1.0)
    value = make()(weighted, target, weight)
    np.testing.assert_allclose(weighted, unweighted * weight)
    one_by_one = sum(
        make()(scores[:, i : i + 1].copy(), target[:, i : i + 1], w)
        for i, w in enumerate(weight)
    )
    assert value == pytest.approx(one_by_one)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("make", [LogLoss, BinaryLogLoss])
def test_a_probability_of_zero_costs_as_much_as_eps(make, dtype):
    scores = np.array([[-1e4], [1e4]], dtype=dtype)
    target = np.array([[1], [0]], dtype=dtype)
    per_wrong_output = -np.log(np.finfo(dtype).eps)
    n_wrong = 1 if make is LogLoss else 2
    value = make()(scores, target, 1.0)
    assert value == pytest.approx(n_wrong * per_wrong_output, rel=1e-6)
    np.testing.assert_array_equal(scores, [[-1], [1]])


@pytest.mark.parametrize("name", TRAINABLE)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_write_into_strided_views(name, dtype):
    function, workspace = get_activation(name), Workspace()
    whole = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype(dtype)
    dy_whole = np.random.default_rng(1).normal(size=whole.shape).astype(dtype)
    z, dy = whole[:, :3, 1:], dy_whole[:, :3, 1:]
    expected, slope = np.empty_like(z), np.empty_like(z)
    function.apply(z.copy(), expected, workspace)
    kept = z.copy() if function.needs_input else expected
    function.backward(kept, dy.copy(), slope, workspace)
    before, dy_before = whole.copy(), dy_whole.copy()
    function.apply(z, z, workspace)
    function.backward(kept, dy, dy, workspace)
    np.testing.assert_array_equal(z, expected)
    np.testing.assert_array_equal(dy, slope)
    # Nothing around the views has changed.
    np.testing.assert_array_equal(whole[:, 3:], before[:, 3:])
    np.testing.assert_array_equal(whole[:, :, 0], before[:, :, 0])
    np.testing.assert_array_equal(dy_whole[:, 3:], dy_before[:, 3:])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_activations_at_the_ends_of_the_line(dtype):
    z = np.array([-1e5, -100, 0, 100, 1e5], dtype=dtype)
    expected = {
        "identity": z,
        "logistic": [0, 0, 0.5, 1, 1],
        "tanh": [-1, -1, 0, 1, 1],
        "relu": [0, 0, 0, 100, 1e5],
        "leaky_relu": [-1e3, -1, 0, 100, 1e5],
        "elu": [-1, -1, 0, 100, 1e5],
        "selu": [-1.7580993, -1.7580993, 0, 105.07010, 105070.1],
        "celu": [-1, -1, 0, 100, 1e5],
        "gelu": [0, 0, 0, 100, 1e5],
        "silu": [0, 0, 0, 100, 1e5],
        "hard_swish": [0, 0, 0, 100, 1e5],
        "mish": [0, 0, 0, 100, 1e5],
        "softplus": [0, 0, np.log(2), 100, 1e5],
        "softsign": [-1e5 / (1e5 + 1), -100 / 101, 0, 100 / 101, 1e5 / (1e5 + 1)],
        "hard_sigmoid": [0, 0, 0.5, 1, 1],
    }
    assert set(expected) == set(TRAINABLE)
    workspace = Workspace()
    for name in TRAINABLE:
        function = ACTIVATIONS[name]
        y, slope = np.empty_like(z), np.empty_like(z)
        function.apply(z, y, workspace)
        kept = z if function.needs_input else y
        function.backward(kept, np.ones_like(z), slope, workspace)
        np.testing.assert_allclose(y, expected[function.name], rtol=1e-6, atol=1e-30)
        assert np.isfinite(slope).all()
    relu = get_activation("relu")
    relu.backward(np.maximum(z, 0), np.ones_like(z), slope, workspace)
    np.testing.assert_array_equal(slope, [0, 0, 0, 1, 1])


def test_no_activation_is_the_identity():
    assert get_activation(None) is get_activation("identity")


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_long_vector_is_updated_like_short_ones(optimizer):
    n, n_short = 200_003, 1000
    rng = np.random.default_rng(0)
    steps = rng.normal(size=(5, n)).astype("float32")
    weights = rng.normal(size=n).astype("float32")
    chosen = rng.permutation(n)[:n_short]
    short = weights[chosen]
    long_optimizer, short_optimizer = fresh(optimizer), fresh(optimizer)
    for gradient in steps:
        long_optimizer.step(weights, gradient, 0.1)
        short_optimizer.step(short, gradient[chosen], 0.1)
    np.testing.assert_allclose(weights[chosen], short, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_pickled_optimizer_goes_on_where_it_was(optimizer):
    steps = np.random.default_rng(0).normal(size=(20, 7))
    weights, copied = np.ones(7), np.ones(7)
    first, second = fresh(optimizer), fresh(optimizer)
    for gradient in steps:
        first.step(weights, gradient, 0.1)
        second = fresh(second)
        second.step(copied, gradient, 0.1)
    np.testing.assert_array_equal(weights, copied)
