"""Random changes of brightness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skconvnet.augmentation.base import Augmentation, Augmenter, uniform
from skconvnet.augmentation.checks import check_range
from skconvnet.augmentation.values import ValueAugmenter, check_value_range
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Brightness(Augmentation):
    """Add a random number to all values of a sample, within their range.

    Parameters
    ----------
    factor : float or (float, float), default=0.2
        Largest change to either side, as a part of the range of the values, at most 1;
        or the pair (least, largest).
    value_range : (float, float) or None, default=None
        Smallest and largest value that a sample may have: what goes beyond is cut
        off. None takes those of each sample itself.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Brightness
    >>> image = np.array([0, 100, 200, 255], dtype=np.uint8).reshape(1, 2, 2, 1)
    >>> Brightness((0.2, 0.2), value_range=(0, 255)).augment(image).ravel()
    array([ 51, 151, 251, 255], dtype=uint8)
    """

    factor: Any = 0.2
    value_range: Any = None

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        factors = check_range("factor", self.factor, low=-1.0, high=1.0)
        value_range = check_value_range(self.value_range)
        if factors == (0.0, 0.0):
            return None
        return BrightnessAugmenter(in_shape, factors, value_range)


class BrightnessAugmenter(ValueAugmenter):
    def change(
        self, x: np.ndarray, rng: np.random.Generator, workspace: Workspace
    ) -> np.ndarray:
        least, most = self.value_range.of(x)
        part = uniform(rng, self.factors, x.shape[-1]).astype(x.dtype)
        y = workspace.array("y", x.shape, x.dtype)
        np.add(x, part * (most - least), out=y)
        return np.clip(y, least, most, out=y)
