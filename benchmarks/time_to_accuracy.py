"""How long training takes to reach an accuracy on MNIST, here and in PyTorch.

    python benchmarks/time_to_accuracy.py [--data mnist.npz] [--accuracy 0.99]
                                          [--rounds 3] [--epochs 5]

Both train the same network from the same weights, on the same minibatches in the same
order, in float32, with Adam at the same rates, which fall by epochs in equal steps.
They take turns, one epoch each. After every epoch the accuracy on the last 10,000
images of the training set is measured, whose time does not count. The networks stop at
the first epoch with the accuracy that is asked for; then the test accuracy is measured
once. Printed are the seconds of training and the epochs, by round, and their medians.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from _machine import print_machine
from mnist import load, make_model, make_torch_model

from skconvnet import SequentialClassifier
from skconvnet.interop import to_torch_state

BATCH, RATE = 64, 2e-3
N_HELD_OUT = 10_000


class Contestant(NamedTuple):
    """A network in training.

    Attributes
    ----------
    train : callable
        ``train(order, rate)`` makes the updates of an epoch, given the order of the
        samples and the learning rate.
    accuracy : callable
        ``accuracy(X, y)``.
    """

    train: Callable[[np.ndarray, float], None]
    accuracy: Callable[[np.ndarray, np.ndarray], float]


def our_network(seed: int) -> SequentialClassifier:
    """Return the network of two convolutions, which is not trained."""
    return make_model("mbgd", seed, None).set_params(batch_size=BATCH, shuffle=False)


def ours(seed: int, X: np.ndarray, y: np.ndarray) -> Contestant:
    """Return our network, which `partial_fit` trains by epochs."""
    net = our_network(seed)
    classes = np.unique(y)

    def train(order: np.ndarray, rate: float) -> None:
        net.set_params(learning_rate_init=rate)
        net.partial_fit(X[order], y[order], classes=classes)

    return Contestant(train, net.score)


def theirs(seed: int, X: np.ndarray, y: np.ndarray) -> Contestant:
    """Return the network in PyTorch, with the weights that ours starts from."""
    net = make_torch_model()
    start = our_network(seed).initialize(X[:1000], y[:1000])
    state = to_torch_state(start, like=net.state_dict())
    net.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    loss = torch.nn.CrossEntropyLoss()

    def scaled(images: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(images).unsqueeze(1).float() / 255

    def train(order: np.ndarray, rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        for first in range(0, len(order), BATCH):
            index = order[first : first + BATCH]
            optimizer.zero_grad()
            loss(net(scaled(X[index])), torch.from_numpy(y[index])).backward()
            optimizer.step()

    def accuracy(X: np.ndarray, y: np.ndarray) -> float:
        with torch.no_grad():
            scores = [net(scaled(part)).numpy() for part in np.array_split(X, 10)]
        return float(np.mean(np.concatenate(scores).argmax(axis=1) == y))

    return Contestant(train, accuracy)


def race(
    seed: int, accuracy: float, epochs: int, digits: tuple[np.ndarray, ...]
) -> dict[str, tuple[float, int, float]]:
    """Return seconds, epochs and test accuracy of both, which take turns."""
    X, y, X_test, y_test = digits
    X_held_out, y_held_out = X[-N_HELD_OUT:], y[-N_HELD_OUT:]
    X, y = X[:-N_HELD_OUT], y[:-N_HELD_OUT]
    running = {"skconvnet": ours(seed, X, y), "PyTorch": theirs(seed, X, y)}
    seconds = dict.fromkeys(running, 0.0)
    finished: dict[str, tuple[float, int, float]] = {}
    rng = np.random.default_rng(seed)
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(X))
        rate = RATE * (1 - (epoch - 1) / epochs)
        for name in [name for name in running if name not in finished]:
            start = time.perf_counter()
            running[name].train(order, rate)
            seconds[name] += time.perf_counter() - start
            if running[name].accuracy(X_held_out, y_held_out) >= accuracy:
                test = running[name].accuracy(X_test, y_test)
                finished[name] = seconds[name], epoch, test
    for name in running:
        finished.setdefault(name, (np.inf, epochs, np.nan))
    return finished


def main(argv: list[str] | None = None) -> None:
    """Print the seconds of each round, and their medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, metavar="FILE", help="an .npz file")
    parser.add_argument("--accuracy", type=float, default=0.99)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=5, help="at most")
    args = parser.parse_args(argv)
    print_machine()
    digits = load(args.data)
    rounds = [
        race(seed, args.accuracy, args.epochs, digits) for seed in range(args.rounds)
    ]
    print(f"\nuntil {args.accuracy:.1%} of the images held out are right")
    print(f"{'':12}{'seed':>5}{'seconds':>9}{'epochs':>8}{'test accuracy':>15}")
    for seed, results in enumerate(rounds):
        for name, (seconds, epochs, test) in results.items():
            print(f"{name:12}{seed:5}{seconds:9.1f}{epochs:8}{test:15.4f}")
    for name in rounds[0]:
        median = np.median([results[name][0] for results in rounds])
        print(f"{name:12}{'median':>5}{median:8.1f}")


if __name__ == "__main__":
    main()
