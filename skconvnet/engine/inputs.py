"""Samples read one minibatch at a time, and the order they come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skconvnet.ops.layout import channels_last, map_shape
from skconvnet.ops.workspace import Workspace

BATCH_MODES = ("mbgd", "bgd", "sgd")


class Inputs:
    """Samples that are converted only as they are read.

    Parameters
    ----------
    X : ndarray or CSR matrix of shape (n_samples, ...)
        Rows or maps of any real dtype, memory maps included. Never copied whole.
    in_shape : tuple of int
        Shape of one sample, channels last.
    dtype : dtype
        That of the arrays read.
    """

    def __init__(self, X: Any, in_shape: tuple[int, ...], dtype: Any) -> None:
        self.is_sparse = issparse(X)
        self.X = X
        self.in_shape = tuple(in_shape)
        self.dtype = np.dtype(dtype)

    def __len__(self) -> int:
        return int(self.X.shape[0])

    def read(self, index: np.ndarray | slice, workspace: Workspace) -> Any:
        """Return the samples at `index`, batch last, in the network's dtype."""
        if self.is_sparse:
            return self.X[index].T
        if len(self.in_shape) == 1:
            return self._rows(index, workspace).T
        samples = (
            self.X[index] if isinstance(index, slice) else self._taken(index, workspace)
        )
        # Reshaped only now: the whole of X might have to be copied for it.
        samples = samples.reshape(-1, *self.in_shape)
        x = workspace.array("x", map_shape(self.in_shape, len(samples)), self.dtype)
        np.copyto(channels_last(x), samples, casting="unsafe")
        return x

    @property
    def shapes(self) -> set[tuple[int, ...]]:
        """The different shapes of samples."""
        return {self.in_shape}

    def groups(self, index: np.ndarray | slice) -> list[np.ndarray | slice]:
        """Return the places in `index` of samples that may be read together."""
        return [slice(0, index_length(index))]

    def shape_of(self, index: np.ndarray | slice) -> tuple[int, ...]:
        """Return the shape of the samples at `index`, which may be read together."""
        return self.in_shape

    def _rows(self, index: np.ndarray | slice, workspace: Workspace) -> np.ndarray:
        if isinstance(index, slice):
            rows = self.X[index]
            return rows if rows.dtype == self.dtype else rows.astype(self.dtype)
        taken = self._taken(index, workspace)
        if taken.dtype == self.dtype:
            return taken
        rows = workspace.array("rows", taken.shape, self.dtype)
        np.copyto(rows, taken, casting="unsafe")
        return rows

    def _taken(self, index: np.ndarray, workspace: Workspace) -> np.ndarray:
        shape = (len(index), *self.X.shape[1:])
        taken = workspace.array("taken", shape, self.X.dtype)
        # The indices are known to be good; "clip" spares take a copy of its output.
        return np.take(self.X, index, axis=0, out=taken, mode="clip")


@dataclass
class Samples:
    """What a network is trained on.

    Attributes
    ----------
    inputs : Inputs
    targets : ndarray of shape (n_samples, n_outputs)
    weights : ndarray of shape (n_samples,) or None
    index : ndarray of int or None
        Which of them to use; None stands for all.
    """

    inputs: Inputs
    targets: np.ndarray
    weights: np.ndarray | None = None
    index: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.inputs) if self.index is None else len(self.index)


def resolve_batch_size(mode: str, batch_size: int | str, n_samples: int) -> int:
    """Return the samples of an update.

    >>> resolve_batch_size("mbgd", "auto", 1000), resolve_batch_size("bgd", 32, 1000)
    (200, 1000)
    """
    if mode == "bgd":
        return n_samples
    if mode == "sgd":
        return 1
    if isinstance(batch_size, str):
        return min(200, n_samples)
    return min(int(batch_size), n_samples)


def minibatches(
    samples: Samples, order: np.ndarray | None, batch_size: int
) -> Iterator[np.ndarray | slice]:
    """Yield the indices of each minibatch, in `order` or as the samples come."""
    for start in range(0, len(samples), batch_size):
        batch = slice(start, min(start + batch_size, len(samples)))
        if order is not None:
            chosen = order[batch]
            yield chosen if samples.index is None else samples.index[chosen]
        elif samples.index is not None:
            yield samples.index[batch]
        else:
            yield batch


def index_length(index: np.ndarray | slice) -> int:
    """Return how many samples `index` chooses; a slice has a start and a stop."""
    return index.stop - index.start if isinstance(index, slice) else len(index)


def index_at(index: np.ndarray | slice, places: np.ndarray | slice) -> Any:
    """Return what `index` has at these places.

    >>> index_at(slice(10, 20), slice(2, 5)), index_at(slice(10, 20), np.array([1, 3]))
    (slice(12, 15, None), array([11, 13]))
    """
    if not isinstance(index, slice):
        return index[places]
    if not isinstance(places, slice):
        return index.start + places
    return slice(index.start + places.start, index.start + places.stop)
