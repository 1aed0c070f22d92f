"""Train one network on MNIST with every optimizer, and with PyTorch's of that name.

    python benchmarks/optimizers.py [--data mnist.npz] [--seeds 3] [--epochs 5]
    python benchmarks/optimizers.py [--data mnist.npz] --tune

For each optimizer and seed: epochs, and seconds of training, until 98.5 % of the test
set are right. Both start from the same weights, with the same learning rate and
minibatches of the same size; each shuffles by itself. They take turns epoch by epoch,
on one thread each, and the seconds are CPU time, so that other work on the machine
matters little. PyTorch has no schedule-free optimizer, and its Muon takes no kernels of
convolutions.

The learning rates below are those that `--tune` found with skconvnet: of the rates 1,
0.3, 0.1 ... 0.0003 the one with the most right on 10,000 images of the training set,
after three epochs on 10,000 others. The test set has no part in it, nor has PyTorch.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from _machine import print_machine
from _torch_networks import torch
from mnist import load
from sklearn.base import clone

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv2D, Flatten, MaxPool2D, Rescaling
from skconvnet.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Muon,
    Nadam,
    Optimizer,
    RMSprop,
    ScheduleFreeAdamW,
)

TARGET = 0.985
BATCH = 128
FILTERS = (16, 32)
CLASSES = np.arange(10)
N_TUNED = N_HELD_OUT = 10_000
TUNING_EPOCHS = 3
RATES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)

# Each: ours, its learning rate, PyTorch's name for it, and arguments with which that
# follows the same formula.
OPTIMIZERS: dict[str, tuple[Optimizer, float, str | None, dict]] = {
    "SGD": (SGD(momentum=0.0), 0.1, "SGD", {}),
    "SGD, momentum": (SGD(momentum=0.9), 0.1, "SGD", {"momentum": 0.9}),
    "SGD, Nesterov": (
        SGD(momentum=0.9, nesterov=True),
        0.1,
        "SGD",
        {"momentum": 0.9, "nesterov": True},
    ),
    "RMSprop": (RMSprop(), 0.003, "RMSprop", {"alpha": 0.9}),
    "Adagrad": (Adagrad(), 0.03, "Adagrad", {}),
    "Adadelta": (Adadelta(), 1.0, "Adadelta", {"rho": 0.9}),
    "Adam": (Adam(), 0.003, "Adam", {}),
    "AdamW": (AdamW(), 0.01, "AdamW", {}),
    "Nadam": (Nadam(), 0.01, "NAdam", {}),
    "Adamax": (Adamax(), 0.03, "Adamax", {}),
    "Muon": (Muon(), 0.003, None, {}),
    "schedule-free AdamW": (ScheduleFreeAdamW(), 0.03, None, {}),
}

# What makes an epoch, and what tells the share of right answers then.
Training = tuple[Callable[[], None], Callable[[], float]]
Data = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Run:
    """How a training went."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.accuracies: list[float] = []

    @property
    def has_arrived(self) -> bool:
        """Whether the last epoch reached the target."""
        return bool(self.accuracies) and self.accuracies[-1] >= TARGET

    def epoch(self, train: Callable[[], None], score: Callable[[], float]) -> None:
        """Train for an epoch, and add its CPU time and its accuracy."""
        start = time.process_time()
        train()
        self.seconds += time.process_time() - start
        self.accuracies.append(score())


def our_model(optimizer: Optimizer, rate: float, seed: int) -> SequentialClassifier:
    """Return the network, which `partial_fit` trains epoch by epoch."""
    first, second = FILTERS
    shared = {"activation": "relu", "kernel_initializer": "glorot_uniform"}
    return SequentialClassifier(
        layers=[
            ("scale", Rescaling(1 / 255)),
            ("conv1", Conv2D(first, 5, strides=2, **shared)),
            ("conv2", Conv2D(second, 3, **shared)),
            ("pool", MaxPool2D(2)),
            ("flatten", Flatten()),
        ],
        solver=optimizer,
        learning_rate_init=rate,
        alpha=0.0,
        batch_size=BATCH,
        dtype="float32",
        n_jobs=1,
        # An instance goes on drawing from call to call of partial_fit.
        random_state=np.random.RandomState(seed),
    )


def torch_model(model: SequentialClassifier) -> torch.nn.Sequential:
    """Return the same network in PyTorch, with the same weights."""
    nn = torch.nn
    weights = model.get_weights()
    second, first, *_ = weights["conv2/kernel"].shape
    output = weights["output/kernel"]
    # Ours lays maps out with the channels last, PyTorch with the channels first.
    output = output.reshape(-1, second, len(CLASSES)).transpose(2, 1, 0)
    copied = [
        *(weights["conv1/kernel"], weights["conv1/bias"]),
        *(weights["conv2/kernel"], weights["conv2/bias"]),
        *(output.reshape(len(CLASSES), -1), weights["output/bias"]),
    ]
    network = nn.Sequential(
        *(nn.Conv2d(1, first, 5, stride=2), nn.ReLU()),
        *(nn.Conv2d(first, second, 3), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(copied[-2].shape[1], len(CLASSES))),
    )
    with torch.no_grad():
        for parameter, values in zip(network.parameters(), copied, strict=True):
            parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    return network


def our_training(model: SequentialClassifier, data: Data) -> Training:
    """Return an epoch of ours, and what judges it."""
    X, y, X_test, y_test = data

    def train() -> None:
        model.partial_fit(X, y, classes=CLASSES)

    return train, lambda: model.score(X_test, y_test)


def torch_training(
    network: torch.nn.Module, optimizer: torch.optim.Optimizer, data: Data
) -> Training:
    """Return an epoch of PyTorch's, and what judges it."""
    X, y, X_test, y_test = data
    pixels, labels = torch.from_numpy(X), torch.from_numpy(y).long()
    loss = torch.nn.CrossEntropyLoss()

    def scaled(images: torch.Tensor) -> torch.Tensor:
        return images.unsqueeze(1).float() / 255

    def train() -> None:
        for index in torch.randperm(len(pixels)).split(BATCH):
            optimizer.zero_grad()
            loss(network(scaled(pixels[index])), labels[index]).backward()
            optimizer.step()

    def score() -> float:
        with torch.no_grad():
            parts = torch.from_numpy(X_test).split(1000)
            predicted = torch.cat([network(scaled(part)).argmax(1) for part in parts])
        return float(np.mean(predicted.numpy() == y_test))

    return train, score


def compare(name: str, seed: int, epochs: int, data: Data) -> dict[str, Run]:
    """Train until the target, ours and PyTorch's in turn."""
    optimizer, rate, peer, options = OPTIMIZERS[name]
    X, y, *_ = data
    # A fresh optimizer, without the state of the training before.
    model = our_model(clone(optimizer), rate, seed).initialize(X, y)
    trainings = {"ours": our_training(model, data)}
    if torch is not None and peer is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(1)
        network = torch_model(model)
        theirs = getattr(torch.optim, peer)(network.parameters(), lr=rate, **options)
        trainings["PyTorch"] = torch_training(network, theirs, data)
    runs = {who: Run() for who in trainings}
    for _ in range(epochs):
        for who, run in runs.items():
            if not run.has_arrived:
                run.epoch(*trainings[who])
    return runs


def held_out(data: Data) -> Data:
    """Return a part of the training set to learn from, and another to judge by."""
    X, y, *_ = data
    order = np.random.default_rng(0).permutation(len(X))
    learned, judged = np.split(order[: N_TUNED + N_HELD_OUT], [N_TUNED])
    return X[learned], y[learned], X[judged], y[judged]


def accuracy_at(optimizer: Optimizer, rate: float, data: Data) -> float:
    """Return the accuracy after a few epochs; not a number if it diverged."""
    train, score = our_training(our_model(clone(optimizer), rate, seed=0), data)
    try:
        for _ in range(TUNING_EPOCHS):
            train()
    except ValueError:
        return np.nan
    return score()


def tune(data: Data) -> None:
    """Print the accuracy with each optimizer and learning rate, and the best rate."""
    data = held_out(data)
    print("| optimizer | " + " | ".join(f"{rate:g}" for rate in RATES) + " | best |")
    print("| --- " * (len(RATES) + 2) + "|")
    for name, (optimizer, *_) in OPTIMIZERS.items():
        accuracies = [accuracy_at(optimizer, rate, data) for rate in RATES]
        cells = " | ".join(f"{100 * accuracy:.2f}" for accuracy in accuracies)
        best = RATES[int(np.nanargmax(accuracies))]
        print(f"| {name} | {cells} | {best:g} |", flush=True)


def cells(runs: list[Run], epochs: int) -> str:
    """Return three cells of the table: epochs, seconds, last accuracies."""
    if not runs:
        return " | | "
    taken = [len(run.accuracies) if run.has_arrived else None for run in runs]
    counts = ", ".join(f"not in {epochs}" if n is None else str(n) for n in taken)
    seconds = f"{median(run.seconds for run in runs):.1f}"
    # Those that did not arrive took longer than they are counted with.
    if None in taken:
        seconds = f"> {seconds}" if taken.count(None) * 2 > len(taken) else seconds
    last = ", ".join(f"{100 * run.accuracies[-1]:.2f}" for run in runs)
    return f"{counts} | {seconds} | {last}"


def main(argv: list[str] | None = None) -> int:
    """Print the table of trainings, or that of learning rates."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="an .npz file")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="at most")
    parser.add_argument("--optimizers", nargs="+", choices=list(OPTIMIZERS))
    parser.add_argument("--tune", action="store_true", help="choose learning rates")
    args = parser.parse_args(argv)
    data = load(args.data)
    print_machine()
    if args.tune:
        tune(data)
        return 0
    print("| optimizer | rate | epochs | seconds | accuracy, % ", end="")
    print("| PyTorch: epochs | seconds | accuracy, % | PyTorch / ours, an epoch |")
    print("| --- " * 9 + "|")
    for name in args.optimizers or OPTIMIZERS:
        results = [compare(name, seed, args.epochs, data) for seed in range(args.seeds)]
        ours = [runs["ours"] for runs in results]
        theirs = [runs["PyTorch"] for runs in results if "PyTorch" in runs]
        ratio = f"{an_epoch(theirs) / an_epoch(ours):.2f}" if theirs else ""
        row = [name, f"{OPTIMIZERS[name][1]:g}", cells(ours, args.epochs)]
        row += [cells(theirs, args.epochs), ratio]
        print("| " + " | ".join(row) + " |", flush=True)
    return 0


def an_epoch(runs: list[Run]) -> float:
    """Return the seconds of an epoch, over all trainings."""
    return sum(run.seconds for run in runs) / sum(len(run.accuracies) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
