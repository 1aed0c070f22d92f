"""A few samples of X, as the user passed them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.ragged import MapList
from skconvnet.shards.sharded_array import ShardedArray

# The numbers that are read at a time, unless a single sample has more.
_VALUES_AT_A_TIME = 1_000_000


def weighted_samples(samples: Samples) -> npt.NDArray[np.integer]:
    """Return the numbers of the samples that have a weight."""
    index = np.arange(len(samples)) if samples.index is None else samples.index
    if samples.weights is None:
        return index
    weighted: npt.NDArray[np.integer] = index[samples.weights[index] > 0]
    return weighted


def evenly_spaced(index: npt.NDArray[np.integer], n: int) -> npt.NDArray[np.integer]:
    """Return at most n of the numbers, the first and the last included.

    >>> evenly_spaced(np.arange(10), 4)
    array([0, 3, 6, 9])
    """
    if len(index) <= n:
        return index
    positions = np.linspace(0, len(index) - 1, n).astype(int)
    chosen: npt.NDArray[np.integer] = index[positions]
    return chosen


def read_a_few(inputs: Inputs, index: npt.NDArray[np.integer]) -> Iterator[Image]:
    """Yield samples in arrays of shape (n, ...), which are small.

    Samples of different sizes come one at a time.
    """
    X: Any = inputs.X
    if isinstance(X, MapList):
        for i in index:
            yield X.maps[i][np.newaxis]
        return
    at_a_time = max(1, _VALUES_AT_A_TIME * len(X) // X.size)
    for start in range(0, len(index), at_a_time):
        few = index[start : start + at_a_time]
        yield X.read_rows(X.rows_at(few)) if isinstance(X, ShardedArray) else X[few]
