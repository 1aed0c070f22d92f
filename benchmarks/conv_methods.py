"""Sweep convolutions, time every algorithm, and judge or fit the choice of "auto".

    python benchmarks/conv_methods.py --seconds 300 --seed 0 --csv sweep.csv
    python benchmarks/conv_methods.py --fit sweep.csv
    python benchmarks/conv_methods.py --tune sweep.csv
    python benchmarks/conv_methods.py --judge sweep.csv

The first times a forward and a backward pass of random shapes, on one thread in
float32, and writes a row for each. The second prints the factors of
`skconvnet/ops/convolution/cost_model.py` that fit those times. The third changes the
present factors at random, by up to two thirds, where that makes the choice better on
two thirds of the rows, and judges it on the others. The last says how often the model
as it is picks an algorithm that takes at most 1.15 times as long as the best.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time

import numpy as np
from _machine import print_machine
from scipy.optimize import nnls

from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.ops.convolution.cost_model import (
    FACTORS,
    FFTTerms,
    Im2colTerms,
    WinogradTerms,
)
from skconvnet.ops.convolution.selection import (
    ALGORITHMS,
    AlgorithmSelector,
    AnyAlgorithm,
)
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace

KERNELS = (1, 2, 3, 3, 3, 4, 5, 5, 7, 9, 11, 15, 21, 31)
CHANNELS = (1, 3, 8, 16, 32, 64, 128)
SIZES = (8, 12, 16, 24, 32, 48, 64, 128)
BATCHES = (1, 4, 16, 32, 64, 128)
FIELDS = ("ndim", "size", "kernel", "stride", "padding", "channels", "filters", "batch")
# A pass of more operations, or with larger maps, takes too long or too much memory.
MAX_OPERATIONS = 1e11
MAX_NUMBERS = 2e7
TERMS = {"im2col": Im2colTerms, "winograd": WinogradTerms, "fft": FFTTerms}


def draw(rng: np.random.Generator) -> dict | None:
    """Return a random convolution, or None where it is too large or does not fit."""
    ndim = int(rng.choice((1, 2, 2, 2, 2, 3)))
    size, kernel = int(rng.choice(SIZES)), int(rng.choice(KERNELS))
    if ndim == 1:
        size *= int(rng.choice((1, 4, 16)))
    if ndim == 3:
        size, kernel = min(size, 24), min(kernel, 7)
    case = {
        "ndim": ndim,
        "size": size,
        "kernel": kernel,
        "stride": int(rng.choice((1, 1, 1, 1, 2))),
        "padding": str(rng.choice(("valid", "same"))),
        "channels": int(rng.choice(CHANNELS)),
        "filters": int(rng.choice(CHANNELS)),
        "batch": int(rng.choice(BATCHES)),
    }
    if kernel > size:
        return None
    outputs = np.prod(windows_of(case).out_shape) * case["filters"] * case["batch"]
    inputs = size**ndim * case["channels"] * case["batch"]
    operations = 6 * outputs * case["channels"] * kernel**ndim
    fits = operations <= MAX_OPERATIONS and max(inputs, outputs) <= MAX_NUMBERS
    return case if fits else None


def windows_of(case: dict) -> Windows:
    """Return the windows of a case."""
    shape = (int(case["size"]),) * int(case["ndim"])
    kernel, stride = int(case["kernel"]), int(case["stride"])
    return sliding_windows(shape, kernel, stride, case["padding"])


def algorithm_of(
    case: dict, name: str, batch: int | None = None
) -> AnyAlgorithm | None:
    """Return the algorithm called `name`, or None if it cannot compute the case."""
    windows = windows_of(case)
    channels, filters = int(case["channels"]), int(case["filters"])
    try:
        selector = AlgorithmSelector(name, windows, channels, filters, 1)
    except ValueError:
        return None
    return selector.for_batch(int(case["batch"]) if batch is None else batch)


def measure(algorithm: AnyAlgorithm, batch: int, rng: np.random.Generator) -> float:
    """Return the median seconds of a forward and a backward pass."""
    windows = algorithm.windows
    x = rng.normal(size=(algorithm.channels, *windows.in_shape, batch))
    kernel = rng.normal(size=(algorithm.filters, algorithm.channels, *windows.kernel))
    x, kernel = x.astype(np.float32), kernel.astype(np.float32)
    workspace, dkernel = Workspace(), np.empty_like(kernel)
    dz = np.zeros((algorithm.filters, *algorithm.stored_shape, batch), dtype=np.float32)

    def run() -> float:
        start = time.perf_counter()
        _, cache = algorithm.forward(x, kernel, workspace, train=True)
        algorithm.backward(dz, cache, kernel, dkernel, workspace, need_dx=True)
        return time.perf_counter() - start

    run()
    repeats = int(np.clip(0.06 / run(), 2, 30))
    return float(np.median([run() for _ in range(repeats)]))


def sweep(seconds: float, seed: int, path: str) -> None:
    """Time random cases for so many seconds, and write them to a file."""
    rng = np.random.default_rng(seed)
    until = time.perf_counter() + seconds
    with open(path, "w", newline="") as file, single_threaded_blas.limited():
        writer = csv.DictWriter(file, [*FIELDS, *ALGORITHMS])
        writer.writeheader()
        while time.perf_counter() < until:
            case = draw(rng)
            if case is None:
                continue
            for name in ALGORITHMS:
                algorithm = algorithm_of(case, name)
                if algorithm is None or algorithm.cached_values * case["batch"] > 3e8:
                    case[name] = ""
                    continue
                case[name] = measure(algorithm, case["batch"], rng)
            writer.writerow(case)
            file.flush()


def read(path: str) -> list[dict]:
    """Return the cases that `sweep` wrote."""
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def fit(cases: list[dict]) -> None:
    """Print the factors that fit the times best."""
    for name in ALGORITHMS:
        timed = [case for case in cases if case[name] and algorithm_of(case, name)]
        terms = [
            algorithm_of(case, name).cost_terms(int(case["batch"])) for case in timed
        ]
        times = np.array([float(case[name]) * 1e6 for case in timed])
        # Relative errors count: the quotient with the true time should be 1.
        factors, _ = nnls(np.array(terms) / times[:, None], np.ones(len(times)))
        errors = np.array(terms) @ factors / times
        low, high = np.quantile(errors, (0.1, 0.9))
        print(f"{shown(name, factors)}  # {low:.2f} to {high:.2f} of the true time")


def shown(name: str, factors: np.ndarray) -> str:
    """Return the factors as they are written in the cost model."""
    return str(TERMS[name](*(float(f"{factor:.2g}") for factor in factors)))


class Sweep:
    """The times of a sweep, and the terms of the algorithms that "auto" compares.

    Attributes
    ----------
    times : ndarray of shape (cases, algorithms)
        Infinite where an algorithm was not timed.
    terms : list of ndarray of shape (cases, terms), one for each algorithm
        NaN where "auto" does not consider it.
    """

    def __init__(self, cases: list[dict]) -> None:
        self.times = np.full((len(cases), len(ALGORITHMS)), np.inf)
        self.terms = [
            np.full((len(cases), len(FACTORS[TERMS[name]])), np.nan)
            for name in ALGORITHMS
        ]
        for column, name in enumerate(ALGORITHMS):
            for row, case in enumerate(cases):
                self._read(row, column, name, case)

    def _read(self, row: int, column: int, name: str, case: dict) -> None:
        algorithm = algorithm_of(case, name)
        if algorithm is None or not case[name]:
            return
        self.times[row, column] = float(case[name])
        if name != "winograd" or int(case["kernel"]) > 1:
            self.terms[column][row] = algorithm.cost_terms(int(case["batch"]))

    def ratios(self, factors: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """Return the times of what these factors choose, over the best times."""
        pairs = zip(self.terms, factors, strict=True)
        costs = np.stack([terms[rows] @ f for terms, f in pairs], axis=1)
        chosen = np.where(np.isnan(costs), np.inf, costs).argmin(axis=1)
        return self.times[rows, chosen] / self.times[rows].min(axis=1)

    def score(self, factors: list[np.ndarray], rows: np.ndarray) -> float:
        """Return how good the choice is: mostly how often it is nearly the best."""
        ratios = self.ratios(factors, rows)
        return np.mean(ratios <= 1.15) - 0.3 * np.mean(np.log(ratios))


def tune(cases: list[dict]) -> None:
    """Print factors that choose better than the present ones."""
    rng = np.random.default_rng(0)
    present = [np.array(FACTORS[TERMS[name]]) for name in ALGORITHMS]
    timed = Sweep(cases)
    train, test = np.split(rng.permutation(len(cases)), [2 * len(cases) // 3])
    factors, best = present, timed.score(present, train)
    for _ in range(6000):
        changed = [
            f * np.exp(0.08 * rng.normal(size=f.shape) * (rng.random(f.shape) < 0.3))
            for f in factors
        ]
        pairs = zip(changed, present, strict=True)
        if max(np.abs(np.log(f / old)).max() for f, old in pairs) > 0.5:
            continue
        if timed.score(changed, train) >= best:
            factors, best = changed, timed.score(changed, train)
    for name, f in zip(ALGORITHMS, factors, strict=True):
        print(shown(name, f))
    for which, rows in (("tuned on", train), ("others", test)):
        share = np.mean(timed.ratios(factors, rows) <= 1.15)
        print(f"{which}: {len(rows)} points, within 1.15 of the best in {share:.1%}")


def judge(cases: list[dict]) -> None:
    """Print where "auto" chooses badly, and how often it does well."""
    ratios = []
    for case in cases:
        times = {
            name: float(case[name])
            for name in ALGORITHMS
            if case[name] and algorithm_of(case, name)
        }
        picked = type(algorithm_of(case, "auto"))
        name = next(name for name, cls in ALGORITHMS.items() if cls is picked)
        if name not in times:
            continue
        ratios.append(times[name] / min(times.values()))
        if ratios[-1] > 1.15:
            shown = {field: case[field] for field in FIELDS}
            milliseconds = {n: round(t * 1e3, 2) for n, t in times.items()}
            print(f"{ratios[-1]:.2f} {name} {shown} {milliseconds}")
    ratios = np.array(ratios)
    print(
        f"{len(ratios)} points: within 1.15 of the best in "
        f"{np.mean(ratios <= 1.15):.1%}, on average {np.mean(ratios):.3f}, at worst "
        f"{ratios.max():.2f}"
    )


def main() -> None:
    """Do what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", default="sweep.csv")
    parser.add_argument("--fit", nargs="+")
    parser.add_argument("--tune", nargs="+")
    parser.add_argument("--judge", nargs="+")
    arguments = parser.parse_args()
    actions = {"fit": fit, "tune": tune, "judge": judge}
    for name, action in actions.items():
        path_list = getattr(arguments, name)
        if path_list:
            action([case for path in path_list for case in read(path)])
            return
    print_machine()
    sweep(arguments.seconds, arguments.seed, arguments.csv)
    judge(read(arguments.csv))


if __name__ == "__main__":
    sys.exit(main())
