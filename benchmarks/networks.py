"""The networks that the benchmarks share, for skconvnet, PyTorch and skorch.

They are written once, as layers of ours, and `torch_network` translates them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    SeparableConv2D,
)
from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.losses import LogLoss
from skconvnet.params.base import LayerSpec

try:
    import torch
except ImportError:
    torch = None
try:
    from skorch import NeuralNetClassifier
except ImportError:
    NeuralNetClassifier = None

N_CLASSES = 10
RATE = 1e-3


def _conventional(
    stack: Sequence[int | str],
    units: int,
    kernel: int = 3,
    padding: int | str = 1,
    dilation: int = 1,
) -> list[LayerSpec]:
    """Return convolutions with these numbers of filters, pools and a dense layer."""
    layers: list[LayerSpec] = []
    for item in stack:
        if item == "pool":
            layers.append(MaxPool2D(2))
            continue
        layers.append(
            Conv2D(item, kernel, padding=padding, dilation=dilation, activation="relu")
        )
    return [*layers, Flatten(), Dense(units, activation="relu")]


def _separable() -> list[LayerSpec]:
    """Return a small MobileNet: after the first layer, 3x3 taps see one channel."""
    params = {"padding": 1, "activation": "relu"}
    return [
        Conv2D(32, 3, **params),
        SeparableConv2D(64, 3, **params),
        SeparableConv2D(128, 3, strides=2, **params),
        SeparableConv2D(128, 3, **params),
        GlobalAvgPool(),
    ]


def _transposed() -> list[LayerSpec]:
    """Return an encoder to maps of 8x8 and a decoder to the size of the image."""
    params = {"strides": 2, "padding": 1, "activation": "relu"}
    return [
        Conv2D(32, 3, **params),
        Conv2D(64, 3, **params),
        Conv2DTranspose(32, 4, **params),
        Conv2DTranspose(16, 4, **params),
        GlobalAvgPool(),
    ]


def _normalized(layers: list[LayerSpec]) -> list[LayerSpec]:
    """Put a BatchNorm between each convolution and its activation."""
    result: list[LayerSpec] = []
    for layer in layers:
        result.append(layer)
        if isinstance(layer, Conv2D):
            layer.set_params(activation=None)
            result += [BatchNorm(), Activation("relu")]
    return result


# Each network: shape of an image, and a function that makes the layers. Those of the
# default table, and those that it has on request.
_CIFAR = [32, 32, "pool", 64, 64, "pool"]
_COLOURED = (32, 32, 3)
NETWORKS: dict[str, tuple[tuple[int, ...], Callable[[], list[LayerSpec]]]] = {
    "digits": ((8, 8, 1), lambda: _conventional([16, "pool", 32, "pool"], 64)),
    "mnist": (
        (28, 28, 1),
        lambda: _conventional([20, "pool", 40, "pool"], 100, 5, "valid"),
    ),
    "cifar": (_COLOURED, lambda: _conventional(_CIFAR, 256)),
    "cifar-wide": (
        _COLOURED,
        lambda: _conventional([64, 64, "pool", 128, 128, "pool"], 256),
    ),
    "separable": (_COLOURED, _separable),
    "dilated": (_COLOURED, lambda: _conventional(_CIFAR, 256, padding=2, dilation=2)),
    "transposed": (_COLOURED, _transposed),
    "batch_norm": (_COLOURED, lambda: _normalized(_conventional(_CIFAR, 256))),
}
CONVENTIONAL = ["digits", "mnist", "cifar", "cifar-wide"]


def our_network(name: str, **params: object) -> SequentialClassifier:
    """Return the network as an estimator of ours, in float32."""
    params = {"dtype": "float32", "random_state": 0, **params}
    return SequentialClassifier(NETWORKS[name][1](), **params)


def torch_network(name: str) -> torch.nn.Sequential:
    """Return the network in PyTorch, with weights of PyTorch's own."""
    shape, make = NETWORKS[name]
    modules: list[torch.nn.Module] = []
    for spec in make():
        modules += _modules(spec, shape)
        shape = spec.build(shape).out_shape
    return torch.nn.Sequential(*modules, torch.nn.Linear(shape[-1], N_CLASSES))


def _modules(spec: LayerSpec, in_shape: tuple[int, ...]) -> list[torch.nn.Module]:
    """Return PyTorch's modules that do what the layer does."""
    nn, channels = torch.nn, in_shape[-1]
    activation = [nn.ReLU()] if getattr(spec, "activation", None) == "relu" else []
    if isinstance(spec, Conv2D | Conv2DTranspose | SeparableConv2D):
        size, filters = spec.kernel_size, spec.filters
        moves = {
            "stride": spec.strides,
            "padding": 0 if spec.padding == "valid" else spec.padding,
            "dilation": spec.dilation,
        }
        if isinstance(spec, Conv2DTranspose):
            return [nn.ConvTranspose2d(channels, filters, size, **moves), *activation]
        if isinstance(spec, Conv2D):
            return [nn.Conv2d(channels, filters, size, **moves), *activation]
        moves |= {"groups": channels, "bias": False}
        depthwise = nn.Conv2d(channels, channels, size, **moves)
        return [depthwise, nn.Conv2d(channels, filters, 1), *activation]
    if isinstance(spec, Dense):
        return [nn.Linear(channels, spec.units), *activation]
    if isinstance(spec, BatchNorm):
        return [nn.BatchNorm2d(channels, spec.epsilon, 1 - spec.momentum)]
    if isinstance(spec, MaxPool2D):
        return [nn.MaxPool2d(spec.pool_size)]
    if isinstance(spec, GlobalAvgPool):
        return [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if isinstance(spec, Flatten):
        return [nn.Flatten()]
    if isinstance(spec, Activation) and spec.function == "relu":
        return [nn.ReLU()]
    raise TypeError(f"PyTorch has no module for {spec!r}.")


def in_torchs_order(model: SequentialClassifier, arrays: dict) -> list[np.ndarray]:
    """Return weights, or gradients, as `torch_network(name).parameters()` has them."""
    layers = list(model.network_.layers.items())
    ordered = []
    for (_, before), (name, layer) in pairwise([("", None), *layers]):
        for array in layer.weight_shapes:
            values = arrays[f"{name}/{array}"]
            if isinstance(before, FlattenLayer) and array == "kernel":
                # PyTorch flattens channels first.
                values = values.reshape(*before.in_shape, -1)
                values = np.moveaxis(values, -2, 0).reshape(layer.in_shape[0], -1)
            if isinstance(layer, DenseLayer) and array == "kernel":
                values = values.T
            ordered.append(values)
    return ordered


def disagreement(name: str, dtype: str) -> tuple[float, float]:
    """Compare a training step's loss and gradients with PyTorch's, on equal weights.

    In float32 a value that rounding takes over the edge of a ReLU, or of two in a max
    pool, sends a whole gradient elsewhere; in float64 nothing hides a difference.

    Returns
    -------
    of_loss : float
        Relative difference.
    of_gradients : float
        Of the array that differs most, the norm of the difference by the norm of
        PyTorch's.
    """
    X, y = data(name, 12)
    X = X.astype(dtype)
    model = our_network(name, dtype=dtype).initialize(X, y)
    network = model.network_
    targets = np.eye(N_CLASSES, dtype=dtype)[y]
    samples = Samples(Inputs(X, network.in_shape, X.dtype), targets)
    gradient = np.empty_like(network.vector)
    with Executor(network, LogLoss(), 1) as engine:
        every = slice(0, len(X))
        loss, _ = engine.loss_and_gradient(samples, every, gradient, train=True)

    peer = torch_network(name).to(getattr(torch, dtype))
    weights = in_torchs_order(model, network.weights)
    with torch.no_grad():
        for own, values in zip(peer.parameters(), weights, strict=True):
            own.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    outputs = peer(torch.from_numpy(channels_first(X)))
    theirs = torch.nn.functional.cross_entropy(outputs, torch.from_numpy(y))
    theirs.backward()
    differences = []
    views = network.by_layer(gradient)
    named = {
        f"{layer}/{array}": values
        for layer, own in zip(network.layers, views, strict=True)
        for array, values in own.items()
    }
    largest = max(p.grad.norm().item() for p in peer.parameters())
    for parameter, values in zip(
        peer.parameters(), in_torchs_order(model, named), strict=True
    ):
        expected = parameter.grad.numpy()
        # Before a BatchNorm the gradient of a bias is zero but for rounding.
        scale = max(np.linalg.norm(expected), 1e-2 * largest)
        differences.append(np.linalg.norm(values - expected) / scale)
    return abs(loss / theirs.item() - 1), float(max(differences))


def skorch_network(name: str, epochs: int, batch: int) -> NeuralNetClassifier:
    """Return the network as an estimator of skorch, without its validation split."""
    return NeuralNetClassifier(
        torch_network(name),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=RATE,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def data(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random images of the network's shape, and labels with every class."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, *NETWORKS[name][0]), dtype=np.float32)
    y = rng.integers(0, N_CLASSES, n)
    y[:N_CLASSES] = np.arange(N_CLASSES)
    return X, y


def channels_first(X: np.ndarray) -> np.ndarray:
    """Return the images as PyTorch takes them."""
    return np.ascontiguousarray(np.moveaxis(X, -1, 1))
