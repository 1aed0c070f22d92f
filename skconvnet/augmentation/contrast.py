"""Random changes of contrast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from skconvnet.augmentation.base import Augmentation, Augmenter, uniform
from skconvnet.augmentation.checks import check_range
from skconvnet.augmentation.values import ValueAugmenter, check_value_range
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Contrast(Augmentation):
    """Multiply by a random factor what the values of a sample are off their mean.

    The mean is that of each channel of each sample.

    Parameters
    ----------
    factor : float or (float, float), default=0.2
        Largest change: 0.2 stands for factors of 0.8 to 1.2. A pair gives the factors
        (least, largest) themselves; none is negative.
    value_range : (float, float) or None, default=None
        Smallest and largest value that a sample may have: what goes beyond is cut
        off. None takes those of each sample itself.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Contrast
    >>> image = np.array([10, 20, 30, 40], dtype=np.uint8).reshape(1, 2, 2, 1)
    >>> Contrast((2, 2), value_range=(0, 50)).augment(image).ravel()
    array([ 0, 15, 35, 50], dtype=uint8)
    """

    factor: Any = 0.2
    value_range: Any = None

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        factors = check_range("factor", self.factor, centre=1.0, low=0.0)
        value_range = check_value_range(self.value_range)
        if factors == (1.0, 1.0):
            return None
        return ContrastAugmenter(in_shape, factors, value_range)


class ContrastAugmenter(ValueAugmenter):
    def change(
        self, x: np.ndarray, rng: np.random.Generator, workspace: Workspace
    ) -> np.ndarray:
        channels, batch = x.shape[0], x.shape[-1]
        least, most = self.value_range.of(x)
        factor = uniform(rng, self.factors, x.shape[-1]).astype(x.dtype)
        cells = x.reshape(channels, -1, batch)
        mean = cells.mean(axis=1, keepdims=True)
        y = workspace.array("y", x.shape, x.dtype)
        changed = y.reshape(cells.shape)
        np.subtract(cells, mean, out=changed)
        changed *= factor
        changed += mean
        np.clip(y, least, most, out=y)
        return y
