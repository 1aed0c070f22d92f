"""Random shifts by whole pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter
from skconvnet.augmentation.checks import (
    check_fill,
    check_number,
    counts_per_axis,
    per_axis,
)
from skconvnet.ops.outside import Fill
from skconvnet.ops.resampling import gather
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Shift(Augmentation):
    """Move each sample by a random whole number of pixels along each axis.

    Every distance from ``-max_pixels`` to ``max_pixels`` is equally likely.

    Parameters
    ----------
    max_pixels : int or tuple of int, default=None
        The largest distance, which must be smaller than the image. A tuple gives one
        distance per spatial axis, (vertical, horizontal) for images. None uses
        `fraction`.
    fraction : float or tuple of float, default=0.1
        The largest distance as a fraction, in [0, 1), of the length of an axis, rounded
        down to whole pixels. Only used if `max_pixels` is None.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Shift
    >>> X = np.arange(1, 6).reshape(1, 5, 1)  # a sequence of one channel
    >>> moved = {tuple(Shift(1).augment(X, random_state=i).ravel()) for i in range(20)}
    >>> for sequence in sorted(moved):
    ...     print(*sequence)
    0 1 2 3 4
    1 2 3 4 5
    2 3 4 5 0
    """

    max_pixels: int | Sequence[int] | None = None
    fraction: float | Sequence[float] = 0.1
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        pixels = self._largest(in_shape)
        outside = check_fill(self.fill, self.fill_value)
        return ShiftAugmenter(in_shape, pixels, outside) if any(pixels) else None

    def _largest(self, in_shape: Shape) -> list[int]:
        """Return the largest distance along each spatial axis."""
        lengths = in_shape[:-1]
        fractions = per_axis("fraction", self.fraction, len(lengths), "float")
        for value in fractions:
            if check_number("fraction", value, 0.0, 1.0) == 1.0:
                raise ValueError(
                    "fraction must be a number in [0, 1), or one per spatial "
                    f"axis; got {self.fraction!r}."
                )
        if self.max_pixels is not None:
            return counts_per_axis(
                "max_pixels", self.max_pixels, in_shape, low=0, below=1
            )
        return [int(f * n) for f, n in zip(fractions, lengths, strict=True)]


class ShiftAugmenter(MapAugmenter):
    """Moves each sample by whole pixels.

    Parameters
    ----------
    in_shape : tuple of int
    max_pixels : list of int
        Largest distance along each spatial axis.
    fill : float, "nearest" or "reflect"
        What positions outside the map are.
    """

    moves_positions = True

    def __init__(self, in_shape: Shape, max_pixels: list[int], fill: Fill) -> None:
        super().__init__(in_shape)
        self.max_pixels = max_pixels
        self.fill = fill

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        pixels = [rng.integers(-m, m + 1, (x.shape[-1],)) for m in self.max_pixels]
        return shifted(x, pixels, self.fill, workspace)


def shifted(
    x: FeatureMap,
    pixels: Sequence[npt.NDArray[np.integer]],
    fill: Fill,
    workspace: Workspace,
) -> FeatureMap:
    """Move sample n of batch-last maps by ``pixels[axis][n]``, toward the end."""
    sources = [
        np.subtract.outer(np.arange(length), distance)
        for length, distance in zip(x.shape[1:-1], pixels, strict=True)
    ]
    return gather(x, sources, fill, workspace)
