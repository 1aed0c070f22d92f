"""Time both algorithms of random transposed convolutions, and judge the choice.

    python benchmarks/transposed_methods.py [--seconds 150] [--seed 0] [--rows]

A row is the time of a forward and a backward pass with strides, on one thread in
float32: by col2im, by phases, and by the one that a layer chooses.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from _machine import print_machine

from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.ops.convolution.transposed import (
    AnyTransposedAlgorithm,
    TransposedAlgorithmSelector,
    transposed_windows,
)
from skconvnet.ops.workspace import Workspace

CHANNELS = (3, 8, 16, 32, 64, 128)
FILTERS = (1, 3, 8, 16, 32, 64)
BATCHES = (8, 16, 32, 64)
LARGEST_SIZES = {1: 200, 2: 25, 3: 9}
LARGEST_KERNELS = {1: 7, 2: 7, 3: 4}
# A pass of more operations takes too long.
MAX_OPERATIONS = 6e9
REPEATS = 9
GOOD = 1.15


def draw(rng: np.random.Generator) -> dict[str, int]:
    """Return a random convolution with kernels that overlap."""
    ndim, stride = int(rng.choice((1, 2, 2, 2, 3))), int(rng.choice((2, 2, 2, 3)))
    return {
        "ndim": ndim,
        "stride": stride,
        "kernel": int(rng.integers(stride + 1, LARGEST_KERNELS[ndim] + 1)),
        "channels": int(rng.choice(CHANNELS)),
        "filters": int(rng.choice(FILTERS)),
        "size": int(rng.integers(4, LARGEST_SIZES[ndim])),
        "batch": int(rng.choice(BATCHES)),
    }


def seconds(algorithm: AnyTransposedAlgorithm, case: dict[str, int]) -> float:
    """Return the median time of a forward and a backward pass."""
    rng, workspace = np.random.default_rng(0), Workspace()
    size, taps = (case["size"],) * case["ndim"], (case["kernel"],) * case["ndim"]
    x = rng.random((case["channels"], *size, case["batch"]), dtype=np.float32)
    kernel = rng.random((case["channels"], case["filters"], *taps), dtype=np.float32)
    bias, dkernel = np.zeros(case["filters"], np.float32), np.empty_like(kernel)
    times = []
    for _ in range(REPEATS + 2):
        start = time.perf_counter()
        z, cache = algorithm.forward(x, kernel, bias, workspace, train=True)
        dz = algorithm.gradient_buffer(z, workspace)
        if dz is not z:
            np.copyto(algorithm.crop_to_outputs(dz), z)
        algorithm.backward(dz, cache, kernel, dkernel, workspace, need_dx=True)
        times.append(time.perf_counter() - start)
    return float(np.median(times[2:]))


def measure(case: dict[str, int]) -> tuple[float, float, float] | None:
    """Return the times of col2im, of phases, and of the one that is chosen."""
    size = (case["size"],) * case["ndim"]
    windows = transposed_windows(size, case["kernel"], case["stride"], "same")
    selector = TransposedAlgorithmSelector(
        windows, case["channels"], case["filters"], groups=1
    )
    work = case["channels"] * case["filters"] * case["batch"] * windows.size
    if selector.phases is None or 6 * work * np.prod(size) > MAX_OPERATIONS:
        return None
    col2im = seconds(selector.col2im, case)
    phases = seconds(selector.phases, case)
    is_phases = selector.for_batch(case["batch"]) is selector.phases
    return col2im, phases, phases if is_phases else col2im


def main(argv: list[str] | None = None) -> int:
    """Print the rows, if asked for, and how good the choices are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", action="store_true", help="print each case")
    args = parser.parse_args(argv)
    print_machine()
    rng, rows = np.random.default_rng(args.seed), []
    end = time.perf_counter() + args.seconds
    with single_threaded_blas.limited():
        while time.perf_counter() < end or not rows:
            case = draw(rng)
            times = measure(case)
            if times is None:
                continue
            rows.append(times)
            if args.rows:
                shown = ", ".join(f"{t * 1e3:.2f}" for t in times)
                print(f"{case}: {shown} ms", flush=True)
    col2im, phases, chosen = np.array(rows).T
    over_best = chosen / np.minimum(col2im, phases)
    gain = np.exp(np.log(col2im / chosen).mean())
    print(
        f"{len(rows)} convolutions: within {GOOD} of the best "
        f"{np.mean(over_best <= GOOD):.1%}, on average {over_best.mean():.3f} times, "
        f"at worst {over_best.max():.2f} times the best; phases chosen for "
        f"{np.mean(chosen != col2im):.0%}; col2im alone takes {gain:.2f} times as "
        f"long (geometric mean), at most {np.max(col2im / chosen):.1f} times"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
