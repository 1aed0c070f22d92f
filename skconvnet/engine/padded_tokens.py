"""Rows of tokens that a padding token fills up to a common length."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Image, Index, Lengths, Shape, override
from skconvnet.engine.inputs import index_length
from skconvnet.engine.padding_last import PaddingLast
from skconvnet.ops.embedding import order_with_padding_last
from skconvnet.ops.lengths import padded_length
from skconvnet.ops.workspace import Workspace

_ROWS_AT_A_TIME = 4096


class PaddedTokens(PaddingLast):
    """Rows of tokens, which are cut off after the longest text that is read with them.

    Padding may be anywhere in a row. What is read has it last, see `PaddingLast`.

    Parameters
    ----------
    X : ndarray of shape (n_samples, length)
    in_shape : tuple of int
    dtype : dtype
    name : str, default="X"
    padding_token : int
    shortest_length : int, default=1
        Texts are padded to this length at least.
    cuts_off : bool, default=True
        If False, what is read has the length of the rows.
    """

    X: Image

    def __init__(
        self,
        X: Image,
        in_shape: Shape,
        dtype: npt.DTypeLike,
        name: str = "X",
        *,
        padding_token: int,
        shortest_length: int = 1,
        cuts_off: bool = True,
    ) -> None:
        super().__init__(X, in_shape, dtype, name)
        self.padding_token = padding_token
        self.shortest_length = shortest_length
        self.cuts_off = cuts_off

    @cached_property
    def lengths(self) -> Lengths:
        """How many tokens of each row are not padding."""
        counts = np.empty(len(self), np.intp)
        for start in range(0, len(self), _ROWS_AT_A_TIME):
            rows = slice(start, start + _ROWS_AT_A_TIME)
            is_token = self.X[rows] != self.padding_token
            counts[rows] = np.count_nonzero(is_token, axis=1)
        return counts

    @property
    @override
    def shapes(self) -> set[Shape]:
        return {self.shape_of(np.array([i])) for i in range(len(self))}

    @override
    def groups(self, index: Index) -> list[Index]:
        own = self.lengths[index]
        if not self.cuts_off:
            return super().groups(index)
        return [np.flatnonzero(own == length) for length in np.unique(own)]

    @override
    def shape_of(self, index: Index) -> Shape:
        if not self.cuts_off:
            return self.in_shape
        own = self.lengths[index]
        longest = int(own.max(initial=0))
        if longest > own.min(initial=longest):
            longest = padded_length(longest)
        (length,) = self.in_shape
        return (min(max(longest, self.shortest_length), length),)

    @override
    def lengths_of(self, index: Index) -> Lengths | None:
        own = self.lengths[index]
        return None if np.all(own == self.shape_of(index)) else own

    @override
    def _read(self, index: Index, workspace: Workspace) -> FeatureMap:
        tokens = self._take(index, workspace).T
        order = order_with_padding_last(tokens, self.padding_token)
        if order is not None:
            tokens = np.take_along_axis(tokens, order, axis=0)
        shape = (*self.shape_of(index), index_length(index))
        x = workspace.array("x", shape, self.dtype)
        np.copyto(x, tokens[: len(x)], casting="unsafe")
        return x

    @override
    def in_order(self, maps: Image, index: Index, length: int) -> Image:
        missing = length - maps.shape[1]
        whole = np.pad(maps, ((0, 0), (0, missing), *((0, 0),) * (maps.ndim - 2)))
        return super().in_order(whole, index, length)

    @override
    def _order(self, index: Index, n_positions: int) -> npt.NDArray[np.intp] | None:
        order = order_with_padding_last(self.X[index].T, self.padding_token)
        return None if order is None or len(order) != n_positions else order
