"""Time one training step of small ConvNets beside a plain PyTorch loop.

    python benchmarks/convnet.py [--rounds 7] [--networks digits mnist cifar]

Ours and PyTorch's (contiguous and channels_last) take turns in one run; the table
has medians in microseconds a sample, and the median over the rounds of PyTorch's
time divided by ours. Without PyTorch only our times are printed.
"""

from __future__ import annotations

import argparse
import csv
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from skconvnet import SequentialClassifier
from skconvnet.batches import Inputs, Samples
from skconvnet.blas import resolve_n_threads
from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D
from skconvnet.optimizers import Adam
from skconvnet.parallel import Engine
from skconvnet.schedules import Constant
from skconvnet.training import History, Settings, train

try:
    import torch
except ImportError:
    torch = None

N_CLASSES = 10
RATE = 1e-3

# Each network: input shape, then filters, "pool", and the units of a dense layer.
NETWORKS = {
    "digits": ((8, 8, 1), 3, "same", [16, "pool", 32, "pool"], 64),
    "mnist": ((28, 28, 1), 5, "valid", [20, "pool", 40, "pool"], 100),
    "cifar": ((32, 32, 3), 3, "same", [32, 32, "pool", 64, 64, "pool"], 256),
    "cifar-wide": ((32, 32, 3), 3, "same", [64, 64, "pool", 128, 128, "pool"], 256),
}


def our_layers(kernel: int, padding: str, stack: list, units: int) -> list:
    layers: list = [
        MaxPool2D(2)
        if item == "pool"
        else Conv2D(item, kernel, padding=padding, activation="relu")
        for item in stack
    ]
    return [*layers, Flatten(), Dense(units, activation="relu")]


def our_epoch(name: str, X: np.ndarray, y: np.ndarray, batch: int, n_jobs: int | None):
    """Return a function that trains on all of X once."""
    _, kernel, padding, stack, units = NETWORKS[name]
    layers = our_layers(kernel, padding, stack, units)
    model = SequentialClassifier(layers, dtype="float32", random_state=0)
    network = model.initialize(X, y).network_
    targets = np.eye(N_CLASSES, dtype=np.float32)[y]
    samples = Samples(Inputs(X, network.in_shape, np.float32), targets)
    settings = Settings(
        max_iter=1,
        batch_size=batch,
        shuffle=True,
        alpha=1e-4,
        tol=0.0,
        n_iter_no_change=np.inf,
        max_grad_norm=None,
        early_stopping=False,
        verbose=False,
    )
    optimizer, schedule, rng = Adam(), Constant(RATE), np.random.RandomState(0)
    engine = Engine(network, model._loss, resolve_n_threads(n_jobs))
    engine.__enter__()
    history = History()

    def run() -> None:
        train(engine, samples, optimizer, schedule, settings, history, rng)

    return run, lambda: engine.__exit__(None, None, None)


def torch_epoch(name: str, X: np.ndarray, y: np.ndarray, batch: int, layout: str):
    """Return a function that trains on all of X once."""
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
    modules.append(nn.Linear(units, N_CLASSES))
    model = nn.Sequential(*modules)
    inputs = torch.from_numpy(np.ascontiguousarray(np.moveaxis(X, -1, 1)))
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)
    targets = torch.from_numpy(y)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    loss_function = nn.CrossEntropyLoss()

    def run() -> None:
        order = torch.randperm(len(inputs))
        for index in order.split(batch):
            optimizer.zero_grad()
            loss_function(model(inputs[index]), targets[index]).backward()
            optimizer.step()

    return run, lambda: None


def timed(run: Callable[[], None]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def compare(name: str, batch: int, rounds: int, n_jobs: int | None) -> dict:
    """Let the contestants take turns, and return medians."""
    in_shape = NETWORKS[name][0]
    n = {"digits": 4096, "mnist": 1024}.get(name, 384)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((n, *in_shape), dtype=np.float32)
    y = rng.integers(0, N_CLASSES, n)
    y[:N_CLASSES] = np.arange(N_CLASSES)
    runs = {"ours": our_epoch(name, X, y, batch, n_jobs)}
    if torch is not None:
        for layout in ("contiguous", "channels_last"):
            runs[layout] = torch_epoch(name, X, y, batch, layout)
    for run, _ in runs.values():
        run()
    times: dict[str, list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, (run, _) in runs.items():
            times[key].append(timed(run) / n * 1e6)
    for _, close in runs.values():
        close()
    row = {"network": name, "batch": batch}
    row |= {key: float(np.median(values)) for key, values in times.items()}
    for key in list(times)[1:]:
        ratios = np.divide(times[key], times["ours"])
        row[f"{key}/ours"] = float(np.median(ratios))
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--networks", nargs="+", default=list(NETWORKS)[:3])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--jobs", type=int, default=None, help="our threads")
    parser.add_argument("--csv", type=Path, help="write the table here too")
    args = parser.parse_args()
    peer = "no PyTorch" if torch is None else f"PyTorch {torch.__version__}"
    print(f"{platform.machine()}, Python {platform.python_version()}, ", end="")
    print(f"NumPy {np.__version__}, {peer}; microseconds a sample, float32")
    rows = []
    for name in args.networks:
        for batch in args.batches:
            row = compare(name, batch, args.rounds, args.jobs)
            if not rows:
                print("".join(f"{key:>20}" for key in row))
            cells = (f"{v:.2f}" if isinstance(v, float) else v for v in row.values())
            print("".join(f"{cell:>20}" for cell in cells))
            sys.stdout.flush()
            rows.append(row)
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main()
