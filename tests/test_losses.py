"""Losses and activations: values at fixed points, derivatives by differences."""

import math

import numpy as np
import pytest

from skconvnet.losses import (
    AbsoluteError,
    BinaryLogLoss,
    Huber,
    LogLoss,
    MeanOutputSquaredError,
    PoissonDeviance,
    SquaredError,
)
from skconvnet.ops.activations import ACTIVATIONS, get_activation
from skconvnet.ops.workspace import Workspace

LOSSES = [
    LogLoss(),
    BinaryLogLoss(),
    SquaredError(),
    AbsoluteError(),
    Huber(),
    Huber(delta=0.3),
    PoissonDeviance(),
]


def targets_for(loss, n_outputs, n, rng):
    if isinstance(loss, LogLoss):
        return np.eye(n_outputs)[rng.integers(n_outputs, size=n)].T
    if isinstance(loss, BinaryLogLoss):
        return rng.integers(2, size=(n_outputs, n)).astype(float)
    return rng.poisson(3.0, size=(n_outputs, n)).astype(float)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES, ids=repr)
def test_gradient_follows_a_random_direction(loss, weighted):
    rng = np.random.default_rng(0)
    scores, direction = rng.normal(size=(2, 4, 6))
    target = targets_for(loss, 4, 6, rng)
    weight = rng.uniform(size=6) if weighted else 0.25
    gradient = scores.copy()
    loss(gradient, target, weight)
    step = 1e-6
    numeric = loss(scores + step * direction, target, weight)
    numeric -= loss(scores - step * direction, target, weight)
    numeric /= 2 * step
    assert abs(np.vdot(gradient, direction) - numeric) < 1e-6 * abs(numeric)


def test_values_at_fixed_points():
    p = np.exp([1.0, 2.0, 3.0]) / np.exp([1.0, 2.0, 3.0]).sum()
    one_hot = np.array([[0.0], [0.0], [1.0]])
    scores = np.array([[1.0], [2.0], [3.0]])
    assert LogLoss()(scores, one_hot, 1.0) == pytest.approx(-np.log(p[2]))
    np.testing.assert_allclose(scores.ravel(), p - [0, 0, 1])

    scores = np.array([[0.0]])
    assert BinaryLogLoss()(scores, np.array([[1.0]]), 2.0) == pytest.approx(
        2 * np.log(2)
    )
    scores, target = np.array([[3.0], [1.0]]), np.array([[1.0], [0.0]])
    assert SquaredError()(scores.copy(), target, 1.0) == 0.5 * (2**2 + 1)
    assert MeanOutputSquaredError()(scores, target, 1.0) == 0.5 * (2**2 + 1) / 2
    np.testing.assert_array_equal(scores.ravel(), [2.0, 1.0])
    scores, target = np.array([[3.0], [-0.5], [2.0]]), np.array([[1.0], [0.0], [2.0]])
    gradient = scores.copy()
    assert AbsoluteError()(gradient, target, 2.0) == 2 * 2.5
    np.testing.assert_array_equal(gradient.ravel(), [2.0, -2.0, 0.0])
    gradient = scores.copy()
    assert Huber(delta=1.5)(gradient, target, 2.0) == 2 * (1.5 * 1.25 + 0.125)
    np.testing.assert_array_equal(gradient.ravel(), [3.0, -1.0, 0.0])
    value = PoissonDeviance()(np.array([[np.log(2.0)]]), np.array([[4.0]]), 1.0)
    assert value == pytest.approx(4 * np.log(2) - 4 + 2)
    assert PoissonDeviance()(np.array([[0.0]]), np.array([[0.0]]), 1.0) == 1.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_scores_give_finite_losses(dtype):
    scores = np.array([[1e4], [-1e4]], dtype=dtype)
    target = np.array([[0], [1]], dtype=dtype)
    for loss in (LogLoss(), BinaryLogLoss()):
        assert np.isfinite(loss(scores.copy(), target, 1.0))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation_in_place_and_derivative(name, dtype):
    function, workspace = get_activation(name), Workspace()
    z = np.random.default_rng(0).normal(size=(3, 50)).astype(dtype)
    y, z_double = np.empty_like(z), z.astype(float)
    function.apply(z, y, workspace)
    in_place = z.copy()
    function.apply(in_place, in_place, workspace)
    np.testing.assert_array_equal(in_place, y)
    assert y.dtype == dtype

    above, below = np.empty_like(z_double), np.empty_like(z_double)
    function.apply(z_double + 1e-6, above, workspace)
    function.apply(z_double - 1e-6, below, workspace)
    dy = np.random.default_rng(1).normal(size=z.shape).astype(dtype)
    out = np.empty_like(dy)
    kept = z if function.needs_input else y
    function.backward(kept, dy, out, workspace)
    tolerance = 1e-8 if dtype == np.float64 else 1e-5
    np.testing.assert_allclose(
        out, dy * (above - below) / 2e-6, rtol=1e-5, atol=tolerance
    )
    function.backward(kept, dy, dy, workspace)
    np.testing.assert_array_equal(dy, out)


def test_activation_values():
    z = np.array([[-4.0, -2.0, 0.0, 0.5, 5.0]])
    alpha, scale = 1.6732632423543772, 1.0507009873554805
    normal = np.array([[0.5 * (1 + math.erf(v / math.sqrt(2))) for v in z[0]]])
    expected = {
        "identity": z,
        "logistic": 1 / (1 + np.exp(-z)),
        "tanh": np.tanh(z),
        "relu": np.where(z > 0, z, 0),
        "leaky_relu": np.where(z > 0, z, 0.01 * z),
        "elu": np.where(z > 0, z, np.exp(z) - 1),
        "selu": scale * np.where(z > 0, z, alpha * (np.exp(z) - 1)),
        "gelu": z * normal,
        "silu": z / (1 + np.exp(-z)),
        "softplus": np.log(1 + np.exp(z)),
        "hard_sigmoid": np.array([[0, 1 / 6, 0.5, 0.5 + 0.5 / 6, 1]]),
    }
    assert set(expected) == set(ACTIVATIONS)
    for name, values in expected.items():
        y = z.copy()
        get_activation(name).apply(y, y, Workspace())
        np.testing.assert_allclose(y, values, rtol=1e-13, atol=1e-15)


def test_logistic_slope_is_a_quarter_at_most():
    y, slope = np.array([[0.5]]), np.empty((1, 1))
    get_activation("logistic").backward(y, np.ones((1, 1)), slope, Workspace())
    assert slope.item() == 0.25
