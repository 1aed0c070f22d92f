"""Compare the speed of this checkout with that of another commit.

    python benchmarks/guard.py [--base HEAD~1] [--networks cifar batch_norm]
                               [--batches 32 128] [--rounds 9] [--jobs 1]

Both versions of the package train the same networks, each in a process of its own, in
turn, so that a busy moment of the machine meets both. The networks are those of this
checkout. The table has medians over the rounds of the microseconds per sample of `fit`,
and of the ratio of the other version's time to this one's: above 1, this checkout is
faster. The range of the ratio has half of the rounds. Changes that are not committed
count. Use it before every commit that touches the engine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from _machine import print_machine
from networks import NETWORKS, data, our_network

ROOT = Path(__file__).resolve().parents[1]
# Seconds before each turn, in which the threads of the one before go to sleep.
PAUSE = 0.1


class Contestant:
    """A process that trains with one version of the package.

    Parameters
    ----------
    checkout : Path
    n_jobs : int or None
    """

    def __init__(self, checkout: Path, n_jobs: int | None) -> None:
        command = [sys.executable, __file__, "--answer"]
        if n_jobs is not None:
            command += ["--jobs", str(n_jobs)]
        self._process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(checkout)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert Path(self._ask("where")).parent == checkout / "skconvnet"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.communicate()

    def seconds(self, name: str, batch: int) -> float:
        """Return the seconds per sample that an epoch of a fit takes."""
        time.sleep(PAUSE)
        return float(self._ask(f"{name} {batch}"))

    def _ask(self, question: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            print(question, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().strip()
        if not answer:
            self._process.communicate()
            raise RuntimeError("the process of a version has ended, see above")
        return answer


def answer(n_jobs: int | None) -> None:
    """Answer the questions of `Contestant`, until there are no more."""
    import skconvnet

    warnings.simplefilter("ignore")
    for line in sys.stdin:
        if line.strip() == "where":
            print(skconvnet.__file__, flush=True)
            continue
        name, batch = line.split()
        X, y = data(name, NETWORKS[name].n_samples)
        model = our_network(name, batch_size=int(batch), max_iter=1, n_jobs=n_jobs)
        start = time.perf_counter()
        model.fit(X, y)
        print((time.perf_counter() - start) / len(X), flush=True)


def compare(
    base: Contestant, ours: Contestant, name: str, batch: int, rounds: int
) -> str:
    """Return a row of the table."""
    times = []
    for turn in range(rounds + 1):
        pair = base.seconds(name, batch), ours.seconds(name, batch)
        if turn:  # the first one warms up
            times.append(pair)
    of_base, of_ours = np.array(times).T
    low, middle, high = np.quantile(of_base / of_ours, [0.25, 0.5, 0.75])
    before, now = np.median(of_base) * 1e6, np.median(of_ours) * 1e6
    return (
        f"| {name} | {batch} | {before:.1f} | {now:.1f} | {middle:.2f} | "
        f"{low:.2f} to {high:.2f} |"
    )


def checkout(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a new folder."""
    archive = subprocess.run(
        ["git", "archive", commit, "skconvnet"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    return folder


def main(argv: list[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", default="HEAD", help="the commit to compare with")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=[*NETWORKS])
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--jobs", type=int, default=None, help="threads")
    parser.add_argument("--answer", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.answer:
        answer(args.jobs)
        return 0
    print_machine()
    print(f"\n| network | batch | {args.base} | here | {args.base} / here | range |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())).resolve()
        base = stack.enter_context(Contestant(checkout(args.base, folder), args.jobs))
        ours = stack.enter_context(Contestant(ROOT, args.jobs))
        for name in args.networks:
            for batch in args.batches:
                print(compare(base, ours, name, batch, args.rounds), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
