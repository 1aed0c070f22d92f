"""Masking of a random square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter
from skconvnet.augmentation.checks import check_number, counts_per_axis
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Cutout(Augmentation):
    """Fill a square at a random position of each sample, in all channels [1]_.

    Its center may be any pixel, so part of the square may be outside the sample.

    Parameters
    ----------
    size : int or tuple of int, default=8
        The side length of the square in pixels, at most as large as the image. A tuple
        gives one length per spatial axis.
    fill_value : float, default=0.0
        The value of the pixels in the square.

    References
    ----------
    .. [1] T. DeVries and G. W. Taylor, "Improved regularization of convolutional
       neural networks with cutout", arXiv:1708.04552, 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Cutout
    >>> image = np.ones((1, 4, 4, 1), dtype=int)
    >>> Cutout(2).augment(image, random_state=0).reshape(4, 4)
    array([[1, 1, 1, 1],
           [1, 1, 1, 1],
           [1, 0, 0, 1],
           [1, 0, 0, 1]])
    """

    size: int | Sequence[int] = 8
    fill_value: float = 0.0

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        sizes = counts_per_axis("size", self.size, in_shape, low=0, below=0)
        fill_value = check_number("fill_value", self.fill_value)
        return CutoutAugmenter(in_shape, sizes, fill_value) if all(sizes) else None


class CutoutAugmenter(MapAugmenter):
    """Fills a square of each sample.

    Parameters
    ----------
    in_shape : tuple of int
    sizes : list of int
        Length of the square along each spatial axis.
    fill_value : float
    """

    def __init__(self, in_shape: Shape, sizes: list[int], fill_value: float) -> None:
        super().__init__(in_shape)
        self.sizes = sizes
        self.fill_value = fill_value

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        batch = x.shape[-1]
        centers = [rng.integers(0, length, (batch,)) for length in x.shape[1:-1]]
        return self.masked(x, centers, workspace)

    def masked(
        self,
        x: FeatureMap,
        centers: Sequence[npt.NDArray[np.integer]],
        workspace: Workspace,
    ) -> FeatureMap:
        """Fill the square around ``centers[axis][n]`` in each sample n of `x`.

        A square of even size has one more pixel before its center than after it.
        """
        # Each step of the loop adds one spatial axis to the mask: (*axes, batch).
        mask: npt.NDArray[np.bool_] = np.ones(x.shape[-1], dtype=np.bool_)
        for axis, (size, center) in enumerate(zip(self.sizes, centers, strict=True)):
            distance = np.subtract.outer(np.arange(x.shape[1 + axis]), center)
            distance += size // 2
            inside = (distance >= 0) & (distance < size)
            wider = workspace.scratch(
                f"mask{axis}", (*mask.shape[:-1], *inside.shape), np.bool_
            )
            mask = np.logical_and(mask[..., np.newaxis, :], inside, out=wider)
        y = workspace.array("y", x.shape, x.dtype)
        np.copyto(y, x)
        np.copyto(y, x.dtype.type(self.fill_value), where=mask)
        return y
