"""Padding samples and cropping them back to their size at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from skconvnet._typing import Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter
from skconvnet.augmentation.checks import check_fill, counts_per_axis
from skconvnet.augmentation.shift import ShiftAugmenter


@dataclass(eq=False, repr=False)
class Crop(Augmentation):
    """Pad each sample and crop it back to its size at a random position.

    This is the "random crop with padding" of 4 pixels of 32x32 photographs [1]_. All
    positions of the window are equally likely, so the sample moves by up to `padding`
    pixels: it is `Shift` under the name that is usual there.

    Parameters
    ----------
    padding : int or tuple of int, default=4
        Pixels added on each side, fewer than the image has; a tuple gives a number for
        each spatial axis.
    fill : {"constant", "nearest"}, default="constant"
        What is added: `fill_value`, or the nearest pixel.
    fill_value : float, default=0.0
        Used by "constant".

    References
    ----------
    .. [1] K. He et al., "Deep residual learning for image recognition", CVPR 2016,
       section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Crop
    >>> photos = np.zeros((5, 32, 32, 3), dtype=np.uint8)
    >>> Crop(4).augment(photos, random_state=0).shape
    (5, 32, 32, 3)
    """

    padding: Any = 4
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        pixels = counts_per_axis("padding", self.padding, in_shape, low=0, below=1)
        outside = check_fill(self.fill, self.fill_value)
        return ShiftAugmenter(in_shape, pixels, outside) if any(pixels) else None
