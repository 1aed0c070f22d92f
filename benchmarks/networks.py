"""The networks that the benchmarks share, as layers of ours.

`_torch_networks.py` translates them into PyTorch's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    GRU,
    LSTM,
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    Embedding,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool2D,
    Parallel,
    Residual,
    SeparableConv2D,
    TransformerEncoder,
)
from skconvnet.params.base import LayerSpec

N_CLASSES = 10
N_TOKENS = 20_000

Layers = list[LayerSpec | tuple[str, LayerSpec]]


def _conventional(
    stack: Sequence[int | str],
    units: int,
    kernel: int = 3,
    padding: int | str = 1,
    dilation: int = 1,
) -> Layers:
    """Return convolutions with these numbers of filters, pools and a dense layer."""
    layers: Layers = []
    for item in stack:
        if item == "pool":
            layers.append(MaxPool2D(2))
            continue
        layers.append(
            Conv2D(item, kernel, padding=padding, dilation=dilation, activation="relu")
        )
    return [*layers, Flatten(), Dense(units, activation="relu")]


def _separable() -> Layers:
    """Return a small MobileNet: after the first layer, 3x3 taps see one channel."""
    params = {"padding": 1, "activation": "relu"}
    return [
        Conv2D(32, 3, **params),
        SeparableConv2D(64, 3, **params),
        SeparableConv2D(128, 3, strides=2, **params),
        SeparableConv2D(128, 3, **params),
        GlobalAvgPool(),
    ]


def _transposed() -> Layers:
    """Return an encoder to maps of 8x8 and a decoder to the size of the image."""
    params = {"strides": 2, "padding": 1, "activation": "relu"}
    return [
        Conv2D(32, 3, **params),
        Conv2D(64, 3, **params),
        Conv2DTranspose(32, 4, **params),
        Conv2DTranspose(16, 4, **params),
        GlobalAvgPool(),
    ]


def _normalized(layers: Layers) -> Layers:
    """Put a BatchNorm between each convolution and its activation."""
    result: Layers = []
    for layer in layers:
        result.append(layer)
        if isinstance(layer, Conv2D):
            layer.set_params(activation=None)
            result += [BatchNorm(), Activation("relu")]
    return result


def _strided() -> Layers:
    """Return convolutions that halve the map in place of poolings."""
    params = {"padding": 1, "activation": "relu"}
    return [
        Conv2D(32, 3, **params),
        Conv2D(32, 3, strides=2, **params),
        Conv2D(64, 3, **params),
        Conv2D(64, 3, strides=2, **params),
        GlobalAvgPool(),
    ]


def _residual() -> Layers:
    """Return two stages of a small ResNet, each with a pool and a block."""

    def convolution(filters: int) -> Layers:
        return _normalized([Conv2D(filters, 3, padding=1, activation="relu")])

    def stage(filters: int) -> Layers:
        *block, _ = convolution(filters) + convolution(filters)
        pool = [*convolution(filters), MaxPool2D(2)]
        return [*pool, Residual(block), Activation("relu")]

    return [*stage(32), *stage(64), GlobalAvgPool()]


def _series() -> Layers:
    """Return convolutions with long kernels."""
    params = {"padding": "same", "activation": "relu"}
    return [*(Conv1D(32, taps, **params) for taps in (10, 20, 40)), GlobalAvgPool()]


def _text() -> Layers:
    """Return a TextCNN: filters of a few words, and the largest value of each."""
    phrases = [
        (f"of_{n}", [Conv1D(32, n, activation="relu"), GlobalMaxPool()])
        for n in (2, 3, 4)
    ]
    return [Embedding(N_TOKENS, 32), Parallel(phrases)]


def _transformer() -> Layers:
    """Return two encoder blocks of 4 heads, and the mean over the steps."""
    return [*(TransformerEncoder(4, 128) for _ in range(2)), GlobalAvgPool()]


class BenchmarkNetwork(NamedTuple):
    """A network, and how a benchmark uses it.

    Attributes
    ----------
    in_shape : tuple of int
        Shape of one sample.
    layers : callable
        Returns new layers.
    n_samples : int
        Size of a training set for which an epoch takes about half a second.
    """

    in_shape: tuple[int, ...]
    layers: Callable[[], Layers]
    n_samples: int = 768


_CIFAR = [32, 32, "pool", 64, 64, "pool"]
_WIDE = [64, 64, "pool", 128, 128, "pool"]
_IMAGE = (32, 32, 3)
NETWORKS: dict[str, BenchmarkNetwork] = {
    "digits": BenchmarkNetwork(
        (8, 8, 1), lambda: _conventional([16, "pool", 32, "pool"], 64), 4096
    ),
    "mnist": BenchmarkNetwork(
        (28, 28, 1),
        lambda: _conventional([20, "pool", 40, "pool"], 100, 5, "valid"),
        2048,
    ),
    "cifar": BenchmarkNetwork(_IMAGE, lambda: _conventional(_CIFAR, 256)),
    "cifar-wide": BenchmarkNetwork(_IMAGE, lambda: _conventional(_WIDE, 256)),
    "separable": BenchmarkNetwork(_IMAGE, _separable),
    "dilated": BenchmarkNetwork(
        _IMAGE, lambda: _conventional(_CIFAR, 256, padding=2, dilation=2)
    ),
    "transposed": BenchmarkNetwork(_IMAGE, _transposed),
    "batch_norm": BenchmarkNetwork(
        _IMAGE, lambda: _normalized(_conventional(_CIFAR, 256))
    ),
    "strided": BenchmarkNetwork(_IMAGE, _strided),
    "residual": BenchmarkNetwork(_IMAGE, _residual),
    "series": BenchmarkNetwork((1000, 3), _series, 512),
    "text": BenchmarkNetwork((100,), _text, 1024),
    "transformer": BenchmarkNetwork((100, 128), _transformer, 256),
    "lstm": BenchmarkNetwork((100, 128), lambda: [LSTM(128)], 512),
    "gru": BenchmarkNetwork((100, 128), lambda: [GRU(128)], 512),
}


def our_network(name: str, **params: object) -> SequentialClassifier:
    """Return the network as an estimator of ours, in float32."""
    params = {"dtype": "float32", "random_state": 0, **params}
    return SequentialClassifier(NETWORKS[name].layers(), **params)


def data(name: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return random samples of the network's shape, and labels with every class."""
    rng = np.random.default_rng(0)
    shape = (n, *NETWORKS[name].in_shape)
    X = (
        rng.integers(0, N_TOKENS, shape)
        if name == "text"
        else rng.standard_normal(shape, dtype=np.float32)
    )
    y = rng.integers(0, N_CLASSES, n)
    y[:N_CLASSES] = np.arange(N_CLASSES)
    return X, y
