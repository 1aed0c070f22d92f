"""Time several calls in turn, so that a busy moment of the machine meets all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np


def take_turns(
    calls: Mapping[str, Callable[[], object]],
    rounds: int,
    *,
    pause: float = 0.1,
    repeats: int = 1,
) -> dict[str, np.ndarray]:
    """Return the seconds of each call in each round.

    Parameters
    ----------
    calls : mapping of str to callable
        What is timed, by name. One round more, which is not counted, warms up.
    rounds : int
        How often each takes its turn.
    pause : float, default=0.1
        Seconds before each turn, in which the threads of the one before go to sleep.
    repeats : int, default=1
        Calls per turn, of which the mean counts.

    Returns
    -------
    times : dict of str to ndarray of shape (rounds,)
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        for name, call in calls.items():
            time.sleep(pause)
            start = time.perf_counter()
            for _ in range(repeats):
                call()
            if turn:
                times[name].append((time.perf_counter() - start) / repeats)
    return {name: np.array(values) for name, values in times.items()}
