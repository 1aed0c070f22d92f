"""Activations: values, derivatives, and what they do with large numbers."""

import math

import numpy as np
import pytest

from skconvnet import MLPClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.layers import Activation, Conv2D, Dense, Flatten, MaxPool2D
from skconvnet.ops.activations import ACTIVATIONS, get_activation
from skconvnet.ops.workspace import Workspace

TRAINABLE = [name for name, f in ACTIVATIONS.items() if f.is_trainable]
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def apply(name, z):
    y = np.empty_like(z)
    get_activation(name).apply(z.copy(), y, Workspace())
    return y


def slope(name, z):
    """Return the derivative from what a layer keeps of z."""
    function, out = get_activation(name), np.empty_like(z)
    kept = z if function.needs_input else apply(name, z)
    function.backward(kept, np.ones_like(z), out, Workspace())
    return out


@both_dtypes
@pytest.mark.parametrize("name", TRAINABLE)
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
        "celu": np.where(z > 0, z, np.exp(z) - 1),
        "gelu": z * normal,
        "silu": z / (1 + np.exp(-z)),
        "hard_swish": np.array([[0, -1 / 3, 0, 0.25 + 0.25 / 6, 5]]),
        "mish": z * np.tanh(np.log(1 + np.exp(z))),
        "softplus": np.log(1 + np.exp(z)),
        "softsign": np.array([[-4 / 5, -2 / 3, 0, 1 / 3, 5 / 6]]),
        "hard_sigmoid": np.array([[0, 1 / 6, 0.5, 0.5 + 0.5 / 6, 1]]),
        "step": np.array([[0.0, 0.0, 1.0, 1.0, 1.0]]),
    }
    assert set(expected) == set(ACTIVATIONS)
    for name, values in expected.items():
        y = z.copy()
        get_activation(name).apply(y, y, Workspace())
        np.testing.assert_allclose(y, values, rtol=1e-13, atol=1e-15)


def test_logistic_slope_is_a_quarter_at_most():
    z = np.linspace(-30, 30, 6001)[None]
    slopes = slope("logistic", z)
    assert slopes.max() == slopes[z == 0].item() == 0.25
    assert slope("logistic", np.log([[3.0]])).item() == pytest.approx(3 / 16)
    y = 1 / (1 + np.exp(-z))
    np.testing.assert_allclose(slopes, y * (1 - y), rtol=1e-12)


@both_dtypes
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_large_numbers_give_finite_ones(name, dtype):
    z = np.concatenate([[-1e4, 1e4], np.linspace(-200, 200, 801)])[None].astype(dtype)
    with np.errstate(all="raise", under="ignore"):
        y = apply(name, z)
        assert np.isfinite(y).all()
        if name in TRAINABLE:
            assert np.isfinite(slope(name, z)).all()
    assert y.dtype == dtype


TORCH = {
    "identity": lambda z, _: z * 1,
    "logistic": lambda z, _: z.sigmoid(),
    "tanh": lambda z, _: z.tanh(),
    "relu": lambda z, nn: nn.relu(z),
    "leaky_relu": lambda z, nn: nn.leaky_relu(z, 0.01),
    "elu": lambda z, nn: nn.elu(z),
    "selu": lambda z, nn: nn.selu(z),
    "celu": lambda z, nn: nn.celu(z),
    "gelu": lambda z, nn: nn.gelu(z),
    "silu": lambda z, nn: nn.silu(z),
    "hard_swish": lambda z, nn: nn.hardswish(z),
    "mish": lambda z, nn: nn.mish(z),
    "softplus": lambda z, nn: nn.softplus(z, threshold=1000),
    "softsign": lambda z, nn: nn.softsign(z),
    "hard_sigmoid": lambda z, _: (z / 6 + 0.5).clamp(0, 1),
}


@both_dtypes
@pytest.mark.parametrize("name", TRAINABLE)
def test_the_same_as_torch(torch, name, dtype):
    z = np.concatenate([[-1e4, 1e4, -50, 50], np.linspace(-9, 9, 402)]).astype(dtype)
    theirs = torch.tensor(z, requires_grad=True)
    y = TORCH[name](theirs, torch.nn.functional)
    y.sum().backward()
    tolerance = {"rtol": 1e-12, "atol": 1e-14}
    if dtype == np.float32:
        tolerance = {"rtol": 1e-5, "atol": 2e-6}
    np.testing.assert_allclose(apply(name, z[None])[0], y.detach(), **tolerance)
    np.testing.assert_allclose(slope(name, z[None])[0], theirs.grad, **tolerance)


# What Keras calls the functions that PyTorch and we call otherwise.
KERAS = {"logistic": "sigmoid", "identity": "linear", "hard_swish": "hard_silu"}


@pytest.mark.parametrize("name", [name for name in TRAINABLE if name != "gelu"])
def test_the_same_as_keras(keras, torch, name):
    z = np.concatenate([[-1e4, 1e4, -19, 19], np.linspace(-9, 9, 402)])
    theirs = torch.tensor(z, requires_grad=True)
    parameters = {"negative_slope": 0.01} if name == "leaky_relu" else {}
    y = getattr(keras.activations, KERAS.get(name, name))(theirs, **parameters)
    y.sum().backward()
    tolerance = {"rtol": 1e-12, "atol": 1e-14}
    # PyTorch rounds 1 / 6 to float32, and replaces log(1 + exp(z)) by z from 20 on.
    if name in ("hard_sigmoid", "softplus"):
        tolerance["rtol"] = 1e-7
    np.testing.assert_allclose(apply(name, z[None])[0], y.detach(), **tolerance)
    np.testing.assert_allclose(slope(name, z[None])[0], theirs.grad, **tolerance)


def test_gelu_of_keras_is_exact_if_asked(keras, torch):
    z = np.linspace(-9, 9, 402)
    y = keras.activations.gelu(torch.tensor(z), approximate=False)
    np.testing.assert_allclose(apply("gelu", z[None])[0], y, rtol=1e-12, atol=1e-14)


@both_dtypes
@pytest.mark.parametrize("name", ["mish", "hard_swish", "celu", "softsign"])
def test_blocks_make_no_difference(name, dtype):
    # Two blocks and a half of one row each, and a row that is a block and more.
    z = np.random.default_rng(0).normal(size=(5, 110_000)).astype(dtype)
    whole, dy = apply(name, z), slope(name, z)
    some = np.arange(0, z.shape[1], 997)
    part = np.ascontiguousarray(z[:, some])
    np.testing.assert_array_equal(whole[:, some], apply(name, part))
    np.testing.assert_array_equal(dy[:, some], slope(name, part))


def test_which_derivatives_need_the_input():
    # All others follow from y, so that z need not be kept.
    needing = {name for name, f in ACTIVATIONS.items() if f.needs_input}
    assert needing == {"gelu", "silu", "hard_swish", "mish"}


X = np.random.default_rng(0).normal(size=(12, 6, 6))
Y = np.arange(12) % 2
STEPS = [
    [Flatten(), Dense(3, "step")],
    [Dense(4, "relu"), Activation("step"), Dense(3, "relu")],
    [Conv2D(2, 3, activation="step"), MaxPool2D(2)],
    [Conv2D(2, 3, activation="step"), Flatten(), Dense(3)],
]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("layers", STEPS, ids=lambda layers: layers[0])
@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_nothing_is_learned_through_a_step(cls, layers, solver):
    rows = isinstance(layers[0], Dense)
    data = X.reshape(12, -1) if rows else X[..., None]
    model = cls(layers, solver=solver, random_state=0).initialize(data, Y)
    before = model.get_weights()
    for call in (model.fit, model.loss_gradients):
        with pytest.raises(ValueError, match="'step' has no gradient") as caught:
            call(data, Y)
        assert "loss='perceptron' and no hidden layer" in str(caught.value)
        assert "activation='logistic'" in str(caught.value)
    for name, array in model.get_weights().items():
        np.testing.assert_array_equal(array, before[name])
    assert model.predict(data).shape == (12,)


def test_a_step_before_all_weights_is_no_hindrance():
    layers = [Activation("step"), Dense(3, "tanh")]
    data = X.reshape(12, -1)
    model = SequentialRegressor(layers, solver="lbfgs", max_iter=500, random_state=0)
    model.fit(data, Y)
    assert model.score(data, Y) > 0.9
    np.testing.assert_array_equal(model.activations(data, "activation"), data >= 0)


def test_a_step_with_weights_set_by_hand():
    data = np.array([[-1.0], [0.0], [2.0]])
    model = MLPClassifier((1,), activation="step").initialize(data, [0, 1, 1])
    weights = {"dense1/kernel": [[1]], "dense1/bias": [0]}
    model.set_weights({**weights, "output/kernel": [[2]], "output/bias": [-1]})
    np.testing.assert_array_equal(model.activations(data, "dense1"), [[0], [1], [1]])
    np.testing.assert_array_equal(model.predict(data), [0, 1, 1])
