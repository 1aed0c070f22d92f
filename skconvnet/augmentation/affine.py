"""Turning, scaling, shearing and moving images, between pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter, uniform
from skconvnet.augmentation.checks import (
    check_fill,
    check_number,
    check_range,
    per_axis,
)
from skconvnet.ops.resampling import bilinear
from skconvnet.ops.workspace import Workspace

_STEEPEST = 89.0


@dataclass(eq=False, repr=False)
class Affine(Augmentation):
    """Turn, scale, shear and move each image at random, in a single interpolation.

    About the centre of the image: first it is scaled, then sheared, then turned, then
    moved. Values between pixels are interpolated bilinearly. One `Affine` is faster
    than `Rotation`, `Scaling` and `Shear` one after the other, and blurs less.

    Parameters
    ----------
    rotation : float or (float, float), default=0.0
        Largest angle in degrees to either side, or the pair (least, largest), positive
        for a turn against the clock, as `numpy.rot90` turns.
    scaling : float or (float, float), default=0.0
        Largest change of size: 0.1 stands for factors of 0.9 to 1.1. A pair gives the
        factors (least, largest) themselves; above 1 the image grows.
    shear : float or (float, float), default=0.0
        Largest angle in degrees, below 90, by which columns are slanted, or the pair
        (least, largest), positive for tops that move to the right.
    shift : float or (float, float), default=0.0
        Largest distance in pixels, which need not be whole; a pair gives the largest
        vertical and the largest horizontal one.
    fill : {"constant", "nearest"}, default="constant"
        What is outside of the image: `fill_value`, or the nearest pixel.
    fill_value : float, default=0.0

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Affine
    >>> images = np.random.default_rng(0).uniform(size=(3, 28, 28, 1))
    >>> Affine(rotation=10, scaling=0.1).augment(images, random_state=0).shape
    (3, 28, 28, 1)
    """

    rotation: Any = 0.0
    scaling: Any = 0.0
    shear: Any = 0.0
    shift: Any = 0.0
    fill: str = "constant"
    fill_value: float = 0.0

    spatial_ndims: ClassVar[tuple[int, ...]] = (2,)

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        shifts = per_axis("shift", self.shift, 2, "number")
        return _build_affine(
            in_shape,
            self,
            rotation=check_range("rotation", self.rotation),
            scaling=_check_factors("scaling", self.scaling),
            shear=_check_shear("shear", self.shear),
            shift=[check_number("shift", value, low=0.0) for value in shifts],
        )


@dataclass(eq=False, repr=False)
class Rotation(Augmentation):
    """Turn each image by a random angle about its centre.

    Parameters
    ----------
    degrees : float or (float, float), default=10.0
        Largest angle to either side, or the pair (least, largest), positive for a turn
        against the clock.
    fill : {"constant", "nearest"}, default="constant"
        What is outside of the image: `fill_value`, or the nearest pixel.
    fill_value : float, default=0.0

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Rotation
    >>> image = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> Rotation((90, 90)).augment(image).reshape(2, 2)
    array([[2, 4],
           [1, 3]])
    """

    degrees: Any = 10.0
    fill: str = "constant"
    fill_value: float = 0.0

    spatial_ndims: ClassVar[tuple[int, ...]] = (2,)

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        return _build_affine(
            in_shape, self, rotation=check_range("degrees", self.degrees)
        )


@dataclass(eq=False, repr=False)
class Scaling(Augmentation):
    """Scale each image by a random factor about its centre, keeping its frame.

    Parameters
    ----------
    factor : float or (float, float), default=0.1
        Largest change: 0.1 stands for factors of 0.9 to 1.1. A pair gives the factors
        (least, largest) themselves; above 1 the image grows.
    fill : {"constant", "nearest"}, default="constant"
        What is outside of the image: `fill_value`, or the nearest pixel.
    fill_value : float, default=0.0

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Scaling
    >>> image = np.zeros((1, 4, 4, 1), dtype=int)
    >>> image[:, 1:3, 1:3] = 8
    >>> Scaling((3, 3)).augment(image).ravel().tolist() == [8] * 16
    True
    """

    factor: Any = 0.1
    fill: str = "constant"
    fill_value: float = 0.0

    spatial_ndims: ClassVar[tuple[int, ...]] = (2,)

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        factors = _check_factors("factor", self.factor)
        return _build_affine(in_shape, self, scaling=factors)


@dataclass(eq=False, repr=False)
class Shear(Augmentation):
    """Slant the columns of each image by a random angle about its centre.

    Parameters
    ----------
    degrees : float or (float, float), default=10.0
        Largest angle to either side, below 90, or the pair (least, largest), positive
        for tops that move to the right.
    fill : {"constant", "nearest"}, default="constant"
        What is outside of the image: `fill_value`, or the nearest pixel.
    fill_value : float, default=0.0

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

    degrees: Any = 10.0
    fill: str = "constant"
    fill_value: float = 0.0

    spatial_ndims: ClassVar[tuple[int, ...]] = (2,)

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        return _build_affine(
            in_shape, self, shear=_check_shear("degrees", self.degrees)
        )


def _check_factors(name: str, value: Any) -> tuple[float, float]:
    least, most = check_range(name, value, centre=1.0)
    if least <= 0:
        raise ValueError(
            f"{name} must keep all factors above 0; got {value!r}, which stands for "
            f"[{least:g}, {most:g}]."
        )
    return least, most


def _check_shear(name: str, value: Any) -> tuple[float, float]:
    return check_range(name, value, low=-_STEEPEST, high=_STEEPEST)


def _build_affine(
    in_shape: tuple[int, ...],
    spec: Any,
    *,
    rotation: tuple[float, float] = (0.0, 0.0),
    scaling: tuple[float, float] = (1.0, 1.0),
    shear: tuple[float, float] = (0.0, 0.0),
    shift: list[float] | None = None,
) -> Augmenter | None:
    shift = [0.0, 0.0] if shift is None else shift
    outside = check_fill(spec.fill, spec.fill_value)
    is_still = rotation == shear == (0.0, 0.0) and scaling == (1.0, 1.0)
    if is_still and not any(shift):
        return None
    return AffineAugmenter(in_shape, rotation, scaling, shear, shift, outside)


class AffineAugmenter(MapAugmenter):
    def __init__(
        self,
        in_shape: tuple[int, ...],
        rotation: tuple[float, float],
        scaling: tuple[float, float],
        shear: tuple[float, float],
        shift: list[float],
        fill: float | None,
    ) -> None:
        super().__init__(in_shape)
        self.rotation = rotation
        self.scaling = scaling
        self.shear = shear
        self.shift = shift
        self.fill = fill

    def change(
        self, x: np.ndarray, rng: np.random.Generator, workspace: Workspace
    ) -> np.ndarray:
        batch = x.shape[-1]
        angle, slant = (
            np.deg2rad(uniform(rng, degrees, batch))
            for degrees in (self.rotation, self.shear)
        )
        factor = uniform(rng, self.scaling, batch)
        shift = np.array([uniform(rng, (-most, most), batch) for most in self.shift])
        matrix = inverse_affine(angle, factor, slant)
        return transformed(x, matrix, shift, self.fill, workspace)


def inverse_affine(
    angle: np.ndarray, factor: np.ndarray, slant: np.ndarray
) -> np.ndarray:
    """Return where (row, column) of a scaled, sheared, turned image comes from.

    Parameters
    ----------
    angle, factor, slant : ndarray of shape (batch,)
        Angles in radians.

    Returns
    -------
    matrix : ndarray of shape (2, 2, batch)
    """
    cos, sin, tan = np.cos(angle), np.sin(angle), np.tan(slant)
    # Undone in the reverse order: the turn, then the shear, then the scaling.
    turned = np.array([[cos, sin], [-sin, cos]])
    turned[1] += tan * turned[0]
    return turned / factor


def transformed(
    x: np.ndarray,
    matrix: np.ndarray,
    shift: np.ndarray,
    fill: float | None,
    workspace: Workspace,
) -> np.ndarray:
    """Read each pixel of sample n, about the centre, at ``matrix[..., n]`` of it.

    Parameters
    ----------
    x : ndarray of shape (channels, height, width, batch)
    matrix : ndarray of shape (2, 2, batch)
    shift : ndarray of shape (2, batch)
        How far the result is moved, down and to the right.
    fill : float or None
    workspace : Workspace
    """
    _, height, width, batch = x.shape
    centre = ((height - 1) / 2, (width - 1) / 2)
    down, right = np.arange(height) - centre[0], np.arange(width) - centre[1]
    places = []
    for axis, name in enumerate(("rows", "columns")):
        of_row, of_column = matrix[axis]
        offset = centre[axis] - of_row * shift[0] - of_column * shift[1]
        by_row = np.multiply.outer(down, of_row) + offset
        by_column = np.multiply.outer(right, of_column)
        place = workspace.scratch(name, (height, width, batch), x.dtype)
        np.add(
            by_row.astype(x.dtype)[:, np.newaxis],
            by_column.astype(x.dtype),
            out=place,
        )
        places.append(place)
    rows, columns = places
    return bilinear(x, rows, columns, fill, workspace)
