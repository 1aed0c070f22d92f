"""Samples of different sizes: a list of maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Image, Index, Lengths, Shape, override
from skconvnet.engine.finite import check_samples
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.ops.layout import channels_last, map_shape
from skconvnet.ops.lengths import padded_length
from skconvnet.ops.workspace import Workspace


class MapList:
    """Maps of any sizes, with equal numbers of channels and axes.

    Parameters
    ----------
    maps : sequence of ndarray of shape (*spatial, channels)
    channels_first : bool, default=False
        Whether the shape of the maps is (channels, *spatial) instead.

    Attributes
    ----------
    shape : tuple of int
        (n_samples,), as for an array of objects.
    dtype : dtype
        Dtype that can hold the values of all maps.
    """

    ndim = 1

    def __init__(self, maps: Sequence[Image], *, channels_first: bool = False) -> None:
        self.maps = list(maps)
        self.channels_first = channels_first
        self.shape = (len(self.maps),)
        self.dtype = np.result_type(*{m.dtype for m in self.maps})

    def __len__(self) -> int:
        return len(self.maps)

    def __iter__(self) -> Iterator[Image]:
        return iter(self.maps)

    def __getitem__(self, index: Any) -> Any:  # noqa: ANN401  as for an array
        if isinstance(index, tuple):  # X[rows, ...], as scikit-learn writes it
            index = index[0]
        if isinstance(index, slice):
            return self._with(self.maps[index])
        if np.ndim(index) == 0:
            return self.maps[index]
        chosen = np.asarray(index)
        if chosen.dtype == bool:
            chosen = np.flatnonzero(chosen)
        return self._with([self.maps[i] for i in chosen])

    def _with(self, maps: Sequence[Image]) -> MapList:
        return MapList(maps, channels_first=self.channels_first)

    @property
    def shapes(self) -> set[Shape]:
        """The set of all shapes of maps."""
        return {m.shape for m in self.maps}


class RaggedInputs(Inputs):
    """Maps of different sizes.

    Sequences of different lengths may be read together: they are then padded to a
    common length. Other maps must have the same size.

    Parameters
    ----------
    X : MapList
    in_shape : tuple of int
        Only the number of axes and the channels matter.
    dtype : dtype
    name : str, default="X"
    padding_value : float, default=0
        What sequences are padded with.
    fits : callable, optional
        Tells whether the network takes samples of a shape. Sequences are padded no
        further than to the longest of them if it does not take a rounded length, such
        as one that is no multiple of all strides.
    """

    X: MapList

    def __init__(
        self,
        X: MapList,
        in_shape: Shape,
        dtype: npt.DTypeLike,
        name: str = "X",
        *,
        padding_value: float = 0,
        fits: Callable[[Shape], bool] | None = None,
    ) -> None:
        super().__init__(X, in_shape, dtype, name)
        self.padding_value = padding_value
        self._fits = fits
        self._shapes_by_longest: dict[Shape, Shape] = {}

    @property
    @override
    def has_one_size(self) -> bool:
        return False

    @property
    @override
    def shapes(self) -> set[Shape]:
        return self.X.shapes

    @override
    def groups(self, index: Index) -> list[Index]:
        positions: dict[Shape, list[int]] = {}
        for position, number in enumerate(index_numbers(index)):
            positions.setdefault(self.X.maps[number].shape, []).append(position)
        # In the order of the shapes, which does not depend on the order of the samples.
        return [np.array(positions[shape]) for shape in sorted(positions)]

    @override
    def shape_of(self, index: Index) -> Shape:
        shapes = {self.X.maps[number].shape for number in index_numbers(index)}
        if len(shapes) == 1:
            (shape,) = shapes
            return tuple(shape)
        longest: Shape = max(shapes)
        if longest not in self._shapes_by_longest:
            self._shapes_by_longest[longest] = self._padded_shape(longest)
        return self._shapes_by_longest[longest]

    def _padded_shape(self, longest: Shape) -> Shape:
        shape = (padded_length(longest[0]), *longest[1:])
        return shape if self._fits is None or self._fits(shape) else longest

    @override
    def lengths_of(self, index: Index) -> Lengths | None:
        lengths = [len(self.X.maps[number]) for number in index_numbers(index)]
        if len(set(lengths)) == 1:
            return None
        return np.array(lengths, np.intp)

    @override
    def _read(self, index: Index, workspace: Workspace) -> FeatureMap:
        maps = [self.X.maps[number] for number in index_numbers(index)]
        shape = map_shape(self.shape_of(index), len(maps))
        x = workspace.array("x", shape, self.dtype)
        samples = channels_last(x)
        for sample, one in zip(samples, maps, strict=True):
            np.copyto(sample[: len(one)], one, casting="unsafe")
            sample[len(one) :] = self.padding_value
        return x

    @override
    def _refuse_overflow(self, index: Index) -> None:
        for number in index_numbers(index):
            one, own = self.X.maps[number], np.array([number])
            check_samples(one[np.newaxis], own, self.dtype, self.name)
