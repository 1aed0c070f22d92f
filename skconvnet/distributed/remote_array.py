"""Samples that stay where they are computed, on the workers of a pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image, Index, override
from skconvnet.distributed.remote_executor import RemoteExecutor
from skconvnet.distributed.shards_of_pool import ShardsOfPool, with_retries
from skconvnet.distributed.tasks import apply_to, prepare
from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.minibatches import Samples
from skconvnet.ops.workspace import Workspace
from skconvnet.shards.sharded_array import ShardedArray

_Result = TypeVar("_Result")
_Numbers: TypeAlias = npt.NDArray[np.integer]


class RemoteInputs(Inputs):
    """The samples of a `RemoteArray`, of which only a few are read here.

    Parameters
    ----------
    X : RemoteArray
    **options : object
        Of `Inputs`.
    """

    X: RemoteArray
    # The shards with targets and weights, and whose targets these are.
    _prepared: list[Any]
    _targets: Any = None

    @property
    @override
    def is_sharded(self) -> bool:
        return True

    @property
    @override
    def make_executor(self) -> Callable[..., Executor]:
        return partial(RemoteExecutor, n_local_updates=self.source.n_local_updates)

    @property
    def source(self) -> ShardsOfPool:
        """The shards."""
        return self.X.shards

    @override
    def mixed_order(
        self, index: _Numbers | None, rng: np.random.RandomState
    ) -> _Numbers | None:
        """Return an order in which any minibatch has its share of every shard.

        The samples of a shard are shuffled, and then spread evenly over the epoch.
        """
        numbers = self.X.numbers if index is None else self.X.numbers[index]
        times = np.empty(len(numbers))
        shards = np.empty(len(numbers), np.intp)
        for shard, own in self.source.by_shard(numbers):
            times[rng.permutation(own)] = (np.arange(len(own)) + 0.5) / len(own)
            shards[own] = shard
        return np.lexsort((shards, times))

    @override
    def check(self) -> None:
        """Do nothing: values are checked where they are."""

    @override
    def _take(self, index: Index, workspace: Workspace) -> Image:
        return self.X.read_rows(self.X.rows_at(index_numbers(index)))

    def prepared(self, samples: Samples) -> list[Any]:
        """Return promises of the shards with encoded targets and weights.

        They are made once, and travel once. The samples must be all of X, whose order
        is that of the shards.
        """
        if self._targets is not samples.targets:
            source = self.source
            parts = zip(source.shards, source.slices, strict=True)
            self._prepared = [
                source.pool.submit(prepare, shard, _maker(samples, part))
                for shard, part in parts
            ]
            self._targets = samples.targets
        return self._prepared

    def parts_at(self, index: Index) -> list[tuple[int, _Numbers, _Numbers]]:
        """Return shards, positions in `index`, and rows in the shard, by shard."""
        numbers = self.X.rows_at(index_numbers(index))
        source = self.source
        return [
            (shard, own, source.rows_in(shard, numbers[own]))
            for shard, own in source.by_shard(numbers)
        ]

    @override
    def map_places(
        self, function: Callable[[Samples], _Result], samples: Samples
    ) -> list[_Result]:
        every = np.arange(len(self)) if samples.index is None else samples.index
        prepared, pool = self.prepared(samples), self.source.pool
        return with_retries(
            lambda: pool.gather(
                [
                    pool.submit(
                        apply_to,
                        function,
                        prepared[shard],
                        rows,
                        self.in_shape,
                        self.dtype,
                        self.channels_first,
                    )
                    for shard, _, rows in self.parts_at(every)
                ]
            )
        )


def _maker(samples: Samples, part: slice) -> Callable[[Inputs], Samples]:
    """Return what makes the samples of a part, given their inputs."""
    arrays = {
        own.name: getattr(samples, own.name)
        for own in fields(samples)
        if own.name not in ("inputs", "index")
    }
    own = {n: None if array is None else array[part] for n, array in arrays.items()}
    make: Callable[..., Samples] = type(samples)
    return partial(make, **own)


class RemoteArray(ShardedArray):
    """Samples on the workers of a pool, as X of an estimator.

    Parameters
    ----------
    shards : ShardsOfPool
    """

    inputs_type: ClassVar[type[Inputs]] = RemoteInputs

    def __init__(self, shards: ShardsOfPool) -> None:
        self.shards = shards
        self._source = shards
        self._numbers = None
        self.n_mixed = 1
        self.shard_size = max(shards.shape[0], 1)

    @property
    @override
    def order_params(self) -> dict[str, object]:
        shards = self.shards
        return {
            "cut into shards": np.diff(shards.starts).tolist(),
            "local_updates": shards.n_local_updates,
            "gradient_dtype": shards.gradient_dtype,
        }

    @override
    def read_rows(self, rows: _Numbers) -> npt.NDArray[Any]:
        return self.shards.take(rows)
