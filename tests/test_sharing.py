"""A minibatch that is one micro-batch, on several threads inside its layers."""

import numpy as np
import pytest
from layer_tools import in_blocks

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.thread_team import ThreadTeam
from skconvnet.layers import Conv1D, Conv2D, Conv3D, Dense, Flatten, MaxPool2D
from skconvnet.layers.conv_max_pool_fusion import PooledConvolutionLayer
from skconvnet.losses import SquaredError
from skconvnet.ops.activations import ACTIVATIONS
from skconvnet.ops.workspace import Workspace

LAYERS = [
    (Conv1D(5, 3, padding="same", conv_method="winograd"), (37, 3)),
    (Conv1D(5, 4, activation="gelu", conv_method="im2col"), (37, 3)),
    (Conv2D(4, 3, padding="same", conv_method="winograd"), (17, 12, 3)),
    (Conv2D(4, 5, groups=2, activation="relu", conv_method="winograd"), (21, 9, 4)),
    # Tiles of 3 outputs and 4 more positions, which reach beyond the next block.
    (Conv2D(4, 5, conv_method="winograd"), (13, 13, 2)),
    (Conv2D(4, 3, padding="same", conv_method="im2col"), (17, 12, 3)),
    (Conv2D(4, 3, strides=2, dilation=2, conv_method="im2col"), (17, 12, 2)),
    (Conv3D(3, 3, conv_method="winograd"), (9, 8, 7, 2)),
]


def backwards(n_tasks, task):
    """Stand for threads that happen to come last task first."""
    for i in reversed(range(n_tasks)):
        task(i, i)


def results(layer, x, dy, run, need_dx):
    space = Workspace(min_values_for_threads=1)
    space.run = run
    y, cache = layer.forward(x, train=True, rng=None, workspace=space)
    gradients = {k: np.empty(s) for k, s in layer.weight_shapes.items()}
    dx = layer.backward(
        dy.copy(), cache, gradients=gradients, workspace=space, need_dx=need_dx
    )
    return [y.copy(), *gradients.values(), *([dx.copy()] if need_dx else [])]


def can_be_pooled(spec, in_shape):
    """Whether a MaxPool2D after the layer is computed together with it."""
    return len(in_shape) == 3 and ACTIVATIONS[spec.activation or "identity"].is_monotone


CASES = [
    pytest.param(spec, in_shape, pooled, id=f"{spec}-{in_shape}-{pooled}")
    for spec, in_shape in LAYERS
    for pooled in ([False, True] if can_be_pooled(spec, in_shape) else [False])
]


@pytest.mark.parametrize("need_dx", [True, False])
@pytest.mark.parametrize(("spec", "in_shape", "pooled"), CASES)
def test_any_order_of_tasks_gives_the_same_bits(spec, in_shape, pooled, need_dx):
    rng = np.random.default_rng(0)
    block_bytes = 1 if spec.conv_method == "winograd" else 4000
    layer = in_blocks(spec, block_bytes).build(in_shape)
    layer.bind({k: rng.normal(size=s) for k, s in layer.weight_shapes.items()}, {})
    if pooled:
        layer = PooledConvolutionLayer(layer, MaxPool2D(2).build(layer.out_shape))
    x = rng.normal(size=(in_shape[-1], *in_shape[:-1], 3))
    dy = rng.normal(size=(layer.out_shape[-1], *layer.out_shape[:-1], 3))
    alone = results(layer, x, dy, None, need_dx)
    for one, two in zip(alone, results(layer, x, dy, backwards, need_dx), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("train", [True, False])
def test_the_same_bits_for_any_number_of_threads(monkeypatch, train):
    specs = [
        Conv2D(32, 3, padding="same", activation="relu"),
        Conv2D(32, 3, padding="same", activation="relu"),
        MaxPool2D(2),
        Conv2D(48, 3, padding="same", activation="relu"),
        Flatten(),
        Dense(4),
    ]
    named = [(f"layer{i}", spec) for i, spec in enumerate(specs)]
    network = Network(named, (32, 32, 3), "float32")
    network.initialize(np.random.RandomState(0))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(16, 32, 32, 3)).astype(np.float32)
    y = rng.normal(size=(16, 4)).astype(np.float32)
    samples = Samples(Inputs(X, network.in_shape, np.float32), y)
    assert network.micro_batch_size(16) == 16
    runs = []
    run = ThreadTeam.run
    monkeypatch.setattr(
        ThreadTeam, "run", lambda self, n, task: (runs.append(n), run(self, n, task))[1]
    )
    gradients = []
    for n_threads in (1, 2, 3):
        runs.clear()
        gradient = np.empty_like(network.vector)
        with Executor(network, SquaredError(), n_threads) as executor:
            for _ in range(2):
                executor.loss_and_gradient(samples, slice(0, 16), gradient, train=train)
        gradients.append(gradient)
        # Forward and backward passes of three convolutions, at least.
        assert (sum(n > 1 for n in runs) >= 12) == (n_threads > 1)
    for gradient in gradients[1:]:
        np.testing.assert_array_equal(gradient, gradients[0])
