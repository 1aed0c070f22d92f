"""Random rotation, scaling, shear and translation of images, with interpolation."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter, uniform
from skconvnet.augmentation.checks import (
    check_fill,
    check_number,
    check_range,
    per_axis,
)
from skconvnet.ops.outside import Fill
from skconvnet.ops.resampling import bilinear
from skconvnet.ops.workspace import Workspace

# Shear angles must be less than 90 degrees.
_LARGEST_SHEAR = 89.0

# The smallest and the largest value to draw for a sample.
_Bounds: TypeAlias = tuple[float, float]
# A number per sample: (batch,).
_PerSample: TypeAlias = npt.NDArray[np.float64]


class AffineBounds(NamedTuple):
    """Bounds within which the parts of an affine map are drawn.

    Attributes
    ----------
    rotation, shear : (float, float)
        Angles in degrees.
    scaling : (float, float)
        Factors.
    shift : (float, float)
        Largest vertical and horizontal distance in pixels, in either direction.
    """

    rotation: _Bounds = (0.0, 0.0)
    scaling: _Bounds = (1.0, 1.0)
    shear: _Bounds = (0.0, 0.0)
    shift: _Bounds = (0.0, 0.0)


class AffineAugmentation(Augmentation):
    """Base class of random affine maps; subclasses define which parts they have."""

    fill: str
    fill_value: float

    spatial_ndims: ClassVar[tuple[int, ...] | None] = (2,)

    @abstractmethod
    def _bounds(self) -> AffineBounds:
        """Check the hyperparameters, and return the bounds."""

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        bounds = self._bounds()
        outside = check_fill(self.fill, self.fill_value)
        is_identity = bounds == AffineBounds()
        return None if is_identity else AffineAugmenter(in_shape, bounds, outside)


@dataclass(eq=False, repr=False)
class Affine(AffineAugmentation):
    """Rotate, scale, shear and move each image at random, in a single interpolation.

    The image is scaled about its center, then sheared, then rotated, then moved. Values
    between pixels are interpolated bilinearly. A single `Affine` is faster than
    `Rotation`, `Scaling` and `Shear` in sequence, and blurs the image less.

    Parameters
    ----------
    rotation : float or (float, float), default=0.0
        The largest angle in degrees, in either direction, or a pair with the smallest
        and the largest angle. Positive angles are counterclockwise, as in
        `numpy.rot90`.
    scaling : float or (float, float), default=0.0
        The largest change of size: 0.1 means factors from 0.9 to 1.1. Alternatively, a
        pair with the smallest and the largest factor. Factors above 1 enlarge the
        image.
    shear : float or (float, float), default=0.0
        The largest angle in degrees by which columns are slanted, in either direction,
        or a pair with the smallest and the largest angle. Angles are less than 90.
        Positive angles move the top to the right.
    shift : float or (float, float), default=0.0
        The largest distance in pixels in either direction, which need not be a whole
        number. A pair gives the largest vertical and the largest horizontal distance.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Affine
    >>> images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1))
    >>> Affine(rotation=10, scaling=0.1).augment(images, random_state=0).shape
    (3, 28, 28, 1)
    """

    rotation: float | tuple[float, float] = 0.0
    scaling: float | tuple[float, float] = 0.0
    shear: float | tuple[float, float] = 0.0
    shift: float | tuple[float, float] = 0.0
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _bounds(self) -> AffineBounds:
        vertical, horizontal = per_axis("shift", self.shift, 2, "number")
        return AffineBounds(
            rotation=check_range("rotation", self.rotation),
            scaling=_check_factors("scaling", self.scaling),
            shear=_check_shear("shear", self.shear),
            shift=(
                check_number("shift", vertical, low=0.0),
                check_number("shift", horizontal, low=0.0),
            ),
        )


@dataclass(eq=False, repr=False)
class Rotation(AffineAugmentation):
    """Rotate each image by a random angle about its center.

    Parameters
    ----------
    degrees : float or (float, float), default=10.0
        The largest angle in either direction, or a pair with the smallest and the
        largest angle. Positive angles are counterclockwise.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Rotation
    >>> image = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> Rotation((90, 90)).augment(image).reshape(2, 2)
    array([[2, 4],
           [1, 3]])
    """

    degrees: float | tuple[float, float] = 10.0
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _bounds(self) -> AffineBounds:
        return AffineBounds(rotation=check_range("degrees", self.degrees))


@dataclass(eq=False, repr=False)
class Scaling(AffineAugmentation):
    """Scale each image by a random factor about its center; its shape stays the same.

    Parameters
    ----------
    factor : float or (float, float), default=0.1
        The largest change of size: 0.1 means factors from 0.9 to 1.1. Alternatively, a
        pair with the smallest and the largest factor. Factors above 1 enlarge the
        image.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Scaling
    >>> image = np.zeros((1, 4, 4, 1), dtype=int)
    >>> image[:, 1:3, 1:3] = 8
    >>> Scaling((3, 3)).augment(image).ravel().tolist() == [8] * 16
    True
    """

    factor: float | tuple[float, float] = 0.1
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _bounds(self) -> AffineBounds:
        return AffineBounds(scaling=_check_factors("factor", self.factor))


@dataclass(eq=False, repr=False)
class Shear(AffineAugmentation):
    """Slant the columns of each image by a random angle about its center.

    Parameters
    ----------
    degrees : float or (float, float), default=10.0
        The largest angle in either direction, or a pair with the smallest and the
        largest angle. Angles are less than 90. Positive angles move the top to the
        right.
    fill : {"constant", "nearest", "reflect"}, default="constant"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Shear
    >>> image = np.zeros((1, 3, 3, 1), dtype=int)
    >>> image[:, :, 1] = 1
    >>> Shear((45, 45)).augment(image).reshape(3, 3)
    array([[0, 0, 1],
           [0, 1, 0],
           [1, 0, 0]])
    """

    degrees: float | tuple[float, float] = 10.0
    fill: str = "constant"
    fill_value: float = 0.0

    @override
    def _bounds(self) -> AffineBounds:
        return AffineBounds(shear=_check_shear("degrees", self.degrees))


def _check_factors(name: str, value: object) -> _Bounds:
    least, most = check_range(name, value, center=1.0)
    if least <= 0:
        raise ValueError(
            f"{name} must allow only factors above 0; got {value!r}, which allows "
            f"factors in [{least:g}, {most:g}]."
        )
    return least, most


def _check_shear(name: str, value: object) -> _Bounds:
    return check_range(name, value, low=-_LARGEST_SHEAR, high=_LARGEST_SHEAR)


class AffineAugmenter(MapAugmenter):
    """Transforms each image by an affine map of its own.

    Parameters
    ----------
    in_shape : tuple of int
    bounds : AffineBounds
    fill : float, "nearest" or "reflect"
        What positions outside the image are.
    """

    moves_positions = True
    interpolates = True

    def __init__(self, in_shape: Shape, bounds: AffineBounds, fill: Fill) -> None:
        super().__init__(in_shape)
        self.bounds = bounds
        self.fill = fill

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        batch = x.shape[-1]
        angle = np.deg2rad(uniform(rng, self.bounds.rotation, batch))
        slant = np.deg2rad(uniform(rng, self.bounds.shear, batch))
        factor = uniform(rng, self.bounds.scaling, batch)
        shift = np.array(
            [uniform(rng, (-most, most), batch) for most in self.bounds.shift]
        )
        matrix = inverse_affine(angle, factor, slant)
        return transformed(x, matrix, shift, self.fill, workspace)


def inverse_affine(
    angle: _PerSample, factor: _PerSample, slant: _PerSample
) -> npt.NDArray[np.float64]:
    """Return the matrices that invert a scaling, shear and rotation, in this order.

    A matrix maps a position (row, column) of the result, relative to the center, to the
    position of the image that is read. With a the rotation angle, s the shear angle and
    f the factor, it is ::

        1   [    1    0 ]   [  cos a   sin a ]
        - * [           ] * [                ]
        f   [ tan s   1 ]   [ -sin a   cos a ]

    Parameters
    ----------
    angle, factor, slant : ndarray of shape (batch,)
        Angles in radians.

    Returns
    -------
    matrix : ndarray of shape (2, 2, batch)
    """
    cos, sin, tan = np.cos(angle), np.sin(angle), np.tan(slant)
    rotated: npt.NDArray[np.float64] = np.array([[cos, sin], [-sin, cos]])
    rotated[1] += tan * rotated[0]
    return rotated / factor


def transformed(
    x: FeatureMap,
    matrix: npt.NDArray[np.float64],
    shift: npt.NDArray[np.float64],
    fill: Fill,
    workspace: Workspace,
) -> FeatureMap:
    """Transform each image by the inverse of its matrix, then move it.

    Position p of sample n is read from position
    ``center + matrix[..., n] @ (p - center - shift[:, n])``.

    Parameters
    ----------
    x : ndarray of shape (channels, height, width, batch)
    matrix : ndarray of shape (2, 2, batch)
    shift : ndarray of shape (2, batch)
        Distances by which the result is moved, down and to the right.
    fill : float, "nearest" or "reflect"
        What positions outside the image are.
    workspace : Workspace

    Returns
    -------
    y : ndarray, shaped like x
        The array "y" of the workspace.
    """
    _, height, width, batch = x.shape
    center = ((height - 1) / 2, (width - 1) / 2)
    down, right = np.arange(height) - center[0], np.arange(width) - center[1]
    positions = []
    for axis, name in enumerate(("rows", "columns")):
        of_row, of_column = matrix[axis]
        offset = center[axis] - of_row * shift[0] - of_column * shift[1]
        # of_row * row + of_column * column + offset, as an outer sum.
        by_row = np.multiply.outer(down, of_row) + offset
        by_column = np.multiply.outer(right, of_column)
        position = workspace.scratch(name, (height, width, batch), x.dtype)
        np.add(
            by_row.astype(x.dtype)[:, np.newaxis],
            by_column.astype(x.dtype),
            out=position,
        )
        positions.append(position)
    rows, columns = positions
    return bilinear(x, rows, columns, fill, workspace)
