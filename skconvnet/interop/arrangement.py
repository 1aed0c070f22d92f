"""The order in which PyTorch has the values of a sample, channels first.

Our maps are channels last, those of PyTorch channels first. So they flatten in another
order: a dense layer after `Flatten` needs the rows of its kernel in that order. An
`Arrangement` follows the values of a sample from layer to layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Where the values of a sample in PyTorch are in our sample.

    Attributes
    ----------
    shape : tuple of int
        The shape of our sample, channels last.
    index : ndarray of int, in the shape of PyTorch's sample
        For each value, its position in our sample, flattened.
    channels_last : bool
        Whether it is a map as ours, which only an `Embedding` returns in PyTorch.

    Examples
    --------
    >>> Arrangement.channels_first((2, 2, 3)).reshaped((12,)).index
    array([ 0,  3,  6,  9,  1,  4,  7, 10,  2,  5,  8, 11])
    """

    shape: Shape
    index: npt.NDArray[np.intp]
    channels_last: bool = False

    @classmethod
    def as_ours(cls, shape: Shape) -> Arrangement:
        """Return the arrangement in which PyTorch has the values as we have them."""
        return cls(shape, np.arange(prod(shape)).reshape(shape), len(shape) > 1)

    @classmethod
    def channels_first(cls, shape: Shape) -> Arrangement:
        """Return PyTorch's arrangement of a map; flat features are the same in both."""
        return cls(shape, np.moveaxis(cls.as_ours(shape).index, -1, 0))

    @property
    def is_map(self) -> bool:
        """Whether a sample has spatial axes."""
        return len(self.shape) > 1

    def equals(self, other: Arrangement) -> bool:
        """Whether all values are at the same places."""
        same_form = self.channels_last == other.channels_last
        return same_form and np.array_equal(self.index, other.index)

    def is_usual(self) -> bool:
        """Whether a layer sees the same channels and positions in PyTorch as here."""
        return self.equals(Arrangement.channels_first(self.shape))

    def reshaped(self, shape: Shape) -> Arrangement:
        """Return the arrangement after both samples are reshaped, each in its order."""
        if shape == self.shape:
            return self
        theirs = (shape[-1], *shape[:-1])
        return Arrangement(shape, self.index.reshape(theirs))


def joined(parts: Sequence[Arrangement]) -> Arrangement:
    """Return the arrangement of samples that are joined along the channels.

    Maps must all be channels first, or all channels last.
    """
    first = parts[0]
    shape = (*first.shape[:-1], sum(part.shape[-1] for part in parts))
    if first.is_map:
        if first.channels_last:
            return Arrangement.as_ours(shape)
        return Arrangement.channels_first(shape)
    starts = np.cumsum([0, *(part.shape[-1] for part in parts)])
    index = [part.index + start for part, start in zip(parts, starts, strict=False)]
    return Arrangement(shape, np.concatenate(index))
