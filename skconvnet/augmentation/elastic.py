"""Random smooth distortions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter
from skconvnet.augmentation.checks import check_fill, check_number
from skconvnet.ops.outside import Fill
from skconvnet.ops.resampling import bilinear
from skconvnet.ops.workspace import Workspace

# Number of standard deviations after which the Gaussian is cut off, as in SciPy.
_TRUNCATE = 4.0
# Beyond the size of any map.
_MAX_SIGMA = 10_000


@dataclass(eq=False, repr=False)
class Elastic(Augmentation):
    """Move the pixels of each image by a smooth field of random vectors [1]_.

    A field of uniform random vectors with elements in [-1, 1] is smoothed by a
    Gaussian, with zeros around the image, and multiplied by `alpha`. Values between
    pixels are interpolated bilinearly.

    Parameters
    ----------
    alpha : float, default=34.0
        The strength of the distortion. With ``sigma=4``, the distances along each axis
        have a standard deviation of about ``0.04 * alpha`` pixels, and less near the
        edges.
    sigma : float, default=4.0
        The standard deviation of the Gaussian in pixels. A small value distorts the
        image locally, a large value moves it as a whole. The defaults are used in [1]_
        for handwritten digits of 29x29 pixels.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    References
    ----------
    .. [1] P. Y. Simard, D. Steinkraus and J. C. Platt, "Best practices for
       convolutional neural networks applied to visual document analysis", ICDAR 2003.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Elastic
    >>> images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1))
    >>> Elastic(alpha=20).augment(images, random_state=0).shape
    (3, 28, 28, 1)
    """

    alpha: float = 34.0
    sigma: float = 4.0
    fill: str = "constant"
    fill_value: float = 0.0

    spatial_ndims: ClassVar[tuple[int, ...] | None] = (2,)

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        alpha = check_number("alpha", self.alpha, low=0.0)
        sigma = check_number("sigma", self.sigma, 0.0, _MAX_SIGMA)
        outside = check_fill(self.fill, self.fill_value)
        return ElasticAugmenter(in_shape, alpha, sigma, outside) if alpha else None


class ElasticAugmenter(MapAugmenter):
    """Distorts each image by a smooth random field.

    Parameters
    ----------
    in_shape : tuple of int
    alpha, sigma : float
    fill : float, "nearest" or "reflect"
        What positions outside the image are.
    """

    moves_positions = True
    interpolates = True

    def __init__(
        self,
        in_shape: Shape,
        alpha: float,
        sigma: float,
        fill: Fill,
    ) -> None:
        super().__init__(in_shape)
        self.fill = fill
        # The Gaussian is separable: one matrix smooths the columns, the other one the
        # rows. The latter includes the strength as a factor.
        smoothing = [smoothing_matrix(n, sigma) for n in in_shape[:2]]
        smoothing[1] *= alpha
        self._smoothing = {
            np.dtype(dtype): [matrix.astype(dtype) for matrix in smoothing]
            for dtype in (np.float32, np.float64)
        }

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        field = workspace.scratch("field", (2, *x.shape[1:]), x.dtype)
        rng.random(out=field, dtype=x.dtype)
        field *= 2
        field -= 1
        return self.distorted(x, field, workspace)

    def distorted(
        self, x: FeatureMap, field: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        """Move the pixels of `x` by `field` after smoothing and scaling it.

        Parameters
        ----------
        x : ndarray of shape (channels, height, width, batch)
        field : ndarray of shape (2, height, width, batch)
            Vertical and horizontal displacement of each pixel. A contiguous array,
            which is overwritten.
        workspace : Workspace

        Returns
        -------
        y : ndarray, shaped like x
        """
        _, height, width, batch = x.shape
        over_rows, over_columns = self._smoothing[x.dtype]
        half_smoothed = workspace.scratch("half_smoothed", field.shape, x.dtype)
        lines = (2, height, width * batch)
        np.matmul(over_rows, field.reshape(lines), out=half_smoothed.reshape(lines))
        np.matmul(over_columns, half_smoothed, out=field)
        rows, columns = field
        rows += np.arange(height, dtype=x.dtype)[:, np.newaxis, np.newaxis]
        columns += np.arange(width, dtype=x.dtype)[:, np.newaxis]
        return bilinear(x, rows, columns, self.fill, workspace)


def smoothing_matrix(length: int, sigma: float) -> npt.NDArray[np.float64]:
    """Return the matrix that smooths a line by a Gaussian, with zeros around it.

    The Gaussian is sampled at whole pixels, cut off, and scaled to a sum of 1 before
    the part outside the line is discarded.

    >>> smoothing_matrix(3, 0.0).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if sigma == 0:
        return np.eye(length)
    radius = int(_TRUNCATE * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    distance = np.subtract.outer(np.arange(length), np.arange(length))
    inside = np.abs(distance) <= radius
    return np.where(inside, kernel[np.where(inside, distance + radius, 0)], 0.0)
