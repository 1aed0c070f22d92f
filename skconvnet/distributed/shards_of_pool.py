"""The shards of a training set, on the workers of a pool."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import override
from skconvnet.distributed.pools import LostResultsError, Pool
from skconvnet.distributed.tasks import ShardInfo, read_rows
from skconvnet.shards.sources import Source

_Result = TypeVar("_Result")
_Numbers: TypeAlias = npt.NDArray[np.integer]

# How often tasks are submitted whose results are lost, and the seconds in between,
# which grow from one attempt to the next.
_ATTEMPTS, _PAUSE = 8, 0.2


class ShardsOfPool(Source):
    """The rows of all shards of a pool, one shard after the other.

    Parameters
    ----------
    pool : Pool
    shards : sequence of promises of Shard
    infos : sequence of ShardInfo
        All with samples of the same shape and dtype.
    gradient_dtype : str or None
        The dtype in which gradients travel.
    n_local_updates : int
        How many updates each shard makes before the weights are averaged.

    Attributes
    ----------
    starts : ndarray of int of shape (n_shards + 1,)
        The first row of each shard, and the number of all rows.
    """

    def __init__(
        self,
        pool: Pool,
        shards: Sequence[Any],
        infos: Sequence[ShardInfo],
        gradient_dtype: str | None,
        n_local_updates: int,
    ) -> None:
        self.pool = pool
        self.n_local_updates = n_local_updates
        self.gradient_dtype = gradient_dtype
        self.shards = list(shards)
        self.starts = np.cumsum([0, *(info.shape[0] for info in infos)])
        self.shape = (int(self.starts[-1]), *infos[0].shape[1:])
        self.dtype = infos[0].dtype

    @property
    def slices(self) -> list[slice]:
        """The rows of each shard."""
        return [slice(*own) for own in pairwise(self.starts.tolist())]

    def by_shard(self, numbers: _Numbers) -> list[tuple[int, _Numbers]]:
        """Return the shards that rows belong to, and their positions in `numbers`."""
        shards = np.searchsorted(self.starts, numbers, side="right") - 1
        return [
            (int(shard), np.flatnonzero(shards == shard)) for shard in np.unique(shards)
        ]

    def rows_in(self, shard: int, numbers: _Numbers) -> _Numbers:
        """Return the positions in a shard of rows that belong to it."""
        rows: _Numbers = numbers - self.starts[shard]
        return rows

    def take(self, numbers: _Numbers) -> npt.NDArray[Any]:
        """Return a few rows, which are sent to this process."""
        parts = self.by_shard(numbers)
        found = with_retries(
            lambda: self.pool.gather(
                [
                    self.pool.submit(
                        read_rows, self.shards[s], self.rows_in(s, numbers[own])
                    )
                    for s, own in parts
                ]
            )
        )
        rows = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        for (_, own), values in zip(parts, found, strict=True):
            rows[own] = values
        return rows

    @override
    def read(self, start: int, stop: int) -> npt.NDArray[Any]:
        return self.take(np.arange(start, stop))


def with_retries(run: Callable[[], _Result]) -> _Result:
    """Return the result of a function, which is called again if results are lost."""
    for attempt in range(1, _ATTEMPTS):
        try:
            return run()
        except LostResultsError:
            # Until the scheduler knows which workers are left.
            time.sleep(_PAUSE * attempt)
    return run()
