"""Random changes of brightness."""

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
class Brightness(ValueAugmentation):
    """Add a random number to all values of a sample, within their range.

    Parameters
    ----------
    factor : float or (float, float), default=0.2
        The largest change in either direction, at most 1, as a fraction of the range of
        the values. Alternatively, a pair with the smallest and the largest change.
    value_range : (float, float) or None, default=None
        The smallest and the largest value that a sample may have; values beyond these
        are clipped. None means the smallest and the largest value of each sample.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Brightness
    >>> image = np.array([0, 100, 200, 255], dtype=np.uint8).reshape(1, 2, 2, 1)
    >>> Brightness((0.2, 0.2), value_range=(0, 255)).augment(image).ravel()
    array([ 51, 151, 251, 255], dtype=uint8)
    """

    _neutral = 0.0

    @override
    def _factors(self) -> tuple[float, float]:
        return check_range("factor", self.factor, low=-1.0, high=1.0)

    @override
    def _augmenter(
        self, in_shape: Shape, factors: tuple[float, float], value_range: ValueRange
    ) -> ValueAugmenter:
        return BrightnessAugmenter(in_shape, factors, value_range)


class BrightnessAugmenter(ValueAugmenter):
    """Adds the factor times the width of the range."""

    @override
    def _apply(
        self, x: FeatureMap, factor: FeatureMap, span: Bound, y: FeatureMap
    ) -> None:
        np.add(x, factor * span, out=y)
