"""Samples that are read shard by shard."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image, Index, Shape, override
from skconvnet.engine.finite import all_finite, check_samples
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.shard_loader import ShardLoader, mixed_order
from skconvnet.ops.workspace import Workspace
from skconvnet.shards.sharded_array import ShardedArray

# A shard is loaded as a whole if at least this share of it is wanted at once.
_MUCH = 1 / 16


class ShardedInputs(Inputs):
    """The samples of a `ShardedArray`.

    Parameters
    ----------
    X : ShardedArray
    in_shape : tuple of int
    dtype : dtype
    name : str, default="X"
    channels_first : bool, default=False
    """

    X: ShardedArray

    def __init__(
        self,
        X: ShardedArray,
        in_shape: Shape,
        dtype: npt.DTypeLike,
        name: str = "X",
        *,
        channels_first: bool = False,
    ) -> None:
        super().__init__(X, in_shape, dtype, name, channels_first=channels_first)
        self._loader = ShardLoader(X.read_shard, X.n_shards)

    @property
    @override
    def is_sharded(self) -> bool:
        return True

    @override
    def in_stored_order(self) -> Self:
        X, in_shape, dtype = self.X, self.in_shape, self.dtype
        return type(self)(
            X, in_shape, dtype, self.name, channels_first=self.channels_first
        )

    @override
    def mixed_order(
        self, index: npt.NDArray[np.integer] | None, rng: np.random.RandomState
    ) -> npt.NDArray[np.integer] | None:
        shards, _ = self.X.shards_of(np.arange(len(self)) if index is None else index)
        order, of_shards = mixed_order(shards, self.X.n_mixed, rng)
        self._loader.plan(of_shards, self.X.n_mixed)
        return order

    @override
    def check(self) -> None:
        """Do nothing: values are checked when they are read."""

    @override
    def _take(self, index: Index, workspace: Workspace) -> Image:
        X = self.X
        numbers = index_numbers(index)
        shards, rows = X.shards_of(numbers)
        taken = workspace.array("taken", (len(numbers), *X.shape[1:]), X.dtype)
        # A few samples of a shard are followed by the others.
        is_in_order = isinstance(index, slice) and bool(np.all(np.diff(shards) >= 0))
        for shard in np.unique(shards).tolist():
            own = np.flatnonzero(shards == shard)
            is_much = is_in_order or len(own) >= _MUCH * X.shard_size
            if is_much or self._loader.is_near(shard):
                taken[own] = self._loader.get(shard)[rows[own]]
            else:
                taken[own] = X.read_rows(shard * X.shard_size + rows[own])
        if taken.dtype.kind == "f" and not all_finite(taken):
            self._refuse_not_finite(taken, numbers)
        return taken

    def _refuse_not_finite(
        self, samples: npt.NDArray[Any], numbers: npt.NDArray[np.integer]
    ) -> None:
        """Raise a ValueError about the first value that is NaN or infinite."""
        row, *place = np.argwhere(~np.isfinite(samples))[0].tolist()
        where = ", ".join(map(str, (numbers[row], *place)))
        raise ValueError(
            f"{self.name}[{where}] is {samples[row, *place]}, but all values must be "
            "finite. Replace it where the samples are stored, or leave the sample out, "
            f"as in {self.name}[numbers]."
        )

    @override
    def _refuse_overflow(self, index: Index) -> None:
        numbers = index_numbers(index)
        samples = self._take(numbers, Workspace())
        check_samples(samples, numbers, self.dtype, self.name)
