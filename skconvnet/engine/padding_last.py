"""Texts whose padding is read last, wherever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Image, Index, override
from skconvnet.engine.inputs import Inputs


class PaddingLast(Inputs, ABC):
    """Texts that are read with their padding last.

    What has a value for each position is brought back into the order of the text.

    Attributes
    ----------
    padding_token : int
    """

    padding_token: int

    @abstractmethod
    def _order(self, index: Index, n_positions: int) -> npt.NDArray[np.intp] | None:
        """Return which position of its text each one that is read has.

        Parameters
        ----------
        index : ndarray of int or slice
            The texts.
        n_positions : int
            The positions of each that values are given for.

        Returns
        -------
        order : ndarray of int of shape (n_positions, n), or None
            None if it is the same position, or if the values have other positions than
            the texts.
        """

    @override
    def as_read(self, values: npt.NDArray[Any], index: Index) -> npt.NDArray[Any]:
        order = self._order(index, values.shape[1])
        if order is None:
            return values
        return np.take_along_axis(values, _shaped(order, values), axis=1)

    @override
    def in_order(self, maps: Image, index: Index, length: int) -> Image:
        order = self._order(index, maps.shape[1])
        if order is None:
            return maps
        ordered = np.empty_like(maps)
        np.put_along_axis(ordered, _shaped(order, maps), maps, axis=1)
        return ordered


def _shaped(
    order: npt.NDArray[np.intp], values: npt.NDArray[Any]
) -> npt.NDArray[np.intp]:
    """Return an order with the axes of values: (n, n_positions, 1, ...)."""
    return order.T.reshape(*order.T.shape, *(1,) * (values.ndim - 2))
