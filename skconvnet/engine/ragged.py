"""Samples of different sizes: a list of maps, read size by size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skconvnet.engine.inputs import Inputs
from skconvnet.ops.layout import channels_last, map_shape
from skconvnet.ops.workspace import Workspace


class MapList:
    """Maps with equal numbers of channels and axes, but of any sizes.

    Parameters
    ----------
    maps : sequence of ndarray
        Each of shape (*spatial, channels).

    Attributes
    ----------
    shape : tuple of int
        (n_samples,): there is no more in common.
    dtype : dtype
        That holds the values of all.
    """

    ndim = 1

    def __init__(self, maps: Sequence[np.ndarray]) -> None:
        self.maps = list(maps)
        self.shape = (len(self.maps),)
        self.dtype = np.result_type(*{m.dtype for m in self.maps})

    def __len__(self) -> int:
        return len(self.maps)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):  # X[rows, ...], as scikit-learn writes it
            index = index[0]
        if isinstance(index, slice):
            return MapList(self.maps[index])
        if np.ndim(index) == 0:
            return self.maps[index]
        chosen = np.asarray(index)
        if chosen.dtype == bool:
            chosen = np.flatnonzero(chosen)
        return MapList([self.maps[i] for i in chosen])

    @property
    def shapes(self) -> set[tuple[int, ...]]:
        """The different shapes of its maps."""
        return {m.shape for m in self.maps}


class RaggedInputs(Inputs):
    """Maps of different sizes; those read at a time are of one size.

    Parameters
    ----------
    X : MapList
    in_shape : tuple of int
        Only its channels count.
    dtype : dtype
    """

    X: MapList

    @property
    def shapes(self) -> set[tuple[int, ...]]:
        """The different shapes of samples."""
        return self.X.shapes

    def groups(self, index: np.ndarray | slice) -> list[np.ndarray | slice]:
        """Return the places in `index` of the samples of each shape."""
        numbers = _numbers(index)
        places: dict[tuple[int, ...], list[int]] = {}
        for place, number in enumerate(numbers):
            places.setdefault(self.X.maps[number].shape, []).append(place)
        # In an order that follows from the shapes, not from that of the samples.
        return [np.array(places[shape]) for shape in sorted(places)]

    def shape_of(self, index: np.ndarray | slice) -> tuple[int, ...]:
        return self.X.maps[int(_numbers(index)[0])].shape

    def read(self, index: np.ndarray | slice, workspace: Workspace) -> Any:
        """Return the samples at `index`, which are of one shape."""
        maps = [self.X.maps[number] for number in _numbers(index)]
        shape = map_shape(maps[0].shape, len(maps))
        x = workspace.array("x", shape, self.dtype)
        samples = channels_last(x)
        for i, one in enumerate(maps):
            np.copyto(samples[i], one, casting="unsafe")
        return x


def _numbers(index: np.ndarray | slice) -> np.ndarray:
    if isinstance(index, slice):
        return np.arange(index.start, index.stop)
    return index
