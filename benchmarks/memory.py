"""Measure what fit needs in memory besides the data, by batch size.

    python benchmarks/memory.py [--network mnist] [--samples 20000] [--plot memory.png]
                                [--torch]

Each batch size, and the full batch as one update, is fitted for an epoch in a process
of its own; the figure is the growth of the process's peak during fit. With --torch, an
epoch of a training loop in PyTorch is measured in the same way.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from _machine import print_machine

BATCHES = [32, 128, 512, 2048]
MEASURE = """
import json, resource, sys, warnings
warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from networks import data, our_network

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

name, n, batch = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
X, y = data(name, n)
our_network(name, max_iter=1, batch_size=16).fit(X[:64], y[:64])
before = peak()
our_network(name, max_iter=1, batch_size=batch).fit(X, y)
print(json.dumps(peak() - before))
"""

MEASURE_TORCH = """
import json, resource, sys
sys.path.insert(0, sys.argv[1])
import torch
from _torch_networks import channels_first, torch_network
from networks import data

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

name, n, batch = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
X, y = data(name, n)
X, y = torch.from_numpy(channels_first(X)), torch.from_numpy(y).long()
model = torch_network(name)
optimizer = torch.optim.Adam(model.parameters(), fused=True)

def step(samples):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(X[samples]), y[samples]).backward()
    optimizer.step()

step(slice(16))
before = peak()
for start in range(0, n, batch):
    step(slice(start, start + batch))
print(json.dumps(peak() - before))
"""


def growth(network: str, n_samples: int, batch: int, measure: str = MEASURE) -> float:
    """Return the megabytes that the peak grows by in an epoch."""
    here = str(Path(__file__).parent)
    arguments = [here, network, str(n_samples), str(batch)]
    command = [sys.executable, "-c", measure, *arguments]
    return json.loads(subprocess.check_output(command))


def main(argv: list[str] | None = None) -> int:
    """Print the growth for each batch size, and draw it where asked to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="mnist")
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--torch", action="store_true")
    args = parser.parse_args(argv)
    print_machine()
    batches = [*BATCHES, args.samples]
    megabytes = []
    for batch in batches:
        megabytes.append(growth(args.network, args.samples, batch))
        line = f"batch {batch:>6}: {megabytes[-1]:6.1f} MB"
        if args.torch:
            theirs = growth(args.network, args.samples, batch, MEASURE_TORCH)
            line += f", PyTorch {theirs:6.1f} MB"
        print(line, flush=True)
    if args.plot:
        import matplotlib.pyplot as plt

        figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
        axes.plot(batches, megabytes, marker="o")
        axes.set_xscale("log")
        axes.set_ylim(0)
        axes.set_xlabel("samples of an update")
        axes.set_ylabel("peak of fit, MB")
        axes.set_title(f"{args.network}, {args.samples} samples")
        figure.savefig(args.plot, dpi=120)
    return 0


if __name__ == "__main__":
    sys.exit(main())
