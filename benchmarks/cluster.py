"""Time updates on workers of Dask, beside a model of what they cost.

    python benchmarks/cluster.py [--workers 1 2 3 4] [--batch 1024] [--epochs 4]
                                     [--gigabits 10]

Two networks are trained on random images of 28x28, in eight shards, by local workers
with one thread each. The model has four numbers, which are measured first: the time of
a sample in one process with one thread, the time of a task and that of a round of tasks
that depend on each other, both without any work, and the time to move a megabyte from
one worker to another. Printed are the measured and the modeled time of an update by the
number of workers, and what the model says of 16 and 64 machines that are connected by
--gigabits.

The processes share the CPUs of one machine, so the computation is divided by the number
of workers or of CPUs, whichever is less.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from typing import NamedTuple

import numpy as np
from _machine import print_machine
from distributed import Client, LocalCluster, wait

from skconvnet import ConvNetClassifier
from skconvnet.callbacks import LearningCurve
from skconvnet.distributed import fit

N_SHARDS = 8
N_IMAGES = 8192
NETWORKS = {
    "convolutions of 20 and 40": {"hidden_layer_sizes": (100,)},
    "the same, dense 1000, 1000": {"hidden_layer_sizes": (1000, 1000)},
}


class Costs(NamedTuple):
    """What the model consists of, in seconds.

    Attributes
    ----------
    sample : float
        The forward and backward pass of a sample, on one thread.
    task : float
        The scheduler's time for a task.
    round : float
        A task that depends on another one, until its result is known.
    megabyte : float
        To move a megabyte from one worker to another.
    """

    sample: float
    task: float
    round: float
    megabyte: float


def make_network(name: str, batch: int, epochs: int) -> ConvNetClassifier:
    """Return a network whose fit makes a known number of updates."""
    return ConvNetClassifier(
        (20, 40),
        kernel_size=5,
        batch_norm=False,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=np.inf,
        dtype="float32",
        random_state=0,
        n_jobs=1,
        **NETWORKS[name],
    )


def seconds_per_update(
    model: ConvNetClassifier, images: np.ndarray, labels: np.ndarray, **how: object
) -> float:
    """Return the median over the epochs after the first one."""
    curve = LearningCurve()
    model.set_callbacks(curve)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if how.pop("plain", False):
            model.fit(images, labels)
        else:
            shards = zip(
                np.array_split(images, N_SHARDS),
                np.array_split(labels, N_SHARDS),
                strict=True,
            )
            fit(model, list(shards), **how)
    ends = curve.curves_["seconds"]
    n_updates = -(-len(images) // model.batch_size)
    return float(np.median(np.diff(ends))) / n_updates


def _nothing(*_: object) -> int:
    return 0


def _array(n_bytes: int) -> np.ndarray:
    return np.zeros(n_bytes, np.uint8)


def measure_costs(client: Client, sample: float) -> Costs:
    """Measure what a task costs, given the time of a sample."""
    n = 200
    client.gather(client.map(_nothing, range(n), pure=False))
    start = time.perf_counter()
    client.gather(client.map(_nothing, range(n), pure=False))
    task = (time.perf_counter() - start) / n
    rounds = []
    for _ in range(20):
        start = time.perf_counter()
        client.submit(_nothing, pure=False).result()
        rounds.append(time.perf_counter() - start)
    one, *others = list(client.scheduler_info()["workers"])
    megabyte = 0.0
    if others:
        n_bytes = 32_000_000
        own = client.submit(_array, n_bytes, workers=[one], pure=False)
        wait(own)
        start = time.perf_counter()
        client.submit(_nothing, own, workers=[others[0]], pure=False).result()
        moved = time.perf_counter() - start - float(np.median(rounds))
        megabyte = moved / (n_bytes / 1e6)
    return Costs(sample, task, float(np.median(rounds)), megabyte)


def modeled(
    costs: Costs, megabytes: float, batch: int, n_workers: int, n_cpus: int
) -> float:
    """Return the seconds of an update.

    Every worker computes its share of the minibatch. The weights are sent to each
    worker, one after the other, by the scheduler. Gradients of a worker's own shards
    are added where they are; then they move in as many rounds as the tree of the
    workers is high, and the last sum to the client.
    """
    computed = costs.sample * batch / min(n_workers, n_cpus)
    n_tasks = 1 + N_SHARDS + (N_SHARDS - 1)
    height = int(np.ceil(np.log2(max(N_SHARDS, n_workers))))
    moves = n_workers + int(np.ceil(np.log2(n_workers))) + 1
    return (
        computed
        + max(n_tasks, 2 * n_workers) * costs.task
        + (2 + height) * costs.round
        + moves * megabytes * costs.megabyte
    )


def main(argv: list[str] | None = None) -> int:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3, 4])
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--images", type=int, default=N_IMAGES)
    parser.add_argument("--gigabits", type=float, default=10.0)
    args = parser.parse_args(argv)
    print_machine()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (args.images, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, args.images)
    n_cpus = len(os.sched_getaffinity(0))
    for name in NETWORKS:
        model = make_network(name, args.batch, args.epochs)
        alone = seconds_per_update(model, images, labels, plain=True)
        both = make_network(name, args.batch, args.epochs).set_params(n_jobs=-1)
        threads = seconds_per_update(both, images, labels, plain=True)
        here = seconds_per_update(model, images, labels)
        megabytes = model.network_.vector.nbytes / 1e6
        print(
            f"\n{name}: {megabytes:.1f} MB of weights, batch {args.batch}\n"
            f"fit: {alone:.3f} s per update with one thread, {threads:.3f} s with "
            f"{n_cpus}; distributed.fit without a client: {here:.3f} s\n"
        )
        print("| workers | measured | modeled | times as fast as one thread |")
        print("| --- | --- | --- | --- |")
        costs = None
        for n in args.workers:
            with (
                LocalCluster(
                    n_workers=n, threads_per_worker=1, dashboard_address=":0"
                ) as cluster,
                Client(cluster) as client,
            ):
                own = measure_costs(client, alone / args.batch)
                costs = own if costs is None or own.megabyte else costs
                seconds = seconds_per_update(model, images, labels, client=client)
            guess = modeled(own, megabytes, args.batch, n, n_cpus)
            print(f"| {n} | {seconds:.3f} | {guess:.3f} | {alone / seconds:.2f} |")
        assert costs is not None
        print(
            f"\na sample {1e6 * costs.sample:.0f} us, a task {1e3 * costs.task:.2f} ms,"
            f" a round {1e3 * costs.round:.1f} ms, a megabyte "
            f"{1e3 * costs.megabyte:.2f} ms"
        )
        costs = costs._replace(megabyte=8e6 / (args.gigabits * 1e9))
        for n in (16, 64):
            for batch in (args.batch, 16 * args.batch):
                guess = modeled(costs, megabytes, batch, n, n)
                speed = costs.sample * batch / guess
                print(
                    f"{n} machines, {args.gigabits:g} Gb/s, batch {batch}: "
                    f"{guess:.3f} s, {speed:.1f} times one thread"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
