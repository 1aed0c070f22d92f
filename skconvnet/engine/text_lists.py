"""Texts of different lengths, which may have padding between their tokens."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Image, Index, Shape, override
from skconvnet.engine.inputs import index_numbers
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.ops.embedding import order_with_padding_last
from skconvnet.ops.workspace import Workspace


class TextList(RaggedInputs):
    """Texts of different lengths, whose padding is read last.

    Such as rows that were filled up before their tokens. What has a value for each
    position is brought back into the order of the text.

    Parameters
    ----------
    X : MapList
        Texts, of shape (length,).
    in_shape : tuple of int
    dtype : dtype
    name : str, default="X"
    padding_token : int
    fits : callable, optional
        As in `RaggedInputs`.
    """

    def __init__(
        self,
        X: MapList,
        in_shape: Shape,
        dtype: npt.DTypeLike,
        name: str = "X",
        *,
        padding_token: int,
        fits: Callable[[Shape], bool] | None = None,
    ) -> None:
        super().__init__(
            X, in_shape, dtype, name, padding_value=padding_token, fits=fits
        )
        self.padding_token = padding_token

    @override
    def _read(self, index: Index, workspace: Workspace) -> FeatureMap:
        tokens = super()._read(index, workspace)
        order = order_with_padding_last(tokens, self.padding_token)
        if order is None:
            return tokens
        return np.take_along_axis(tokens, order, axis=0)

    @override
    def as_read(self, values: npt.NDArray[Any], index: Index) -> npt.NDArray[Any]:
        positions = self._positions(values, index)
        if positions is None:
            return values
        return np.take_along_axis(values, positions, axis=1)

    @override
    def in_order(self, maps: Image, index: Index, length: int) -> Image:
        positions = self._positions(maps, index)
        if positions is None:
            return maps
        ordered = np.empty_like(maps)
        np.put_along_axis(ordered, positions, maps, axis=1)
        return ordered

    def _positions(
        self, values: npt.NDArray[Any], index: Index
    ) -> npt.NDArray[np.intp] | None:
        """Return the position in the texts of each that is read, (n, length, 1, ...).

        None means that they are the same, or that `values` have other positions.
        """
        tokens = super()._read(index, Workspace())
        order = order_with_padding_last(tokens, self.padding_token)
        longest = max(self.X.maps[number].size for number in index_numbers(index))
        if order is None or values.shape[1] not in (longest, len(order)):
            return None
        # What texts are filled up with comes last in any case.
        own = order[: values.shape[1]].T
        return own.reshape(*own.shape, *(1,) * (values.ndim - 2))
