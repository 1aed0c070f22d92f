"""Train the classical network of two convolutions on MNIST, and watch its memory.

    python benchmarks/mnist.py [--data mnist.npz] [--epochs 5] [--batch-mode mbgd]

20 and then 40 filters of 5x5, each followed by a max pool of 2, a dense layer of 100,
ReLU, Adam at 1e-3, batches of 128, float32. The images stay uint8: a layer of the
network brings the pixels from 0..255 to 0..1, one minibatch at a time. Test accuracy
and seconds are printed after each epoch, and at the end the peak memory of the whole
process, data and Python included.

A file given with --data has arrays X_train, y_train, X_test and y_test. Without it the
set is fetched from OpenML, which needs pandas; what reading it took at its peak is
printed before training. With --torch the same network is trained in PyTorch afterwards.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from _machine import print_machine

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D, Rescaling

if TYPE_CHECKING:
    import torch

N_TRAIN = 60_000
RATE = 1e-3
BATCH = 128


def load(path: Path | None) -> tuple[np.ndarray, ...]:
    """Return X_train, y_train, X_test, y_test, images as uint8."""
    if path is not None:
        with np.load(path) as file:
            return tuple(
                file[name] for name in ("X_train", "y_train", "X_test", "y_test")
            )
    from sklearn.datasets import fetch_openml

    X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
    X = X.astype(np.uint8).reshape(-1, 28, 28)
    y = y.astype(np.int64)
    return X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:]


def make_model(batch_mode: str, seed: int, n_jobs: int | None) -> SequentialClassifier:
    """Return the network, which `partial_fit` trains epoch by epoch."""
    return SequentialClassifier(
        layers=[
            ("scale", Rescaling(1 / 255)),
            ("conv1", Conv2D(20, 5, activation="relu")),
            ("pool1", MaxPool2D(2)),
            ("conv2", Conv2D(40, 5, activation="relu")),
            ("pool2", MaxPool2D(2)),
            ("flatten", Flatten()),
            ("dense1", Dense(100, activation="relu")),
        ],
        solver="adam",
        learning_rate_init=RATE,
        alpha=0.0,
        batch_size=BATCH,
        batch_mode=batch_mode,
        dtype="float32",
        n_jobs=n_jobs,
        # An instance goes on drawing from call to call of partial_fit; an int would
        # shuffle every epoch in the same way.
        random_state=np.random.RandomState(seed),
    )


def run(
    epochs: int, train: Callable[[], None], score: Callable[[], float]
) -> list[tuple[float, float]]:
    """Print and return seconds and test accuracy of each epoch."""
    rows = []
    print("epoch   seconds   test accuracy")
    for epoch in range(1, epochs + 1):
        start = time.perf_counter()
        train()
        seconds = time.perf_counter() - start
        rows.append((seconds, score()))
        print(f"{epoch:5}{seconds:10.2f}{rows[-1][1]:16.4f}", flush=True)
    return rows


def peak_megabytes() -> float:
    """Return the most memory that the process has had so far."""
    import resource  # not there on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in kB, macOS in bytes.
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def make_torch_model() -> torch.nn.Sequential:
    """Return the same network in PyTorch, which takes pixels from 0 to 1."""
    from torch import nn

    return nn.Sequential(
        *(nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(20, 40, 5), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(640, 100), nn.ReLU(), nn.Linear(100, 10)),
    )


def run_torch(data: tuple[np.ndarray, ...], args: argparse.Namespace) -> None:
    """Train the same network in PyTorch."""
    import torch

    X_train, y_train, X_test, y_test = data
    torch.manual_seed(args.seed)
    model = make_torch_model()
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loss = torch.nn.CrossEntropyLoss()
    pixels, labels = torch.from_numpy(X_train), torch.from_numpy(y_train).long()

    def scaled(images: torch.Tensor) -> torch.Tensor:
        return images.unsqueeze(1).float() / 255

    def train() -> None:
        for index in torch.randperm(len(pixels)).split(batch):
            optimizer.zero_grad()
            loss(model(scaled(pixels[index])), labels[index]).backward()
            optimizer.step()

    def score() -> float:
        with torch.no_grad():
            parts = torch.from_numpy(X_test).split(1000)
            predicted = torch.cat([model(scaled(part)).argmax(1) for part in parts])
        return float(np.mean(predicted.numpy() == y_test))

    batch = {"mbgd": BATCH, "bgd": len(X_train), "sgd": 1}[args.batch_mode]
    print(f"\nPyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    run(args.epochs, train, score)


def main(argv: list[str] | None = None) -> int:
    """Train, and print the accuracy by epoch and the peak memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="an .npz file")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--batch-mode", choices=["mbgd", "bgd", "sgd"], default="mbgd")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=None, help="threads")
    parser.add_argument("--torch", action="store_true", help="compare with PyTorch")
    args = parser.parse_args(argv)

    data = load(args.data)
    X_train, y_train, X_test, y_test = data
    print_machine()
    print(f"training {X_train.shape} {X_train.dtype}, test {X_test.shape}")
    print(f"memory with the data loaded: {peak_megabytes():.0f} MB\n")

    model = make_model(args.batch_mode, args.seed, args.jobs)
    print(f"skconvnet, batch_mode={args.batch_mode!r}")
    run(
        args.epochs,
        lambda: model.partial_fit(X_train, y_train, classes=np.unique(y_train)),
        lambda: model.score(X_test, y_test),
    )
    print(f"peak memory of the process: {peak_megabytes():.0f} MB")
    if args.torch:
        # After the peak was printed: importing it alone takes more memory.
        run_torch(data, args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
