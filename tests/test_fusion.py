"""Two layers that run as one, compared with the same two on their own."""

import numpy as np
import pytest
from layer_tools import in_blocks

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.layers import (
    CELU,
    ELU,
    SELU,
    Activation,
    AvgPool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv3D,
    Dense,
    Flatten,
    LeakyReLU,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
    Parallel,
    Residual,
)
from skconvnet.layers.conv_max_pool_fusion import PooledConvolutionLayer
from skconvnet.losses import SquaredError
from skconvnet.ops.activations import ACTIVATIONS
from skconvnet.ops.workspace import Workspace

MONOTONE = [name for name, f in ACTIVATIONS.items() if f.is_monotone and f.is_trainable]
PAIRS = [
    (Conv1D(3, 3, activation="relu"), MaxPool1D(2), (11, 2)),
    (Conv2D(3, 3, activation="relu"), MaxPool2D(2), (9, 8, 2)),
    (Conv2D(3, 3, padding="same", activation="tanh"), MaxPool2D(3, 2), (9, 8, 2)),
    (Conv2D(3, 3, activation="elu"), MaxPool2D(2, padding="same"), (9, 8, 2)),
    (Conv2D(3, 5, conv_method="winograd"), MaxPool2D(2), (11, 10, 2)),
    (Conv2D(3, 5, conv_method="fft", activation="relu"), MaxPool2D(2), (11, 10, 2)),
    (Conv2D(3, 3, strides=2, groups=2), MaxPool2D(2), (11, 10, 2)),
    (Conv3D(2, 2, activation="leaky_relu"), MaxPool3D(2), (5, 4, 6, 1)),
]


def run(specs, in_shape, n=6, dtype="float64", fuse_pairs=True):
    network = Network(specs, in_shape, dtype, fuse_pairs=fuse_pairs)
    rng = np.random.default_rng(0)
    network.vector[:] = rng.normal(size=network.vector.size)
    X, y = rng.normal(size=(n, *in_shape)), rng.normal(size=(n, 2)).astype(dtype)
    inputs = Inputs(X.astype(dtype), in_shape, dtype)
    gradient = np.empty_like(network.vector)
    with Executor(network, SquaredError(), 1) as engine:
        loss, _ = engine.loss_and_gradient(
            Samples(inputs, y), slice(0, n), gradient, train=True
        )
        outputs = engine.outputs(inputs)
        maps = engine.outputs(inputs, stop=1)
    return network, loss, gradient, outputs, maps


def with_head(*specs):
    named = [(f"layer{i}", spec) for i, spec in enumerate(specs)]
    return [*named, ("flatten", Flatten()), ("output", Dense(2))]


@pytest.mark.parametrize(
    ("convolution", "pool", "in_shape"),
    PAIRS,
    ids=[f"{c}-{p}" for c, p, _ in PAIRS],
)
def test_as_one_and_as_two(convolution, pool, in_shape):
    groups = convolution.groups
    convolution = type(convolution)(**convolution.get_params())
    convolution.filters = 4 if groups > 1 else convolution.filters
    specs = with_head(convolution, pool)
    network, *fused = run(specs, in_shape)
    assert isinstance(network.chain.steps[0].layer, PooledConvolutionLayer)
    assert len(network.chain.steps) == len(network.layers) - 1
    network, *plain = run(specs, in_shape, fuse_pairs=False)
    assert len(network.chain.steps) == len(network.layers)
    for one, two in zip(fused, plain, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("in_shape", [(9, 8, 2), (7, 3), (5,)])
@pytest.mark.parametrize("function", [f for f in ACTIVATIONS if f != "step"])
def test_a_batch_norm_and_an_activation(function, in_shape):
    specs = [("norm", BatchNorm()), ("activation", Activation(function))]
    specs = [*specs, *with_head(BatchNorm(), BatchNorm(), Activation("tanh"))]
    if len(in_shape) == 1:
        specs = [(name, spec) for name, spec in specs if name != "flatten"]
    network, *fused = run(specs, in_shape)
    assert len(network.chain.steps) == len(network.layers) - 2
    assert network.chain.steps[0].layer.activation.name == function
    buffers = network.state.copy()
    network, *plain = run(specs, in_shape, fuse_pairs=False)
    assert len(network.chain.steps) == len(network.layers)
    for one, two in zip([*fused, buffers], [*plain, network.state], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("spec", [LeakyReLU(0.4), ELU(0.3), CELU(2.0)], ids=repr)
def test_a_batch_norm_and_an_activation_with_parameters(spec):
    specs = [("norm", BatchNorm()), ("activation", spec), *with_head()]
    network, *fused = run(specs, (5, 3))
    assert len(network.chain.steps) == len(network.layers) - 1
    _, *plain = run(specs, (5, 3), fuse_pairs=False)
    for one, two in zip(fused, plain, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-12)


CONV = Conv2D(4, 3, padding="same")
NORM, RELU, POOL = BatchNorm(), Activation("relu"), MaxPool2D(2)


@pytest.mark.parametrize(
    ("specs", "n_predictors"),
    [
        ([CONV, NORM], 1),
        ([CONV, NORM, RELU], 1),
        ([CONV, NORM, POOL], 1),
        ([CONV, NORM, RELU, POOL], 1),
        ([CONV, NORM, LeakyReLU(0.4)], 1),
        ([CONV, NORM, SELU(0.3, 1.2), POOL], 1),
        ([CONV, NORM, CELU(2.0), POOL], 1),
        ([CONV, NORM, POOL, RELU], 2),
        ([CONV, NORM, RELU, RELU], 2),
        ([CONV, NORM, POOL, POOL], 2),
        ([CONV, NORM, Activation("gelu"), POOL], 2),
        ([CONV, NORM, NORM, RELU, CONV, POOL], 3),
        ([Conv2D(4, 3, activation="relu"), NORM, RELU], 2),
        ([Conv2D(4, 3, strides=2, groups=2), NORM, RELU, POOL, CONV, NORM], 2),
        ([Residual([CONV, NORM, RELU, CONV, NORM]), RELU, POOL], 3),
        ([Parallel([("a", [CONV, NORM, POOL]), ("b", [NORM, RELU, POOL])])], 1),
    ],
    ids=str,
)
def test_a_convolution_takes_in_a_batch_norm_to_predict(specs, n_predictors):
    specs, in_shape = with_head(*specs), (12, 10, 4)
    networks = [
        Network(specs, in_shape, "float64", fuse_pairs=f) for f in (True, False)
    ]
    rng = np.random.default_rng(0)
    state = rng.normal(size=networks[0].state.size)
    X = rng.normal(size=(5, *in_shape))
    for _ in range(2):  # the second time with other weights
        outputs = []
        for network in networks:
            network.state[:] = state
            for name, values in network.buffers.items():
                if "variance" in name:
                    values[...] = np.abs(values)
            inputs = Inputs(X, in_shape, "float64")
            with Executor(network, SquaredError(), 1) as engine:
                outputs.append(engine.outputs(inputs))
                outputs.append(engine.outputs(inputs, stop=len(specs)))
        assert len(networks[0].chain.predictors) == n_predictors + 2
        for other in outputs[1:]:
            np.testing.assert_allclose(outputs[0], other, rtol=1e-9, atol=1e-9)
        state = -0.5 * state


WINOGRAD = [
    (Conv1D(5, 3, padding="same", conv_method="winograd"), MaxPool1D(2), (23, 3)),
    (Conv1D(5, 3, conv_method="winograd"), MaxPool1D(4), (27, 3)),
    (Conv2D(4, 3, padding="same", conv_method="winograd"), MaxPool2D(2), (16, 16, 3)),
    (Conv2D(4, 3, conv_method="winograd"), MaxPool2D(2), (13, 16, 3)),
    (Conv2D(4, 3, conv_method="winograd"), MaxPool2D((2, 1)), (9, 17, 3)),
    (Conv2D(4, (5, 3), conv_method="winograd"), MaxPool2D(4), (20, 18, 2)),
    (Conv2D(4, 3, groups=2, conv_method="winograd"), MaxPool2D(2), (10, 14, 4)),
    (Conv3D(3, 3, conv_method="winograd"), MaxPool3D(2), (6, 9, 8, 2)),
]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("block_bytes", [1, 10**9])
@pytest.mark.parametrize("empty", [False, True], ids=["full", "partly empty"])
@pytest.mark.parametrize(
    ("convolution", "pool", "in_shape"),
    WINOGRAD,
    ids=[f"{c}-{p}" for c, p, _ in WINOGRAD],
)
def test_winograd_pools_by_itself(
    convolution, pool, in_shape, empty, block_bytes, train
):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(in_shape[-1], *in_shape[:-1], 5))
    if empty:
        x[:, : in_shape[0] // 2] = 0
    layer = in_blocks(convolution, block_bytes).build(in_shape)
    weights = {k: rng.normal(size=s) for k, s in layer.weight_shapes.items()}
    layer.bind(weights, {})
    pool = pool.build(layer.out_shape)
    assert PooledConvolutionLayer(layer, pool).pooling_algorithm(5) is not None
    results = []
    dy = rng.normal(size=(pool.out_shape[-1], *pool.out_shape[:-1], 5))
    for pool_in_algorithm in (True, False):
        fused = PooledConvolutionLayer(layer, pool, pool_in_algorithm=pool_in_algorithm)
        workspace = Workspace()
        y, cache = fused.forward(x, train=train, rng=None, workspace=workspace)
        gradients = {k: np.empty(s) for k, s in layer.weight_shapes.items()}
        dx = fused.backward(
            dy.copy(), cache, gradients=gradients, workspace=workspace, need_dx=True
        )
        results.append([y.copy(), dx.copy(), *gradients.values()])
    for one, two in zip(*results, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize(
    "pool", [MaxPool2D(3), MaxPool2D(2, 1), MaxPool2D(2, padding="same")], ids=str
)
def test_pools_that_winograds_tiles_do_not_suit(pool):
    layer = Conv2D(4, 3, padding="same", conv_method="winograd").build((15, 15, 3))
    fused = PooledConvolutionLayer(layer, pool.build(layer.out_shape))
    assert fused.pooling_algorithm(5) is None


@pytest.mark.parametrize("name", MONOTONE)
def test_monotone_activations_never_fall(name):
    network = Network([("a", Dense(1, name))], (1,), "float64")
    network.vector[:] = [1.0, 0.0]
    x = np.linspace(-20, 20, 10_001)[None]
    y, _ = network.forward(x, network.workspaces())
    assert (np.diff(y) >= 0).all()


@pytest.mark.parametrize(
    "specs",
    [
        (Conv2D(3, 3, activation="gelu"), MaxPool2D(2)),
        (Conv2D(3, 3, activation="silu"), MaxPool2D(2)),
        (Conv2D(3, 3, activation="relu"), AvgPool2D(2)),
        (MaxPool2D(2), Conv2D(3, 3)),
    ],
    ids=str,
)
def test_others_are_left_alone(specs):
    network = Network(with_head(*specs), (8, 8, 1), "float64")
    assert len(network.chain.steps) == len(network.layers)
