"""Texts of different lengths, which may have padding between their tokens."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Index, Shape, override
from skconvnet.engine.inputs import index_numbers
from skconvnet.engine.padding_last import PaddingLast
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.ops.embedding import order_with_padding_last
from skconvnet.ops.workspace import Workspace


class TextList(PaddingLast, RaggedInputs):
    """Texts of different lengths, whose padding is read last.

    Such as rows that were filled up before their tokens. See `PaddingLast`.

    Parameters
    ----------
    X : MapList
        Texts, of shape (length,).
    in_shape : tuple of int
    dtype : dtype
    name : str, default="X"
    padding_token : int
    shortest_length : int, default=1
        Texts are padded to this length at least.
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
        shortest_length: int = 1,
        fits: Callable[[Shape], bool] | None = None,
    ) -> None:
        super().__init__(
            X, in_shape, dtype, name, padding_value=padding_token, fits=fits
        )
        self.padding_token = padding_token
        self.shortest_length = shortest_length

    @property
    @override
    def shapes(self) -> set[Shape]:
        return {self._long_enough(shape) for shape in super().shapes}

    @override
    def shape_of(self, index: Index) -> Shape:
        return self._long_enough(super().shape_of(index))

    def _long_enough(self, shape: Shape) -> Shape:
        (length,) = shape
        return (max(length, self.shortest_length),)

    @override
    def _read(self, index: Index, workspace: Workspace) -> FeatureMap:
        tokens = super()._read(index, workspace)
        order = order_with_padding_last(tokens, self.padding_token)
        if order is None:
            return tokens
        return np.take_along_axis(tokens, order, axis=0)

    @override
    def _order(self, index: Index, n_positions: int) -> npt.NDArray[np.intp] | None:
        tokens = super()._read(index, Workspace())
        order = order_with_padding_last(tokens, self.padding_token)
        longest = max(self.X.maps[number].size for number in index_numbers(index))
        if order is None or n_positions not in (longest, len(order)):
            return None
        # What texts are filled up with comes last in any case.
        return order[:n_positions]
