"""The networks of the benchmarks in PyTorch and skorch, and a check that they agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np
from networks import N_CLASSES, NETWORKS, Layers, data, our_network

from skconvnet import SequentialClassifier
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
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
from skconvnet.layers.dense import DenseLayer
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.layers.transformer import TransformerEncoderLayer
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

RATE = 1e-3


def torch_network(name: str) -> torch.nn.Sequential:
    """Return the network in PyTorch, with weights of PyTorch's own."""
    body, shape = _sequence(NETWORKS[name].layers(), NETWORKS[name].in_shape)
    return body.append(torch.nn.Linear(shape[-1], N_CLASSES))


def _sequence(
    layers: Layers, in_shape: tuple[int, ...]
) -> tuple[torch.nn.Sequential, tuple[int, ...]]:
    """Return PyTorch's modules for the layers, and the shape of their output."""
    modules: list[torch.nn.Module] = []
    for spec in layers:
        modules += modules_of(spec, in_shape)
        in_shape = spec.build(in_shape).out_shape
    return torch.nn.Sequential(*modules), in_shape


def modules_of(spec: LayerSpec, in_shape: tuple[int, ...]) -> list[torch.nn.Module]:
    """Return PyTorch's modules that do what the layer does."""
    nn, channels, ndim = torch.nn, in_shape[-1], len(in_shape) - 1
    activation = [nn.ReLU()] if getattr(spec, "activation", None) == "relu" else []
    if isinstance(spec, Conv1D | Conv2D | Conv2DTranspose | SeparableConv2D):
        return [*_convolutions(spec, channels, ndim), *activation]
    if isinstance(spec, Dense):
        return [nn.Linear(channels, spec.units), *activation]
    if isinstance(spec, BatchNorm):
        return [nn.BatchNorm2d(channels, spec.epsilon, 1 - spec.momentum)]
    if isinstance(spec, Embedding):
        return [nn.Embedding(spec.n_tokens, spec.n_dims), _ChannelsFirst()]
    if isinstance(spec, TransformerEncoder):
        return [_StepsFirst(_encoder_block(spec, channels))]
    if isinstance(spec, GRU | LSTM):
        kind = getattr(nn, type(spec).__name__)
        return [_LastState(kind(channels, spec.units, batch_first=True))]
    if isinstance(spec, Residual):
        return [_Sum(_sequence(spec.layers, in_shape)[0])]
    if isinstance(spec, Parallel):
        return [_Joined([_sequence(own, in_shape)[0] for _, own in spec.branches])]
    return _weightless(spec, ndim)


def _weightless(spec: LayerSpec, ndim: int) -> list[torch.nn.Module]:
    nn = torch.nn
    if isinstance(spec, MaxPool2D):
        return [nn.MaxPool2d(spec.pool_size)]
    if isinstance(spec, GlobalAvgPool | GlobalMaxPool):
        kind = "Avg" if isinstance(spec, GlobalAvgPool) else "Max"
        return [getattr(nn, f"Adaptive{kind}Pool{ndim}d")(1), nn.Flatten()]
    if isinstance(spec, Flatten):
        return [nn.Flatten()]
    if isinstance(spec, Activation) and spec.function == "relu":
        return [nn.ReLU()]
    raise TypeError(f"PyTorch has no module for {spec!r}.")


def _convolutions(spec: LayerSpec, channels: int, ndim: int) -> list[torch.nn.Module]:
    nn, size, filters = torch.nn, spec.kernel_size, spec.filters
    moves = {
        "stride": spec.strides,
        "padding": 0 if spec.padding == "valid" else spec.padding,
        "dilation": spec.dilation,
    }
    if isinstance(spec, Conv2DTranspose):
        return [nn.ConvTranspose2d(channels, filters, size, **moves)]
    if isinstance(spec, SeparableConv2D):
        moves |= {"groups": channels, "bias": False}
        depthwise = nn.Conv2d(channels, channels, size, **moves)
        return [depthwise, nn.Conv2d(channels, filters, 1)]
    return [getattr(nn, f"Conv{ndim}d")(channels, filters, size, **moves)]


def _encoder_block(
    spec: TransformerEncoder, channels: int
) -> torch.nn.TransformerEncoderLayer:
    return torch.nn.TransformerEncoderLayer(
        channels,
        spec.num_heads,
        spec.units,
        spec.dropout,
        spec.activation,
        spec.epsilon,
        batch_first=True,
        norm_first=spec.pre_norm,
    )


if torch is not None:

    class _ChannelsFirst(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.transpose(1, 2)

    class _StepsFirst(torch.nn.Module):
        """A module of (batch, steps, channels) between maps with the channels first."""

        def __init__(self, body: torch.nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x.transpose(1, 2)).transpose(1, 2)

    class _LastState(torch.nn.Module):
        """The state of a recurrent module after the last step."""

        def __init__(self, body: torch.nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            states, _ = self.body(x.transpose(1, 2))
            return states[:, -1]

    class _Sum(torch.nn.Module):
        """The sum of an input and what a module makes of it."""

        def __init__(self, body: torch.nn.Module) -> None:
            super().__init__()
            self.body = body

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.body(x)

    class _Joined(torch.nn.ModuleList):
        """What several modules make of the same input, joined along the channels."""

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([branch(x) for branch in self], dim=1)


def skorch_network(name: str, epochs: int, batch: int) -> NeuralNetClassifier:
    """Return the network as an estimator of skorch, without its validation split."""
    return NeuralNetClassifier(
        torch_network(name),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__fused=True,
        lr=RATE,
        max_epochs=epochs,
        batch_size=batch,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )


def channels_first(X: np.ndarray) -> np.ndarray:
    """Return the samples as PyTorch takes them."""
    return np.ascontiguousarray(np.moveaxis(X, -1, 1)) if X.ndim > 2 else X


def layouts_of(X: np.ndarray) -> tuple[str, ...]:
    """Return the layouts of memory that PyTorch has for such samples."""
    return ("contiguous", "channels_last") if X.ndim == 4 else ("contiguous",)


def in_torchs_order(
    model: SequentialClassifier, arrays: dict, *, are_gradients: bool = False
) -> list[np.ndarray]:
    """Return weights, or gradients, as `torch_network(name).parameters()` has them."""
    layers = list(model.network_.layers.items())
    ordered = []
    for (_, before), (name, layer) in pairwise([("", None), *layers]):
        if isinstance(layer, TransformerEncoderLayer):
            ordered += _arrays_of_encoder_block(name, arrays)
            continue
        if isinstance(layer, RecurrentLayer):
            own = {array: arrays[f"{name}/{array}"] for array in layer.weight_shapes}
            ordered += _recurrent(own, are_gradients=are_gradients)
            continue
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


def _arrays_of_encoder_block(
    name: str, arrays: Mapping[str, np.ndarray]
) -> Iterator[np.ndarray]:
    projected = [f"{name}/attention/{part}" for part in ("query", "key", "value")]
    yield np.concatenate([arrays[f"{part}_kernel"].T for part in projected])
    yield np.concatenate([arrays[f"{part}_bias"] for part in projected])
    for dense in ("attention/output_", "dense1/", "dense2/"):
        yield arrays[f"{name}/{dense}kernel"].T
        yield arrays[f"{name}/{dense}bias"]
    for norm in ("norm1", "norm2"):
        yield arrays[f"{name}/{norm}/gamma"]
        yield arrays[f"{name}/{norm}/beta"]


def _recurrent(arrays: dict, *, are_gradients: bool) -> list[np.ndarray]:
    """Return the arrays of an LSTM or GRU as PyTorch has them.

    A GRU has two biases in both, with z and r swapped. An LSTM has two in PyTorch,
    which are added.
    """
    biases = arrays["bias"]
    if biases.ndim == 1:
        second = biases if are_gradients else np.zeros_like(biases)
        return [arrays["kernel"].T, arrays["recurrent_kernel"].T, biases, second]
    ordered = []
    for array in (arrays["kernel"], arrays["recurrent_kernel"], *biases):
        z, r, g = np.split(array, 3, axis=-1)
        ordered.append(np.concatenate([r, z, g], axis=-1).T)
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
    if X.dtype.kind == "f":
        X = X.astype(dtype)
    model = our_network(name, dtype=dtype).initialize(X, y)
    network = model.network_
    targets = np.eye(N_CLASSES, dtype=dtype)[y]
    samples = Samples(Inputs(X, network.in_shape, network.dtype), targets)
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
    views = network.by_layer(gradient)
    named = {
        f"{layer}/{array}": values
        for layer, own in zip(network.layers, views, strict=True)
        for array, values in own.items()
    }
    of_gradients = _largest_difference(
        [parameter.grad.numpy() for parameter in peer.parameters()],
        in_torchs_order(model, named, are_gradients=True),
    )
    return abs(loss / theirs.item() - 1), of_gradients


def _largest_difference(
    expected: Sequence[np.ndarray], found: Sequence[np.ndarray]
) -> float:
    largest = max(np.linalg.norm(values) for values in expected)
    # Before a BatchNorm the gradient of a bias is zero but for rounding.
    return max(
        float(np.linalg.norm(b - a) / max(np.linalg.norm(a), 1e-2 * largest))
        for a, b in zip(expected, found, strict=True)
    )
