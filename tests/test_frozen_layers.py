"""Layers that are not trainable: what passes through them, and what is left out."""

import dataclasses
import pickle

import numpy as np
import pytest
from engine_tools import assert_same_bits, differentiate, make_network
from layer_cases import CASES, TAKES_TOKENS, name
from layer_tools import batch_last
from sklearn.base import clone

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Parallel,
    Residual,
)
from skconvnet.layers.base import Layer
from skconvnet.losses import SquaredError
from skconvnet.ops.convolution.selection import ALGORITHMS
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

BATCH = 4
WITH_WEIGHTS = [case for case in CASES if case[0].build(case[1]).weight_shapes]
every_trainable = pytest.mark.parametrize(
    ("spec", "in_shape"), WITH_WEIGHTS, ids=[name(case) for case in WITH_WEIGHTS]
)


def frozen(spec):
    return clone(spec).set_params(trainable=False)


def draw_inputs(spec, shape, seed=1):
    rng = np.random.default_rng(seed)
    if isinstance(spec, TAKES_TOKENS):
        return rng.integers(0, spec.n_tokens, shape) * 1.0
    return rng.normal(size=shape)


def network_of(spec, in_shape, seed=0):
    """Return a network of one layer, with all arrays drawn at random and positive."""
    network = Network([("layer", spec)], in_shape, "float64")
    rng = np.random.default_rng(seed)
    for array in network.arrays.values():
        array[...] = rng.uniform(0.5, 1.5, array.shape)
    return network


def can_have_weights(layer):
    return hasattr(layer, "chains") or bool(layer.weight_shapes)


# With some hyperparameters at least.
WITH_WEIGHTS = {
    type(spec) for spec, in_shape in CASES if can_have_weights(spec.build(in_shape))
}


@pytest.mark.parametrize(
    "spec", [spec for spec, _ in CASES], ids=[name(c) for c in CASES]
)
def test_layers_with_weights_or_layers_inside_are_those_that_can_be_frozen(spec):
    has_weights = type(spec) in WITH_WEIGHTS
    assert ("trainable" in spec.get_params()) == has_weights
    assert isinstance(spec, TrainableSpec) == has_weights
    if has_weights:
        assert spec.trainable is True
        (field,) = [f for f in dataclasses.fields(spec) if f.name == "trainable"]
        assert field.kw_only
        assert "trainable=False" in repr(frozen(spec))


@every_trainable
@pytest.mark.parametrize("train", [False, True])
def test_the_gradient_of_the_input_is_the_same(spec, in_shape, train):
    networks = [network_of(s, in_shape) for s in (spec, frozen(spec))]
    x = batch_last(draw_inputs(spec, (BATCH, *in_shape)))
    results = []
    for network in networks:
        layer, workspace = network.layers["layer"], Workspace()
        is_used = train and not any("moving" in array for array in network.buffers)
        y, cache = layer.forward(
            x, train=is_used, rng=np.random.default_rng(5), workspace=workspace
        )
        gradients = network.by_layer(np.empty_like(network.vector))[0]
        dy = np.random.default_rng(2).normal(size=y.shape)
        y = y.copy()
        dx = layer.backward(
            dy, cache, gradients=gradients, workspace=workspace, need_dx=True
        )
        results.append((y, dx.copy()))
    assert networks[0].vector.size > 0
    assert networks[1].vector.size == networks[1].trained_state.size == 0
    assert networks[1].state.size == networks[0].state.size
    for value, expected in zip(results[1], results[0], strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@every_trainable
def test_a_pass_changes_no_array_of_the_layer_and_those_after_it_learn(spec, in_shape):
    specs = [("in", frozen(spec)), ("flatten", Flatten()), ("output", Dense(2))]
    trained = [("in", spec), ("flatten", Flatten()), ("output", Dense(2))]
    network = make_network(specs, in_shape, micro_batch=3)
    inputs = Inputs(draw_inputs(spec, (11, *in_shape)), in_shape, "float64")
    targets = np.random.default_rng(3).normal(size=(11, 2))
    samples = Samples(inputs, targets)
    before, results = network.state.copy(), []
    for n_threads in (1, 2, 3):
        executor = Executor(network, SquaredError(), n_threads, min_flops_for_threads=0)
        with executor:
            results.append(differentiate(executor, samples, seed=3))
    assert_same_bits(results)
    np.testing.assert_array_equal(network.state, before)
    # The gradients of the layers after it are those without freezing.
    whole = make_network(trained, in_shape, micro_batch=3)
    whole.copy_from(network)
    with Executor(whole, SquaredError(), 1) as executor:
        _, gradient = differentiate(executor, samples, train=False)
        expected = whole.layout.views(gradient)
    with Executor(network, SquaredError(), 1) as executor:
        _, gradient = differentiate(executor, samples, train=False)
    views = network.layout.views(gradient)
    assert set(views) == {"output/kernel", "output/bias"}
    for array, values in views.items():
        np.testing.assert_allclose(values, expected[array], rtol=1e-10, atol=1e-12)


@every_trainable
def test_pickles_keep_all_arrays(spec, in_shape):
    network = network_of(frozen(spec), in_shape)
    again = pickle.loads(pickle.dumps(network))
    assert set(again.arrays) == set(network.shapes)
    for array, values in network.arrays.items():
        np.testing.assert_array_equal(again.arrays[array], values)
        assert np.shares_memory(again.arrays[array], again.state)


@pytest.mark.parametrize("method", [*ALGORITHMS])
@pytest.mark.parametrize("strides", [1, 2])
def test_convolutions_leave_out_the_gradient_of_the_kernel(method, strides):
    if method == "winograd" and strides == 2:
        method = "auto"
    spec = Conv2D(6, 3, strides, "same", conv_method=method, activation="tanh")
    networks = [network_of(s, (9, 10, 4)) for s in (spec, frozen(spec))]
    x = batch_last(draw_inputs(spec, (BATCH, 9, 10, 4)))
    results = []
    for network in networks:
        layer, workspace = network.layers["layer"], Workspace()
        # Twice, so that programs that were written before are run as well.
        for _ in range(2):
            y, cache = layer.forward(x, train=True, rng=None, workspace=workspace)
            gradients = network.by_layer(np.empty_like(network.vector))[0]
            dx = layer.backward(
                np.cos(y), cache, gradients=gradients, workspace=workspace, need_dx=True
            )
        results.append((y.copy(), dx.copy()))
    assert_same_bits(results)


BODY = [
    ("noise", Dropout(0.3)),
    ("conv1", Conv2D(4, 3, trainable=False)),
    ("norm1", BatchNorm(trainable=False)),
    ("act1", Activation("relu")),
    ("pool1", MaxPool2D(2)),
    ("drop", Dropout(0.3)),
    ("conv2", Conv2D(4, 3, activation="relu", trainable=False)),
    ("pool2", MaxPool2D(2)),
]
HEADS = {
    "dense": [("flatten", Flatten()), ("output", Dense(2))],
    "norm": [("norm2", BatchNorm()), ("flatten", Flatten()), ("output", Dense(2))],
}


def samples_of(shape, n=11):
    rng = np.random.default_rng(1)
    inputs = Inputs(rng.normal(size=(n, *shape)), shape, "float64")
    return Samples(inputs, rng.normal(size=(n, 2)))


@pytest.mark.parametrize("head", HEADS)
def test_layers_before_the_first_trained_one_run_as_in_a_whole_pass(head):
    # Dropout still draws; BatchNorm is folded into the convolution before it.
    network = make_network([*BODY, *HEADS[head]], (14, 14, 2))
    x = batch_last(np.random.default_rng(0).normal(size=(BATCH, 14, 14, 2)))
    outputs = [
        network.chain.forward(
            x,
            train=True,
            rng=np.random.default_rng(4),
            workspaces=network.workspaces(),
            need_dx=need_dx,
        )[0].copy()
        for need_dx in (True, False)
    ]
    np.testing.assert_allclose(outputs[1], outputs[0], rtol=1e-12)
    assert np.abs(outputs[0] - network.predict(x, network.workspaces())).max() > 1e-3


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("micro_batch", [None, 3])
def test_no_backward_pass_below_the_first_trained_layer(head, micro_batch, monkeypatch):
    network = make_network([*BODY, *HEADS[head]], (14, 14, 2), micro_batch=micro_batch)
    below = {id(network.layers[layer]) for layer, _ in BODY}
    below |= {id(step.layer) for step in network.chain.steps[: len(BODY) - 2]}
    for cls in {type(layer) for layer in network.layers.values()}:
        original = cls.backward

        def backward(self, *args, original=original, **kwargs):
            assert id(self) not in below
            return original(self, *args, **kwargs)

        monkeypatch.setattr(cls, "backward", backward)
    with Executor(network, SquaredError(), 2) as executor:
        _, gradient = differentiate(executor, samples_of((14, 14, 2)), seed=1)
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("container", [Residual, Parallel])
def test_containers_freeze_everything_inside(container):
    inner = [("conv", Conv2D(2, 3, padding="same")), ("norm", BatchNorm())]
    if container is Residual:
        spec = Residual([("deep", Residual(inner))], trainable=False)
    else:
        spec = Parallel([("b1", [("deep", Residual(inner))])], trainable=False)
    specs = [("in", spec), ("flatten", Flatten()), ("output", Dense(2))]
    network = make_network(specs, (5, 6, 2))
    assert not network.needs_whole_batch
    assert set(network.layout.shapes) == {"output/kernel", "output/bias"}
    assert any("moving_mean" in array for array in network.buffers)
    # The objects of the user are as they were.
    assert inner[0][1].trainable
    assert inner[1][1].trainable


def test_one_layer_of_a_container_may_be_frozen():
    layers = [
        ("conv", Conv2D(2, 3, padding="same", trainable=False)),
        ("norm", BatchNorm()),
        ("tail", Conv2D(2, 1, trainable=False)),
    ]
    specs = [("in", Residual(layers)), ("flatten", Flatten()), ("output", Dense(2))]
    for micro_batch in (None, 3):
        network = make_network(specs, (5, 6, 2), micro_batch=micro_batch)
        assert network.needs_whole_batch
        assert not any("conv/" in array for array in network.layout.shapes)
        before = {k: v.copy() for k, v in network.arrays.items()}
        with Executor(network, SquaredError(), 2) as executor:
            _, gradient = differentiate(executor, samples_of((5, 6, 2)), seed=1)
        assert np.isfinite(gradient).all()
        changed = {k for k, v in network.arrays.items() if (v != before[k]).any()}
        assert changed == {"in/norm/moving_mean", "in/norm/moving_variance"}


@pytest.mark.parametrize("follows", [[], [("act", Activation("gelu"))]])
def test_a_frozen_batch_norm_uses_its_moving_statistics_in_training(follows):
    specs = [
        ("first", Dense(3, "tanh")),
        ("norm", BatchNorm(trainable=False)),
        *follows,
        ("output", Dense(2)),
    ]
    network = make_network(specs, (4,))
    network.buffers["norm/moving_mean"][:] = (1, -2, 0.5)
    network.buffers["norm/moving_variance"][:] = (4, 0.25, 2)
    assert not network.needs_whole_batch
    x = np.random.default_rng(0).normal(size=(4, 7))
    before = network.state.copy()
    trained, _ = network.forward(x, network.workspaces(), train=True)
    np.testing.assert_allclose(
        trained, network.predict(x, network.workspaces()), rtol=1e-12
    )
    np.testing.assert_array_equal(network.state, before)
    # The gradient of the layer before it, by finite differences.
    samples = samples_of((4,))
    with Executor(network, SquaredError(), 1) as executor:
        _, gradient = differentiate(executor, samples)
        direction = np.random.default_rng(1).normal(size=gradient.shape)
        ends = []
        for step in (1e-6, -1e-6):
            network.vector[:] = before[: len(gradient)] + step * direction
            ends.append(differentiate(executor, samples)[0])
    slope = (ends[0] - ends[1]) / 2e-6
    assert abs(slope - gradient @ direction) < 1e-7 * abs(slope)


def test_the_flat_vector_has_only_what_is_trained():
    network = make_network([*BODY, *HEADS["norm"]], (14, 14, 2))
    assert set(network.layout.shapes) == {
        "norm2/gamma",
        "norm2/beta",
        "output/kernel",
        "output/bias",
    }
    assert network.trained_state.size == network.vector.size + 2 * 4
    assert network.state.size == sum(v.size for v in network.arrays.values())
    assert np.shares_memory(network.vector, network.state)
    assert np.shares_memory(network.trained_state, network.state)
    # In the order of the layers, whether they are frozen or not.
    assert [k.partition("/")[0] for k in network.weights if "kernel" in k] == [
        "conv1",
        "conv2",
        "output",
    ]


@pytest.mark.parametrize("value", [None, 1, "no", 0.0])
def test_trainable_must_be_a_bool(value):
    specs = [("hidden", Dense(2, trainable=value))]
    with pytest.raises(TypeError, match="'hidden': trainable must be True or False"):
        Network(specs, (3,), "float64")


def test_numpy_bools_are_bools():
    specs = [("hidden", Dense(2, trainable=np.False_)), ("output", Dense(1))]
    assert Network(specs, (3,), "float64").vector.size == 3


def test_layers_without_weights_are_not_frozen_and_stay_random():
    layer = Dropout(0.5).build((3,))
    assert isinstance(layer, Layer)
    with pytest.raises(TypeError, match="Only layers with weights can be frozen"):
        Dropout(0.5, trainable=False)
