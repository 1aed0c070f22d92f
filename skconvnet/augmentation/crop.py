"""Random crops of padded samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skconvnet._typing import Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter
from skconvnet.augmentation.checks import check_fill, counts_per_axis
from skconvnet.augmentation.shift import ShiftAugmenter


@dataclass(eq=False, repr=False)
class Crop(Augmentation):
    """Pad each sample and crop it back to its size at a random position.

    This is the usual "random crop with padding" of 32x32 photographs [1]_. All
    positions of the crop are equally likely, so each sample moves by up to `padding`
    pixels, which is equivalent to `Shift`.

    Parameters
    ----------
    padding : int or tuple of int, default=4
        The number of pixels added on each side, less than the size of the image. A
        tuple gives one number per spatial axis.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of the added pixels: `fill_value`, that of the nearest pixel, or that
        of the mirrored pixel. "reflect" mirrors the image at its outermost pixels,
        without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

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

    padding: int | Sequence[int] = 4
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        pixels = counts_per_axis("padding", self.padding, in_shape, low=0, below=1)
        outside = check_fill(self.fill, self.fill_value)
        return ShiftAugmenter(in_shape, pixels, outside) if any(pixels) else None
