"""Train on more images than memory holds, and measure the peak of memory.

    python benchmarks/larger_than_memory.py [--gigabytes 20] [--folder DIR]

A file of color images of 64x64 is made in a temporary folder in DIR. It is sparse: one
image in a thousand has random pixels, and all others are holes, which take no room on
the disk, but are read like any other. A small network is trained for an epoch, in a
process of its own, on the file through a `ShardedArray`: given its path, a memory map,
and at first as many of the images as have 100 MB, also from an array in memory. Printed
are the peak of the process's memory, Python and all packages included, and the images
per second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from _machine import print_machine

SHAPE = (64, 64, 3)
EVERY = 1000
FEW = 100_000_000
MEASURE = """
import json, resource, sys, time, warnings
import numpy as np
from skconvnet import SequentialClassifier
from skconvnet.layers import AvgPool2D, Conv2D, Dense, Flatten, Rescaling
from skconvnet.shards import ShardedArray

path, n, kind = sys.argv[1], int(sys.argv[2]), sys.argv[3]
X = {
    "array": lambda: np.load(path, mmap_mode="r")[:n].copy(),
    "memory map": lambda: ShardedArray(np.load(path, mmap_mode="r"))[:n],
    "path": lambda: ShardedArray(path)[:n],
}[kind]()
y = np.arange(n) % 2
layers = [
    Rescaling(1 / 255), AvgPool2D(4), Conv2D(8, 3, activation="relu"),
    Flatten(), Dense(16, activation="relu"),
]
clf = SequentialClassifier(
    layers, max_iter=1, batch_size=256, dtype="float32", random_state=0
)
warnings.simplefilter("ignore")
start = time.perf_counter()
clf.fit(X, y)
seconds = time.perf_counter() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps([peak, n / seconds]))
"""


def make_file(path: Path, n_images: int) -> None:
    """Write a sparse .npy file."""
    images = np.lib.format.open_memmap(path, "w+", np.uint8, (n_images, *SHAPE))
    rng = np.random.default_rng(0)
    for i in range(0, n_images, EVERY):
        images[i] = rng.integers(0, 256, SHAPE)
    images.flush()


def measure(path: Path, n_images: int, kind: str) -> tuple[float, float]:
    """Return the peak in megabytes, and the images per second of an epoch."""
    command = [sys.executable, "-c", MEASURE, str(path), str(n_images), kind]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, speed = json.loads(done.stdout)
    return float(peak), float(speed)


def main(argv: list[str] | None = None) -> int:
    """Print a row for each way to pass the images."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gigabytes", type=float, default=20)
    parser.add_argument("--folder", type=Path, default=None)
    args = parser.parse_args(argv)
    print_machine()
    bytes_per_image = int(np.prod(SHAPE))
    n_images = int(args.gigabytes * 1e9 / bytes_per_image)
    n_few = min(FEW // bytes_per_image, n_images)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "images.npy"
        make_file(path, n_images)
        used = path.stat().st_blocks * 512 / 1e9
        print(f"{n_images:,} images, {args.gigabytes:g} GB, {used:.2f} on the disk\n")
        print("| X | images | peak in MB | images per second |")
        print("| --- | --- | --- | --- |")
        cases = [("array", n_few), ("path", n_few)]
        cases += [("path", n_images), ("memory map", n_images)]
        for kind, n in cases:
            peak, speed = measure(path, n, kind)
            print(f"| {kind} | {n:,} | {peak:.0f} | {speed:,.0f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
