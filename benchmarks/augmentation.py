"""Time each augmentation compared with a training step, on one thread.

    python benchmarks/augmentation.py [--rounds 7] [--networks mnist digits cifar]

For each network and batch, one training step as it is and with each augmentation take
turns. The table has medians over the rounds of CPU times, in microseconds per sample:
what an augmentation takes by itself, the step with it, and the first as a share of the
step without any.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
from _machine import print_machine
from networks import N_CLASSES, NETWORKS, data, our_network

from skconvnet.augmentation import (
    Affine,
    Augmentation,
    Brightness,
    Compose,
    Contrast,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Mixup,
    Rotation,
    Scaling,
    Shear,
    Shift,
)
from skconvnet.augmentation.base import Batch
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.losses import LogLoss
from skconvnet.ops.layout import map_shape
from skconvnet.ops.workspace import Workspace
from skconvnet.optimizers import Adam

AUGMENTATIONS: list[Augmentation] = [
    Shift(2),
    Crop(2),
    Flip(),
    Rotation(10),
    Scaling(0.1),
    Shear(10),
    Affine(rotation=10, scaling=0.1, shear=10, shift=2),
    Elastic(),
    Brightness(),
    Contrast(),
    Cutout(4),
    Mixup(),
    Compose([Affine(rotation=10, shift=2), Elastic(), Brightness(), Cutout(4)]),
]
BATCHES = (32, 128)
# Seconds that each measurement lasts, about.
_DURATION = 0.05


def training_step(
    name: str, batch: int, augmentation: Augmentation | None
) -> Callable[[], None]:
    """Return a function that makes one update on one thread."""
    X, y = data(name, 4 * batch)
    model = our_network(name)
    network = model.initialize(X, y).network_
    samples = Samples(
        Inputs(X, network.in_shape, np.float32), np.eye(N_CLASSES, dtype=np.float32)[y]
    )
    augmenter = augmentation.build(network.in_shape) if augmentation else None
    engine = Executor(network, LogLoss(), 1, augmenter)
    gradient, optimizer = np.empty_like(network.vector), Adam()
    rng = np.random.default_rng(0)

    def step() -> None:
        index = rng.integers(0, len(X), batch)
        seed = int(rng.integers(2**31))
        with engine:
            engine.loss_and_gradient(samples, index, gradient, train=True, seed=seed)
            optimizer.step(network.vector, gradient, 1e-4)

    return step


def alone(name: str, batch: int, augmentation: Augmentation) -> Callable[[], None]:
    """Return a function that augments the parts of one minibatch, as a step does."""
    X, y = data(name, 64)
    network = our_network(name).initialize(X, y).network_
    n_parts = -(-batch // network.micro_batch_size(batch))
    size = -(-batch // n_parts)
    rng = np.random.Generator(np.random.SFC64(0))
    shape = map_shape(network.in_shape, size)
    x = rng.standard_normal(shape, dtype=np.float32)
    part = Batch(x, np.zeros((size, N_CLASSES), dtype=np.float32).T, 1 / batch)
    augmenter, workspace = augmentation.build(network.in_shape), Workspace()
    assert augmenter is not None

    def augment() -> None:
        for _ in range(n_parts):
            augmenter(part, rng, workspace)

    return augment


def seconds(call: Callable[[], None]) -> float:
    """Return the mean CPU time of a call, over some tens of milliseconds."""
    n_calls, start = 0, time.thread_time()
    while True:
        call()
        n_calls += 1
        passed = time.thread_time() - start
        if passed > _DURATION:
            return passed / n_calls


def measure(name: str, batch: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return medians in microseconds per sample: (by itself, step) for each."""
    labels = [type(augmentation).__name__ for augmentation in AUGMENTATIONS]
    calls = {("none", "step"): training_step(name, batch, None)}
    for label, augmentation in zip(labels, AUGMENTATIONS, strict=True):
        calls[label, "step"] = training_step(name, batch, augmentation)
        calls[label, "alone"] = alone(name, batch, augmentation)
    times: dict[tuple[str, str], list[float]] = {key: [] for key in calls}
    for call in calls.values():
        call()
    for _ in range(rounds):
        for key, call in calls.items():
            times[key].append(seconds(call))
    medians = {key: 1e6 * statistics.median(t) / batch for key, t in times.items()}
    table = {
        label: (medians[label, "alone"], medians[label, "step"]) for label in labels
    }
    return {"none": (0.0, medians["none", "step"]), **table}


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--networks", nargs="+", default=["mnist"], choices=list(NETWORKS)
    )
    args = parser.parse_args(argv)
    print_machine()
    print("| network | batch | augmentation | by itself | step with it | share |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in args.networks:
        for batch in BATCHES:
            table = measure(name, batch, args.rounds)
            step = table["none"][1]
            for label, (itself, with_it) in table.items():
                print(
                    f"| {name} | {batch} | {label} | {itself:.1f} | {with_it:.1f} | "
                    f"{100 * itself / step:.0f} % |"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
