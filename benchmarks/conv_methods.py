"""Sweep convolutions, time every method, and judge or fit the choice of "auto".

    python benchmarks/conv_methods.py --seconds 300 --seed 0 --csv sweep.csv
    python benchmarks/conv_methods.py --fit sweep.csv
    python benchmarks/conv_methods.py --tune sweep.csv
    python benchmarks/conv_methods.py --judge sweep.csv

The first times a forward and a backward pass of random shapes, on one thread in
float32, and writes a row for each. The second prints the factors of the cost model in
`skconvnet/ops/method.py` that fit those times; the third changes the model's present
factors at random, by up to two thirds, where that makes its choice better on two thirds
of the rows, and judges it on the others; the last says how often the model as it stands
picks a method within 1.15 times of the best.
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
from skconvnet.ops.convolution.selection import _FACTORS, METHODS, Methods, cost_terms
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace

KERNELS = (1, 2, 3, 3, 3, 4, 5, 5, 7, 9, 11, 15, 21, 31)
CHANNELS = (1, 3, 8, 16, 32, 64, 128)
SIZES = (8, 12, 16, 24, 32, 48, 64, 128)
BATCHES = (1, 4, 16, 32, 64, 128)
FIELDS = ("ndim", "size", "kernel", "stride", "padding", "channels", "filters", "batch")
# A pass of more operations, or with larger maps, takes too long or too much memory.
MAX_OPERATIONS = 1e11
MAX_NUMBERS = 2e7


def draw(rng: np.random.Generator) -> dict | None:
    """A random convolution, or None where it is too large or does not fit."""
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


def windows_of(case: dict):
    shape = (int(case["size"]),) * int(case["ndim"])
    kernel, stride = int(case["kernel"]), int(case["stride"])
    return sliding_windows(shape, kernel, stride, case["padding"])


def method_of(case: dict, name: str, batch: int | None = None):
    """The method called `name`, or None where it is not for the case."""
    windows = windows_of(case)
    channels, filters = int(case["channels"]), int(case["filters"])
    try:
        methods = Methods(name, windows, channels, filters, 1)
    except ValueError:
        return None
    return methods.for_batch(int(case["batch"]) if batch is None else batch)


def measure(method, batch: int, rng: np.random.Generator) -> float:
    """Median seconds of a forward and a backward pass."""
    windows = method.windows
    x = rng.normal(size=(method.channels, *windows.in_shape, batch))
    kernel = rng.normal(size=(method.filters, method.channels, *windows.kernel))
    x, kernel = x.astype(np.float32), kernel.astype(np.float32)
    workspace, dkernel = Workspace(), np.empty_like(kernel)
    dz = np.zeros((method.filters, *method.shape, batch), dtype=np.float32)

    def run() -> float:
        start = time.perf_counter()
        _, cache = method.forward(x, kernel, workspace, train=True)
        method.backward(dz, cache, kernel, dkernel, workspace, need_dx=True)
        return time.perf_counter() - start

    run()
    repeats = int(np.clip(0.06 / run(), 2, 30))
    return float(np.median([run() for _ in range(repeats)]))


def sweep(seconds: float, seed: int, path: str) -> None:
    rng = np.random.default_rng(seed)
    until = time.perf_counter() + seconds
    with open(path, "w", newline="") as file, single_threaded_blas:
        writer = csv.DictWriter(file, [*FIELDS, *METHODS])
        writer.writeheader()
        while time.perf_counter() < until:
            case = draw(rng)
            if case is None:
                continue
            for name in METHODS:
                method = method_of(case, name)
                if method is None or method.cached_values * case["batch"] > 3e8:
                    case[name] = ""
                    continue
                case[name] = measure(method, case["batch"], rng)
            writer.writerow(case)
            file.flush()


def read(path: str) -> list[dict]:
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def fit(cases: list[dict]) -> None:
    for name in METHODS:
        timed = [case for case in cases if case[name] and method_of(case, name)]
        terms = [
            cost_terms(method_of(case, name), int(case["batch"])) for case in timed
        ]
        times = np.array([float(case[name]) * 1e6 for case in timed])
        # Relative errors count: the quotient with the true time should be 1.
        factors, _ = nnls(np.array(terms) / times[:, None], np.ones(len(times)))
        errors = np.array(terms) @ factors / times
        low, high = np.quantile(errors, (0.1, 0.9))
        shown = ", ".join(f"{factor:.3g}" for factor in factors)
        print(f"{name:<9} ({shown}); {low:.2f} to {high:.2f} of the true time")


def tune(cases: list[dict]) -> None:
    rng = np.random.default_rng(0)
    names = list(METHODS)
    factors = [np.array(_FACTORS[METHODS[name]]) for name in names]
    first = [f.copy() for f in factors]
    times = np.full((len(cases), len(names)), np.inf)
    terms = [np.full((len(cases), len(f)), np.nan) for f in factors]
    for row, case in enumerate(cases):
        for column, name in enumerate(names):
            method = method_of(case, name)
            if method is None or not case[name]:
                continue
            times[row, column] = float(case[name])
            if name != "winograd" or int(case["kernel"]) > 2:
                terms[column][row] = cost_terms(method, int(case["batch"]))

    def ratios(factors, rows):
        pairs = zip(terms, factors, strict=True)
        costs = np.stack([t[rows] @ f for t, f in pairs], axis=1)
        chosen = np.where(np.isnan(costs), np.inf, costs).argmin(axis=1)
        return times[rows, chosen] / times[rows].min(axis=1)

    def score(factors, rows):
        quotients = ratios(factors, rows)
        return np.mean(quotients <= 1.15) - 0.3 * np.mean(np.log(quotients))

    order = rng.permutation(len(cases))
    train, test = np.split(order, [2 * len(order) // 3])
    best = score(factors, train)
    for _ in range(6000):
        changed = [
            f * np.exp(0.08 * rng.normal(size=f.shape) * (rng.random(f.shape) < 0.3))
            for f in factors
        ]
        pairs = zip(changed, first, strict=True)
        if max(np.abs(np.log(f / old)).max() for f, old in pairs) > 0.5:
            continue
        if score(changed, train) >= best:
            factors, best = changed, score(changed, train)
    for name, f in zip(names, factors, strict=True):
        print(f"{name:<9} ({', '.join(f'{factor:.2g}' for factor in f)})")
    for which, rows in (("tuned on", train), ("others", test)):
        share = np.mean(ratios(factors, rows) <= 1.15)
        print(f"{which}: {len(rows)} points, within 1.15 of the best in {share:.1%}")


def judge(cases: list[dict]) -> None:
    ratios = []
    for case in cases:
        times = {
            name: float(case[name])
            for name in METHODS
            if case[name] and method_of(case, name)
        }
        picked = type(method_of(case, "auto"))
        name = next(name for name, cls in METHODS.items() if cls is picked)
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
