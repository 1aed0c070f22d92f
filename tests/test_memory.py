"""What a training step allocates once its workspaces are there."""

import numpy as np
import pytest
from engine_tools import peak_allocation

from skconvnet import SequentialClassifier
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers import (
    AvgPool2D,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LocallyConnected2D,
    MaxPool2D,
    SeparableConv2D,
    SpatiallySeparableConv2D,
)
from skconvnet.losses import LogLoss
from skconvnet.optimizers import OPTIMIZERS
from skconvnet.training.regularization import Regularizer

LAYERS = {
    "im2col": [Conv2D(16, 3, activation="relu", conv_method="im2col"), MaxPool2D(2)],
    "two of im2col": [Conv2D(8, 3, conv_method="im2col")] * 2,
    "winograd": [Conv2D(16, 3, activation="gelu", conv_method="winograd")],
    "strided": [Conv2D(16, 3, strides=2, activation="tanh"), Conv2D(16, 1)],
    "depthwise": [
        DepthwiseConv2D(3, 2, activation="relu"),
        Conv2D(16, 3, 2, groups=8),
        SeparableConv2D(8, 3, padding="same", activation="gelu"),
    ],
    "spatial": [SpatiallySeparableConv2D(8, 3, padding="same", activation="elu")],
    "local": [MaxPool2D(2), LocallyConnected2D(3, 3, padding="same")],
    "average": [AvgPool2D(2), Dropout(0.3), Conv2D(16, 5, activation="elu")],
    "dense": [Flatten(), Dense(300, activation="logistic"), Dense(300, "relu")],
}
N = 64


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("name", LAYERS)
def test_a_step_allocates_no_large_arrays(name, n_threads):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2 * N, 24, 24, 4)).astype("float32")
    y = np.arange(2 * N) % 3
    model = SequentialClassifier(LAYERS[name], dtype="float32").initialize(X, y)
    network = model.network_
    targets = np.eye(3, dtype=np.float32)[y]
    samples = Samples(Inputs(X, network.in_shape, "float32"), targets)
    gradient, optimizer = np.empty_like(network.vector), OPTIMIZERS["adam"]()
    regularizer, kernels = Regularizer(), network.vector[: network.layout.n_penalized]
    order = rng.permutation(2 * N)

    with Executor(network, LogLoss(), n_threads) as executor:

        def step(index):
            executor.loss_and_gradient(samples, index, gradient, train=True, seed=0)
            regularizer.begin_update(kernels, 1e-4, 0.0, n_updates=2)
            run = executor.team.run
            optimizer.step(network.vector, gradient, 1e-3, run, regularizer)

        peak = peak_allocation(
            executor, lambda: step(order[:N]), lambda: step(order[N:])
        )
    # The batch alone has 590 kB, each map of 16 channels a multiple of that; NumPy's
    # buffers for mixed dtypes and strides have up to 64 kB.
    assert peak < 150_000 * n_threads
