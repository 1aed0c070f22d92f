"""Train a network for photographs here and in PyTorch, and compare their accuracies.

    python benchmarks/photographs.py --data cifar10-small.npz [--epochs 10] [--seeds 3]

The network is that of `examples/photographs.py`, of which the augmentation is a random
flip and a shift by up to two pixels with mirrored edges. Both start from the same
weights, and see minibatches of the same size in another order, with the same rates,
weight decay and smoothed labels. Printed are the test accuracies, their mean over the
seeds and their standard deviation, and the seconds of an epoch, the median.

A file given with --data has arrays X_train, y_train, X_test and y_test, images with
three colors.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from _machine import print_machine
from mnist import load
from torch import nn

from skconvnet import SequentialClassifier
from skconvnet.augmentation import Flip, Shift
from skconvnet.callbacks import LearningCurve
from skconvnet.interop import to_torch_state
from skconvnet.layers import BatchNorm
from skconvnet.losses import LogLoss
from skconvnet.optimizers import AdamW
from skconvnet.schedules import OneCycle

BATCH, RATE, DECAY, SMOOTHING = 64, 0.005, 0.05, 0.1
# How far images are shifted at most.
PIXELS = 2
N_CLASSES = 10
# Of our BatchNorm; PyTorch's momentum is the share of the new statistics.
EPSILON, MOMENTUM = BatchNorm().epsilon, BatchNorm().momentum


class Result(NamedTuple):
    """The test accuracy of a network, and the median seconds of its epochs."""

    accuracy: float
    seconds: float


def our_network(seed: int, epochs: int) -> SequentialClassifier:
    """Return the network, which is not trained."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "examples"))
    from _photograph_network import photograph_network

    return photograph_network(
        augmentation=[Flip(), Shift(PIXELS, fill="reflect")],
        solver=AdamW(weight_decay=DECAY),
        learning_rate_init=RATE,
        loss=LogLoss(label_smoothing=SMOOTHING),
        batch_size=BATCH,
        max_iter=epochs,
        random_state=seed,
    )


def train_ours(seed: int, epochs: int, data: tuple[np.ndarray, ...]) -> Result:
    """Train our network."""
    X, y, X_test, y_test = data
    curve = LearningCurve()
    net = our_network(seed, epochs).set_callbacks(curve).fit(X, y)
    seconds = np.median(np.diff(curve.curves_["seconds"], prepend=0.0))
    return Result(net.score(X_test, y_test), float(seconds))


def torch_layers(widths: tuple[int, ...] = (32, 64, 128)) -> nn.Sequential:
    """Return the same layers in PyTorch."""
    n_channels = 24
    layers: list[nn.Module] = [nn.Conv2d(3, n_channels, 2), nn.ReLU()]
    for width in widths:
        for pool in (nn.MaxPool2d(2), None):
            layers.append(nn.Conv2d(n_channels, width, 3, padding=1))
            layers += [*([pool] if pool else []), nn.BatchNorm2d(width), nn.ReLU()]
            n_channels = width
    end = (nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Dropout(0.2))
    return nn.Sequential(*layers, *end, nn.Linear(n_channels, N_CLASSES))


class TorchNetwork(nn.Module):
    """The network in PyTorch, with the weights that ours starts from.

    The statistics of the training set, with which it standardizes and whitens, are
    those of ours as well.
    """

    def __init__(self, seed: int, X: np.ndarray, y: np.ndarray) -> None:
        super().__init__()
        self.layers = torch_layers()
        start = our_network(seed, 1).initialize(X, y)
        state = to_torch_state(start, like=self.layers.state_dict())
        self.layers.load_state_dict({k: torch.from_numpy(a) for k, a in state.items()})
        for layer in self.layers:
            if isinstance(layer, nn.BatchNorm2d):
                layer.eps, layer.momentum = EPSILON, 1 - MOMENTUM
        self.layers[0].weight.requires_grad_(False)
        weights = start.get_weights()
        self.mean, self.deviation = (
            torch.from_numpy(weights[f"standardize/{name}"])[:, None, None]
            for name in ("mean", "deviation")
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of images of shape (n, 3, height, width)."""
        return self.layers((images - self.mean) / self.deviation)


def augmented(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return images of which half are flipped, each shifted by some pixels."""
    n, _, height, width = images.shape
    flips = torch.rand(n, generator=generator) < 0.5
    images = torch.where(flips[:, None, None, None], images.flip(3), images)
    padded = nn.functional.pad(images, (PIXELS,) * 4, mode="reflect")
    top, left = torch.randint(0, 2 * PIXELS + 1, (2, n), generator=generator)
    rows = top[:, None] + torch.arange(height)
    columns = left[:, None] + torch.arange(width)
    every = torch.arange(n)[:, None, None]
    moved = padded.permute(0, 2, 3, 1)[every, rows[:, :, None], columns[:, None]]
    return moved.permute(0, 3, 1, 2)


def train_theirs(seed: int, epochs: int, data: tuple[np.ndarray, ...]) -> Result:
    """Train the network in PyTorch, at the rates of ours."""
    X, y, X_test, y_test = data
    network = TorchNetwork(seed, X, y)
    optimizer = torch.optim.AdamW(
        [w for w in network.parameters() if w.requires_grad], weight_decay=DECAY
    )
    criterion = nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    images = torch.from_numpy(X).permute(0, 3, 1, 2).float()
    labels = torch.from_numpy(y)
    generator = torch.Generator().manual_seed(seed)
    schedule, seconds = OneCycle().start(RATE, epochs), []
    for _ in range(epochs):
        start = time.perf_counter()
        minibatches = torch.randperm(len(X), generator=generator).split(BATCH)
        for number, index in enumerate(minibatches):
            schedule.update_begins(number, len(minibatches))
            optimizer.param_groups[0]["lr"] = schedule.rate
            optimizer.zero_grad()
            scores = network(augmented(images[index], generator))
            criterion(scores, labels[index]).backward()
            optimizer.step()
        schedule.epoch_ends(0.0, {})
        seconds.append(time.perf_counter() - start)
    network.eval()
    with torch.no_grad():
        scores = network(torch.from_numpy(X_test).permute(0, 3, 1, 2).float())
    accuracy = np.mean(scores.argmax(dim=1).numpy() == y_test)
    return Result(float(accuracy), float(np.median(seconds)))


NETWORKS = {"skconvnet": train_ours, "PyTorch": train_theirs}


def main(argv: list[str] | None = None) -> None:
    """Print the accuracies of both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FILE", required=True)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    args = parser.parse_args(argv)
    print_machine()
    data = load(args.data)
    print(f"\n{len(data[0])} images for training, {len(data[2])} for testing")
    results: dict[str, list[Result]] = {name: [] for name in NETWORKS}
    for seed in range(args.seeds):
        for name, train in NETWORKS.items():  # by turns
            results[name].append(train(seed, args.epochs, data))
    print(f"{'':12}{'accuracy in percent':>32}{'s per epoch':>14}")
    for name, own in results.items():
        percent = 100 * np.array([result.accuracy for result in own])
        cells = ", ".join(f"{value:.1f}" for value in percent)
        mean = f"{percent.mean():.2f} +- {percent.std():.2f}"
        seconds = np.median([result.seconds for result in own])
        print(f"{name:12}{mean + ' (' + cells + ')':>32}{seconds:14.1f}")


if __name__ == "__main__":
    main()
