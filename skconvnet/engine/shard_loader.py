"""Shards that are in memory: those in use, and the next ones, read by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

_Shard: TypeAlias = npt.NDArray[Any]


class ShardLoader:
    """Loads shards in a planned order, and reads ahead.

    The plan is divided into windows. Shards of the window in use, of the one before it,
    which other threads may still read from, and of the next one are kept; all others
    are dropped. All methods may be called by several threads.

    Parameters
    ----------
    read : callable
        Returns the rows of a shard, given its number.
    n_shards : int

    Examples
    --------
    >>> read = []
    >>> loader = ShardLoader(lambda shard: read.append(shard) or np.array([shard]), 9)
    >>> loader.plan([5, 3, 1, 7], n_mixed=2)
    >>> int(loader.get(3)[0])
    3
    >>> loader.get(7) is loader.get(7)
    True
    >>> sorted(read)  # the shard 5 was not asked for
    [1, 3, 7]
    """

    def __init__(self, read: Callable[[int], _Shard], n_shards: int) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shards")
        self._loaded: dict[int, Future[_Shard]] = {}
        self.plan(range(n_shards), n_mixed=1)

    def plan(self, order: Sequence[int], n_mixed: int) -> None:
        """Begin to load shards in another order, in windows of `n_mixed`."""
        with self._lock:
            self._order = list(order)
            self._n_mixed = n_mixed
            self._position = {shard: i for i, shard in enumerate(self._order)}
            # The window in use.
            self._window = -1

    def is_near(self, shard: int) -> bool:
        """Return whether the shard is in memory, or soon will be, by the plan."""
        window = self._window_of(shard)
        return window is not None and abs(window - self._window) <= 1

    def _window_of(self, shard: int) -> int | None:
        position = self._position.get(shard)
        return None if position is None else position // self._n_mixed

    def get(self, shard: int) -> _Shard:
        """Return the rows of a shard, which must not be changed."""
        with self._lock:
            window = self._window_of(shard)
            if window is None:
                return self._read(shard)
            if not self._window - 1 <= window <= self._window:
                self._window = window
                self._drop_others()
            # The shard itself first, then those up to the end of the next window.
            first = self._position[shard]
            for coming in self._order[first : (self._window + 2) * self._n_mixed]:
                if coming not in self._loaded:
                    self._loaded[coming] = self._thread.submit(self._read, coming)
            rows = self._loaded[shard]
        return rows.result()

    def _drop_others(self) -> None:
        for shard in list(self._loaded):
            window = self._window_of(shard)
            if window is None or abs(window - self._window) > 1:
                # Not cancelled, since another thread may be waiting for it.
                del self._loaded[shard]


def mixed_order(
    shards: npt.NDArray[np.integer], n_mixed: int, rng: np.random.RandomState
) -> tuple[npt.NDArray[np.integer], list[int]]:
    """Return the order of samples in an epoch, and that of their shards.

    The order of the shards is shuffled, and the samples of `n_mixed` shards at a time
    are shuffled together::

        shards     3 0 5 1 | 6 2 4 7
        samples    any order of those of 3, 0, 5 and 1, then of those of 6, 2, 4 and 7

    Parameters
    ----------
    shards : ndarray of int of shape (n_samples,)
        The shard of each sample.
    n_mixed : int
    rng : RandomState

    Returns
    -------
    order : ndarray of int of shape (n_samples,)
    order_of_shards : list of int

    Examples
    --------
    >>> shards = np.repeat(np.arange(4), 3)
    >>> order, own = mixed_order(shards, 2, np.random.RandomState(0))
    >>> own
    [2, 3, 1, 0]
    >>> order
    array([ 6,  8,  7, 10, 11,  9,  4,  0,  1,  3,  5,  2])
    """
    by_shard = np.argsort(shards, kind="stable")
    found, starts = np.unique(shards[by_shard], return_index=True)
    ends = np.append(starts[1:], len(shards))
    permuted = rng.permutation(len(found))
    windows = []
    for first in range(0, len(permuted), n_mixed):
        members = permuted[first : first + n_mixed]
        own = np.concatenate([by_shard[starts[i] : ends[i]] for i in members])
        windows.append(rng.permutation(own))
    return np.concatenate(windows), found[permuted].tolist()
