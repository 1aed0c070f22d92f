"""The networks that the benchmarks share, for skconvnet, PyTorch and skorch."""

from __future__ import annotations

import platform

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D

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

# Each network: input shape, kernel, padding, then filters or "pool", and the units of a
# dense layer.
NETWORKS = {
    "digits": ((8, 8, 1), 3, "same", [16, "pool", 32, "pool"], 64),
    "mnist": ((28, 28, 1), 5, "valid", [20, "pool", 40, "pool"], 100),
    "cifar": ((32, 32, 3), 3, "same", [32, 32, "pool", 64, 64, "pool"], 256),
    "cifar-wide": ((32, 32, 3), 3, "same", [64, 64, "pool", 128, 128, "pool"], 256),
}


def our_network(name: str, **params) -> SequentialClassifier:
    _, kernel, padding, stack, units = NETWORKS[name]
    layers: list = [
        MaxPool2D(2)
        if item == "pool"
        else Conv2D(item, kernel, padding=padding, activation="relu")
        for item in stack
    ]
    layers += [Flatten(), Dense(units, activation="relu")]
    params = {"dtype": "float32", "random_state": 0, **params}
    return SequentialClassifier(layers, **params)


def torch_network(name: str):
    (height, width, channels), kernel, padding, stack, units = NETWORKS[name]
    nn = torch.nn
    modules: list = []
    for item in stack:
        if item == "pool":
            modules.append(nn.MaxPool2d(2))
            height, width = height // 2, width // 2
            continue
        pad = kernel // 2 if padding == "same" else 0
        modules += [nn.Conv2d(channels, item, kernel, padding=pad), nn.ReLU()]
        height, width = (n + 2 * pad - kernel + 1 for n in (height, width))
        channels = item
    modules += [nn.Flatten(), nn.Linear(height * width * channels, units), nn.ReLU()]
    return nn.Sequential(*modules, nn.Linear(units, N_CLASSES))


def skorch_network(name: str, epochs: int, batch: int):
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
    """Random images of the network's shape, and labels with every class."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, *NETWORKS[name][0]), dtype=np.float32)
    y = rng.integers(0, N_CLASSES, n)
    y[:N_CLASSES] = np.arange(N_CLASSES)
    return X, y


def channels_first(X: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(X, -1, 1))


def machine() -> str:
    peer = "no PyTorch" if torch is None else f"PyTorch {torch.__version__}"
    return (
        f"{platform.machine()}, Python {platform.python_version()}, NumPy "
        f"{np.__version__}, {peer}"
    )
