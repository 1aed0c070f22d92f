"""GroupNorm and InstanceNorm against their formula, PyTorch and Keras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, batch_last

from skconvnet import SequentialClassifier
from skconvnet.engine.network import Network
from skconvnet.layers import Dense, Flatten, GroupNorm, InstanceNorm, LayerNorm
from skconvnet.ops import group_normalization as ops
from skconvnet.ops.workspace import Workspace

SHAPES = [(6,), (5, 6), (4, 3, 6), (2, 3, 4, 6)]
of_shapes = pytest.mark.parametrize("in_shape", SHAPES, ids=str)


def draw(shape, seed=0, scale=1.0):
    return np.random.default_rng(seed).normal(size=shape, scale=scale)


def group_norm(x, gamma, beta, groups, epsilon):
    """Normalize one group of one sample after the other."""
    y = np.empty_like(x)
    size = x.shape[-1] // groups
    for i in range(len(x)):
        for g in range(groups):
            own = slice(g * size, (g + 1) * size)
            values = x[i, ..., own]
            deviation = np.sqrt(np.var(values) + epsilon)
            y[i, ..., own] = (values - values.mean()) / deviation
    return gamma * y + beta


@settings(max_examples=60, deadline=None)
@given(
    spatial=st.lists(st.integers(1, 5), max_size=3),
    groups=st.integers(1, 4),
    size=st.integers(2, 4),
    batch=st.integers(1, 5),
    epsilon=st.sampled_from([1e-5, 1e-3, 0.3]),
)
def test_group_norm_is_its_formula(spatial, groups, size, batch, epsilon):
    x = draw((batch, *spatial, groups * size), scale=2) + 5
    bench = Bench(GroupNorm(groups, epsilon), x.shape[1:])
    expected = group_norm(x, *bench.weights.values(), groups, epsilon)
    np.testing.assert_allclose(bench.forward(x), expected, rtol=1e-9, atol=1e-11)


@of_shapes
def test_one_group_is_layer_norm_over_all(in_shape):
    x, dy = draw((3, *in_shape)) + 2, draw((3, *in_shape), seed=1)
    one, all_axes = (
        Bench(GroupNorm(1), in_shape),
        Bench(LayerNorm(axis="all"), in_shape),
    )
    for name, values in one.weights.items():
        all_axes.weights[name][...] = values
    np.testing.assert_allclose(one.forward(x), all_axes.forward(x), rtol=1e-10)
    expected, _, _ = all_axes.backward(dy.copy())
    found, _, _ = one.backward(dy.copy())
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)


@of_shapes
def test_instance_norm_has_a_group_for_each_channel(in_shape):
    if len(in_shape) == 1:
        return
    x = draw((3, *in_shape)) + 2
    expected = Bench(GroupNorm(in_shape[-1]), in_shape).forward(x)
    np.testing.assert_array_equal(Bench(InstanceNorm(), in_shape).forward(x), expected)


def ours(bench, x, dy):
    y = bench.forward(x)
    dx, gradients, _ = bench.backward(dy.copy())
    return [y, dx, gradients["gamma"], gradients["beta"]]


def of_torch(torch, module, bench, x, dy, dtype="float64"):
    """Return the output of a module with the same weights, and all gradients."""
    module = module.to(getattr(torch, dtype))
    with torch.no_grad():
        module.weight.copy_(torch.tensor(bench.weights["gamma"]))
        module.bias.copy_(torch.tensor(bench.weights["beta"]))
    inputs = torch.tensor(x.astype(dtype), requires_grad=True)
    y = module(inputs.movedim(-1, 1)).movedim(1, -1)
    y.backward(torch.tensor(dy.astype(dtype)))
    values = (y.detach(), inputs.grad, module.weight.grad, module.bias.grad)
    return [value.numpy() for value in values]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@of_shapes
def test_group_norm_equals_torch(torch, in_shape, groups, seed):
    if len(in_shape) == 1 and groups == 6:
        return
    epsilon = (1e-5, 1e-3, 0.1)[seed]
    bench = Bench(GroupNorm(groups, epsilon), in_shape)
    x, dy = draw((3, *in_shape), seed) + 2, draw((3, *in_shape), seed + 9)
    module = torch.nn.GroupNorm(groups, in_shape[-1], epsilon)
    expected = of_torch(torch, module, bench, x, dy)
    for value, wanted in zip(ours(bench, x, dy), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("in_shape", SHAPES[1:], ids=str)
def test_instance_norm_equals_torch(torch, in_shape):
    bench = Bench(InstanceNorm(1e-3), in_shape)
    x, dy = draw((3, *in_shape)) + 2, draw((3, *in_shape), seed=1)
    kind = getattr(torch.nn, f"InstanceNorm{len(in_shape) - 1}d")
    expected = of_torch(torch, kind(in_shape[-1], 1e-3, affine=True), bench, x, dy)
    for value, wanted in zip(ours(bench, x, dy), expected, strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@of_shapes
def test_group_norm_equals_keras(keras, torch, in_shape, groups):
    if len(in_shape) == 1 and groups == 6:
        return
    bench = Bench(GroupNorm(groups, 1e-3), in_shape)
    x, dy = draw((3, *in_shape)) + 2, draw((3, *in_shape), seed=1)
    layer = keras.layers.GroupNormalization(groups, dtype="float64")
    layer.build((None, *in_shape))
    layer.set_weights(list(bench.weights.values()))
    inputs = torch.tensor(x, requires_grad=True)
    y = layer(inputs)
    y.backward(torch.tensor(dy))
    own = [variable.value.grad for variable in layer.weights]
    expected = [y.detach(), inputs.grad, *own]
    for value, wanted in zip(ours(bench, x, dy), expected, strict=True):
        # Keras rounds to float32, in layers of float64 as well.
        tolerance = 1e-5 * max(np.abs(wanted.numpy()).max(), 1)
        np.testing.assert_allclose(value, wanted.numpy(), rtol=0, atol=tolerance)


@pytest.mark.parametrize("groups", [1, 4, 32])
@pytest.mark.parametrize("in_shape", [(64,), (16, 16, 32), (997, 32)], ids=str)
def test_float32_is_as_exact_as_torch(torch, in_shape, groups):
    bench = Bench(GroupNorm(groups), in_shape, "float32")
    x, dy = draw((40, *in_shape)) + 2, draw((40, *in_shape), seed=1)
    x, dy = x.astype("float32"), dy.astype("float32")
    module = torch.nn.GroupNorm(groups, in_shape[-1])
    exact = of_torch(torch, module, bench, x, dy, "float64")
    module.zero_grad()
    theirs = of_torch(torch, module, bench, x, dy, "float32")
    for value, other, wanted in zip(ours(bench, x, dy), theirs, exact, strict=True):
        assert value.dtype == np.float32
        scale = np.abs(wanted).max()
        error, their_error = (np.abs(v - wanted).max() / scale for v in (value, other))
        assert error < 3 * their_error + 5e-7


def test_digits_are_kept_far_from_zero():
    x = draw((4, 50, 64))
    exact = Bench(GroupNorm(8), (50, 64)).forward(x)
    # The values themselves are known to 6e-5 next to 1000, and so is the output.
    moved = Bench(GroupNorm(8), (50, 64), "float32").forward(x + 1000)
    np.testing.assert_allclose(moved, exact, rtol=0, atol=5e-4)


def test_equal_values_become_beta():
    bench = Bench(GroupNorm(2), (3, 4), "float32")
    y = bench.forward(np.full((2, 3, 4), 7.0))
    np.testing.assert_array_equal(y, np.broadcast_to(bench.weights["beta"], y.shape))


def test_starts_with_mean_0_and_variance_1():
    network = Network([("layer", GroupNorm(2))], (4, 3, 6), "float64")
    network.initialize(np.random.RandomState(0))
    x = np.random.default_rng(0).normal(3, 7, size=(6, 4, 3, 5))
    layer, workspace = network.layers["layer"], network.workspaces()[0]
    y, _ = layer.forward(x, train=False, rng=None, workspace=workspace)
    by_group = y.reshape(2, -1, 5)
    np.testing.assert_allclose(by_group.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(by_group.var(axis=1), 1, rtol=1e-4)


@pytest.mark.parametrize("groups", [1, 3, 12])
def test_blocks_make_no_difference(groups, monkeypatch):
    bench = Bench(GroupNorm(groups), (5, 7, 12))
    x, dy = draw((4, 5, 7, 12)), draw((4, 5, 7, 12), seed=1)
    whole = ours(bench, x, dy)
    monkeypatch.setattr(ops, "_BLOCK_BYTES", 2500)
    for value, expected in zip(ours(bench, x, dy), whole, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


def test_padding_does_not_count_whatever_the_mean():
    # One sample alone, and the same next to a longer one.
    bench = Bench(GroupNorm(2), (9, 4), "float32")
    x = draw((1, 3, 4)) + 100
    padded = np.zeros((2, 9, 4))
    padded[0, :3], padded[1] = x, draw((9, 4))
    alone = Bench(GroupNorm(2), (3, 4), "float32").forward(x)
    workspace = Workspace()
    workspace.lengths = np.array([3, 9])
    y, _ = bench.layer.forward(
        batch_last(padded).astype("float32"), train=True, rng=None, workspace=workspace
    )
    np.testing.assert_allclose(y[:, :3, 0].T, alone[0], rtol=1e-5, atol=1e-5)


def test_frozen_weights_have_no_gradients():
    X, y = draw((20, 4, 4, 6)), np.arange(20) % 2
    specs = [("norm", GroupNorm(3, trainable=False)), Flatten(), Dense(3)]
    net = SequentialClassifier(specs, random_state=0).initialize(X, y)
    net.partial_fit(X, y)
    np.testing.assert_array_equal(net.get_weights()["norm/gamma"], np.ones(6))
    assert net.get_weights()["dense/bias"].any()


@pytest.mark.parametrize("value", [0, -1.0, np.nan, np.inf, "1e-5", None, True])
@pytest.mark.parametrize("spec", [GroupNorm(2), InstanceNorm()], ids=str)
def test_bad_epsilon(spec, value):
    with pytest.raises((TypeError, ValueError), match=r"epsilon must be .* got"):
        spec.set_params(epsilon=value).build((3, 4))


@pytest.mark.parametrize("value", [0, -1, 2.0, "2", True, None])
def test_bad_groups(value):
    with pytest.raises((TypeError, ValueError), match="groups must be an int of at"):
        GroupNorm(value).build((3, 4))


def test_groups_must_divide_the_channels():
    message = r"groups must divide the 6 channels .*\(4, 6\); got 4. Use one of 1, 2, 3"
    with pytest.raises(ValueError, match=message):
        GroupNorm(4).build((4, 6))


def test_a_group_of_one_value_is_refused():
    with pytest.raises(ValueError, match="groups must be less than the 6 features"):
        GroupNorm(6).build((6,))
    with pytest.raises(ValueError, match=r"InstanceNorm needs a map .*\(6,\)"):
        InstanceNorm().build((6,))
