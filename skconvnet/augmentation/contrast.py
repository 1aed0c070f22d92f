"""Random changes of contrast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.checks import check_range
from skconvnet.augmentation.value_base import (
    Bound,
    ValueAugmentation,
    ValueAugmenter,
    ValueRange,
)


@dataclass(eq=False, repr=False)
class Contrast(ValueAugmentation):
    """Multiply the differences of all values from their mean by a random factor.

    The mean is taken over each channel of each sample.

    Parameters
    ----------
    factor : float or (float, float), default=0.2
        The largest change: 0.2 means factors from 0.8 to 1.2. Alternatively, a pair
        with the smallest and the largest factor, neither of them negative.
    value_range : (float, float) or None, default=None
        The smallest and the largest value that a sample may have; values beyond these
        are clipped. None means the smallest and the largest value of each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Contrast
    >>> image = np.array([10, 20, 30, 40], dtype=np.uint8).reshape(1, 2, 2, 1)
    >>> Contrast((2, 2), value_range=(0, 50)).augment(image).ravel()
    array([ 0, 15, 35, 50], dtype=uint8)
    """

    _neutral = 1.0

    @override
    def _factors(self) -> tuple[float, float]:
        return check_range("factor", self.factor, center=1.0, low=0.0)

    @override
    def _augmenter(
        self, in_shape: Shape, factors: tuple[float, float], value_range: ValueRange
    ) -> ValueAugmenter:
        return ContrastAugmenter(in_shape, factors, value_range)


class ContrastAugmenter(ValueAugmenter):
    """Multiplies the differences from the mean of each channel by the factor."""

    @override
    def _apply(
        self, x: FeatureMap, factor: FeatureMap, span: Bound, y: FeatureMap
    ) -> None:
        channels, batch = x.shape[0], x.shape[-1]
        values = x.reshape(channels, -1, batch)
        mean = values.mean(axis=1, keepdims=True)
        changed = y.reshape(values.shape)
        np.subtract(values, mean, out=changed)
        changed *= factor
        changed += mean
