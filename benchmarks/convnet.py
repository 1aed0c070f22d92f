"""Compare training of small networks with a plain PyTorch loop and skorch's fit.

    python benchmarks/convnet.py [--rounds 7] [--networks digits mnist cifar]
                                 [--csv convnet.csv] [--plot convnet.png]
    python benchmarks/convnet.py --check

All take turns in one run, each after a pause in which the threads of the previous one
go to sleep. PyTorch's loop has its fused Adam, and is timed in both layouts of memory
that it has for images. The table has medians in microseconds per sample and epoch: of
our training steps, of our `fit`, which is its epochs with everything else that a fit
does, of PyTorch's loop, and of skorch's fit. The ratios are medians over the rounds:
PyTorch's time, in the better layout of each round, and skorch's divided by that of our
`fit`. Without PyTorch or skorch their columns are left out. With --check nothing is
timed: a step's loss and gradients are compared with PyTorch's.
"""

from __future__ import annotations

import argparse
import csv
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from _machine import machine_title, print_machine
from _timing import take_turns
from _torch_networks import (
    RATE,
    NeuralNetClassifier,
    channels_first,
    disagreement,
    layouts_of,
    skorch_network,
    torch,
    torch_network,
)
from networks import N_CLASSES, NETWORKS, data, our_network

from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.losses import LogLoss
from skconvnet.optimizers import Adam
from skconvnet.schedules import Constant
from skconvnet.training.loop import train
from skconvnet.training.state import Settings, TrainingState

FIT_EPOCHS = {"digits": 4, "mnist": 2, "text": 4, "transformer": 4, "lstm": 4, "gru": 4}
# Relative, for sums that are formed in another order.
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}


def our_epoch(
    name: str, X: np.ndarray, y: np.ndarray, batch: int, n_jobs: int | None
) -> Callable[[], None]:
    """Return a function that trains on all of X once."""
    model = our_network(name)
    network = model.initialize(X, y).network_
    targets = np.eye(N_CLASSES, dtype=np.float32)[y]
    samples = Samples(Inputs(X, network.in_shape, network.dtype), targets)
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
    state = TrainingState(Adam(), Constant().start(RATE, n_epochs=1))
    rng = np.random.RandomState(0)
    engine = Executor(network, LogLoss(), resolve_n_threads(n_jobs))

    def run() -> None:
        # BLAS is held to one thread only meanwhile: fits of others take their turns.
        with engine:
            train(engine, samples, state, settings, rng)

    return run


def torch_epoch(
    name: str, X: np.ndarray, y: np.ndarray, batch: int, layout: str
) -> Callable[[], None]:
    """Return a function that trains on all of X once."""
    model = torch_network(name)
    inputs, targets = torch.from_numpy(channels_first(X)), torch.from_numpy(y)
    if layout == "channels_last":
        model = model.to(memory_format=torch.channels_last)
        inputs = inputs.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE, fused=True)
    loss_function = torch.nn.CrossEntropyLoss()

    def run() -> None:
        order = torch.randperm(len(inputs))
        for index in order.split(batch):
            optimizer.zero_grad()
            loss_function(model(inputs[index]), targets[index]).backward()
            optimizer.step()

    return run


def fits(
    name: str, X: np.ndarray, y: np.ndarray, batch: int, n_jobs: int | None
) -> tuple[dict[str, Callable[[], object]], int]:
    """Return functions that fit ours and skorch's estimator, and their epochs."""
    epochs = FIT_EPOCHS.get(name, 1)
    params = {"batch_size": batch, "max_iter": epochs, "n_jobs": n_jobs}
    runs = {"fit": lambda: our_network(name, **params).fit(X, y)}
    if NeuralNetClassifier is not None:
        inputs = channels_first(X)
        runs["skorch"] = lambda: skorch_network(name, epochs, batch).fit(inputs, y)
    return runs, epochs


def compare(name: str, batch: int, rounds: int, n_jobs: int | None) -> dict:
    """Let the contestants take turns, and return medians."""
    n = NETWORKS[name].n_samples
    X, y = data(name, n)
    runs: dict[str, Callable[[], object]] = {}
    runs["steps"] = our_epoch(name, X, y, batch, n_jobs)
    layouts = layouts_of(X) if torch is not None else ()
    for layout in layouts:
        runs[layout] = torch_epoch(name, X, y, batch, layout)
    whole, epochs = fits(name, X, y, batch, n_jobs)
    runs |= whole
    # Microseconds per sample.
    times = {
        key: seconds / (n * (epochs if key in whole else 1)) * 1e6
        for key, seconds in take_turns(runs, rounds).items()
    }
    row: dict = {"network": name, "batch": batch}
    for key in ("steps", "fit", "contiguous", "channels_last", "skorch"):
        row[key] = float(np.median(times[key])) if key in times else ""
    peers = {"skorch": times["skorch"]} if "skorch" in times else {}
    if layouts:
        peers["PyTorch"] = np.minimum.reduce([times[layout] for layout in layouts])
    for key, theirs in peers.items():
        row[f"{key}/fit"] = float(np.median(theirs / times["fit"]))
    return row


def plot(rows: list[dict], path: Path) -> None:
    """Draw the ratios, a group of bars for each network and batch size."""
    import matplotlib.pyplot as plt

    ratios = [key for key in rows[0] if "/" in key]
    figure, axes = plt.subplots(figsize=(11, 5), layout="constrained")
    places = np.arange(len(rows))
    for i, key in enumerate(ratios):
        width = 0.8 / len(ratios)
        axes.bar(places + i * width, [row[key] for row in rows], width, label=key)
    axes.axhline(1, color="black", linewidth=0.8)
    labels = [f"{row['network']}, {row['batch']}" for row in rows]
    axes.set_xticks(places + 0.4 - 0.4 / max(len(ratios), 1), labels)
    axes.tick_params("x", rotation=90)
    axes.set_yscale("log", base=2)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("peer's time / ours")
    axes.set_title(machine_title(), fontsize="small")
    axes.legend()
    figure.savefig(path, dpi=120)


def check() -> int:
    """Compare all networks with PyTorch's; return the number that differ."""
    if torch is None:
        sys.exit('--check needs PyTorch: pip install -e ".[bench]"')
    print("relative differences of the loss and of the gradients, by dtype")
    print(f"{'network':<12}" + "".join(f"{dtype:>20}" for dtype in TOLERANCES))
    n_wrong = 0
    for name in NETWORKS:
        row, is_wrong = f"{name:<12}", False
        for dtype, tolerance in TOLERANCES.items():
            of_loss, of_gradients = disagreement(name, dtype)
            row += f"{of_loss:>11.1e}{of_gradients:>9.1e}"
            is_wrong |= of_loss > tolerance
        # Gradients in float32 jump where rounding takes a value over an edge.
        n_wrong += is_wrong or of_gradients > tolerance
        print(row, flush=True)
    return n_wrong


def main(argv: list[str] | None = None) -> int:
    """Print the table, or compare gradients."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--networks", nargs="+", choices=list(NETWORKS), default=list(NETWORKS)
    )
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--jobs", type=int, default=None, help="our threads")
    parser.add_argument("--csv", type=Path, help="write the table here too")
    parser.add_argument("--plot", type=Path, help="draw the ratios here")
    parser.add_argument("--check", action="store_true", help="compare gradients")
    args = parser.parse_args(argv)
    print_machine()
    if args.check:
        return check()
    warnings.simplefilter("ignore")
    print("microseconds per sample, float32")
    rows = []
    for name in args.networks:
        for batch in args.batches:
            row = compare(name, batch, args.rounds, args.jobs)
            if not rows:
                print("".join(f"{key:>19}" for key in row))
            cells = (f"{v:.2f}" if isinstance(v, float) else v for v in row.values())
            print("".join(f"{cell:>19}" for cell in cells))
            sys.stdout.flush()
            rows.append(row)
    if args.csv:
        with args.csv.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    if args.plot:
        plot(rows, args.plot)
    return 0


if __name__ == "__main__":
    sys.exit(main())
