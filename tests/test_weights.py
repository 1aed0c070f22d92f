"""Starting weights, the flat vector they lie in, and the network that owns it."""

import numpy as np
import pytest
from engine_tools import differentiate

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.parameter_layout import ParameterLayout
from skconvnet.initializers import convolution_fans, glorot_uniform
from skconvnet.layers import (
    AvgPool2D,
    Conv1D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LocallyConnected1D,
    LocallyConnected2D,
    MaxPool2D,
)
from skconvnet.layers.dense import Output
from skconvnet.losses import BinaryLogLoss, LogLoss, PoissonDeviance, SquaredError

SHAPES = {"a/kernel": (3, 2), "a/bias": (2,), "b/kernel": (2, 1, 2), "b/scale": (1,)}


@pytest.mark.parametrize(
    ("penalized", "n_penalized"),
    [([], 0), (["a/kernel"], 6), (["b/kernel", "a/kernel"], 10), (SHAPES, 13)],
)
def test_layout_covers_the_vector_once(penalized, n_penalized):
    layout = ParameterLayout(SHAPES, penalized)
    assert (layout.size, layout.n_penalized) == (13, n_penalized)
    vector = np.arange(13.0)
    views = layout.views(vector)
    assert {name: view.shape for name, view in views.items()} == SHAPES
    assert list(views) == list(SHAPES)
    covered = np.concatenate([view.ravel() for view in views.values()])
    np.testing.assert_array_equal(np.sort(covered), vector)
    first = [views[name].ravel() for name in SHAPES if name in penalized]
    np.testing.assert_array_equal(
        np.sort(np.concatenate([*first, []])), vector[:n_penalized]
    )


def test_views_share_memory_with_the_vector():
    layout = ParameterLayout(SHAPES, ["a/kernel"])
    vector = np.zeros(layout.size, dtype=np.float32)
    for view in layout.views(vector).values():
        view += 1
    np.testing.assert_array_equal(vector, 1)


def test_empty_layout():
    layout = ParameterLayout({}, [])
    assert layout.size == layout.n_penalized == 0
    assert layout.views(np.zeros(0)) == {}


@pytest.mark.parametrize(("activation", "factor"), [("relu", 6), ("logistic", 2)])
def test_glorot_fills_its_bounds(activation, factor):
    values = glorot_uniform(np.random.RandomState(0), (60, 50), 60, 50, activation)
    bound = np.sqrt(factor / 110)
    assert values.shape == (60, 50)
    assert 0.99 * bound < values.max() <= bound
    assert -bound <= values.min() < -0.99 * bound
    assert abs(values.mean()) < 0.05 * bound


@pytest.mark.parametrize(
    ("filters", "channels", "kernel", "groups", "fans"),
    [
        (20, 1, (5, 5), 1, (25, 500)),
        (8, 4, (3,), 1, (12, 24)),
        (8, 4, (3,), 4, (3, 6)),
        (6, 6, (2, 3, 1), 3, (12, 12)),
    ],
)
def test_convolution_fans(filters, channels, kernel, groups, fans):
    assert convolution_fans(filters, channels, kernel, groups) == fans


@pytest.mark.parametrize(
    ("spec", "in_shape", "fans", "factor", "bias_is_drawn"),
    [
        (Dense(40, "relu"), (30,), (30, 40), 6, True),
        (Dense(40, "logistic"), (30,), (30, 40), 2, True),
        (Output(40), (30,), (30, 40), 6, True),
        (Output(40, hidden_activation="logistic"), (30,), (30, 40), 2, True),
        (Conv2D(16, 3), (9, 9, 8), (72, 144), 6, False),
        (Conv1D(32, 5, activation="logistic"), (9, 8), (40, 160), 2, False),
        (Conv2D(64, 3, groups=2), (9, 9, 8), (36, 288), 6, False),
        (DepthwiseConv2D(3, 4), (9, 9, 64), (9, 36), 6, False),
        (LocallyConnected1D(4, 3), (9, 8), (24, 12), 6, False),
        (
            LocallyConnected2D(4, 3, activation="logistic"),
            (5, 5, 2),
            (18, 36),
            2,
            False,
        ),
    ],
    ids=str,
)
def test_layers_start_within_bounds(spec, in_shape, fans, factor, bias_is_drawn):
    weights = spec.build(in_shape).initialize(np.random.RandomState(0))
    bound = np.sqrt(factor / sum(fans))
    assert 0.95 * bound < np.abs(weights["kernel"]).max() <= bound
    if bias_is_drawn:
        assert 0.8 * bound < np.abs(weights["bias"]).max() <= bound
    else:
        np.testing.assert_array_equal(weights["bias"], 0)


SPECS = [
    ("conv1", Conv2D(3, 3, padding="same", activation="tanh")),
    ("pool1", MaxPool2D()),
    ("conv2", Conv2D(4, 2, activation="logistic")),
    ("pool2", AvgPool2D(2, 1)),
    ("flatten", Flatten()),
    ("drop", Dropout(0.2)),
    ("output", Dense(3)),
]


@pytest.fixture
def network():
    network = Network(SPECS, (8, 7, 2), "float64")
    network.initialize(np.random.RandomState(0))
    return network


def test_network_names_its_weights_and_shapes(network):
    assert {name: array.shape for name, array in network.weights.items()} == {
        "conv1/kernel": (3, 2, 3, 3),
        "conv1/bias": (3,),
        "conv2/kernel": (4, 3, 2, 2),
        "conv2/bias": (4,),
        "output/kernel": (8, 3),
        "output/bias": (3,),
    }
    shapes = [layer.out_shape for layer in network.layers.values()]
    assert shapes == [(8, 7, 3), (4, 3, 3), (3, 2, 4), (2, 1, 4), (8,), (8,), (3,)]
    kernels = [v for name, v in network.weights.items() if name.endswith("kernel")]
    assert network.layout.n_penalized == sum(kernel.size for kernel in kernels)
    network.vector[: network.layout.n_penalized] = 7
    assert all((kernel == 7).all() for kernel in kernels)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_initialize_depends_on_the_seed_alone(network, dtype):
    again = Network(SPECS, (8, 7, 2), dtype)
    again.initialize(np.random.RandomState(0))
    np.testing.assert_array_equal(again.vector, network.vector.astype(dtype))
    again.initialize(np.random.RandomState(1))
    assert (again.weights["conv1/kernel"] != network.weights["conv1/kernel"]).all()


@pytest.mark.parametrize(
    "loss",
    [LogLoss(), BinaryLogLoss(), SquaredError(), PoissonDeviance()],
    ids=lambda loss: loss.name,
)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_of_a_whole_network(network, loss, weighted):
    rng = np.random.default_rng(0)
    inputs = Inputs(rng.normal(size=(9, 8, 7, 2)), (8, 7, 2), "float64")
    targets = np.eye(3)[rng.integers(3, size=9)]
    weights = rng.uniform(size=9) if weighted else None
    samples = Samples(inputs, targets, weights)
    direction = rng.normal(size=network.vector.size)
    start = network.vector.copy()

    with Executor(network, loss, 1) as executor:

        def differentiate_at(step):
            network.vector[:] = start + step * direction
            return differentiate(executor, samples, seed=2)

        _, gradient = differentiate_at(0)
        after, _ = differentiate_at(1e-5)
        before, _ = differentiate_at(-1e-5)
    slope = np.vdot(gradient, direction)
    assert abs(slope - (after - before) / 2e-5) < 1e-6 * abs(slope)


@pytest.mark.parametrize("batch", [1, 2, 31, 128, 10_000])
def test_micro_batch_is_at_least_one_and_follows_from_shapes(network, batch):
    again = Network(SPECS, (8, 7, 2), "float64")
    sizes = {again.micro_batch_size(batch) for _ in range(2)}
    assert sizes == {network.micro_batch_size(batch)}
    assert min(sizes) >= 1
    huge = Network([("drop", Dropout())], (4000, 4000, 3), "float64")
    assert huge.micro_batch_size(batch) == 1


@pytest.mark.parametrize(
    ("limits", "batch", "size"),
    [
        (MicroBatchLimits.fixed(5), 3, 5),
        (MicroBatchLimits.fixed(5), 1000, 5),
        (MicroBatchLimits(min_flops_per_layer=0), 1000, 64),
        (MicroBatchLimits(min_flops_per_layer=0), 100, 50),
        (MicroBatchLimits(min_flops_per_layer=0), 10, 16),
        # A layer has so little to do that a minibatch is cut at the largest size only.
        (MicroBatchLimits(min_flops_per_layer=1e12), 200, 256),
        (MicroBatchLimits(min_flops_per_layer=1e12), 1000, 256),
        (MicroBatchLimits(max_bytes=1), 1000, 1),
    ],
)
def test_limits_of_micro_batches(limits, batch, size):
    network = Network(SPECS, (8, 7, 2), "float64", limits=limits)
    assert network.micro_batch_size(batch) == size


def test_a_network_without_maps_is_cut_for_memory_alone():
    network = Network([("output", Dense(3))], (50,), "float64")
    assert network.micro_batch_size(32) == network.micro_batch_size(5000) == 1024
