"""Versions of a sample, over which predictions are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress, product
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._foreign_words import AUGMENTATION_PARAMETERS, Words
from skconvnet._typing import FeatureMap, Shape
from skconvnet.augmentation.checks import (
    check_axes,
    check_bool,
    check_fill,
    counts_per_axis,
)
from skconvnet.augmentation.flip import mirrored_axes
from skconvnet.ops.layout import channels_last
from skconvnet.ops.moves import read_positions
from skconvnet.ops.outside import Fill
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import Params

_NDIMS = (1, 2, 3)


@dataclass(eq=False, repr=False)
class Versions(Params):
    """Mirror images and shifts of a sample, for `predict_augmentation`.

    Unlike an `Augmentation`, it draws nothing: all samples have the same versions.
    These are the sample itself and, if `shifts` are not 0, the sample moved by `shifts`
    pixels toward the start of all axes, and toward their end, and the mirror images of
    each of them. The one that is not moved counts as much as the other two together, as
    in [1]_. A mirror image counts as much as what it mirrors.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether to add mirror images that exchange left and right, along the last
        spatial axis.
    vertical : bool, default=False
        Whether to add mirror images that exchange top and bottom, along the second to
        last spatial axis.
    shifts : int or tuple of int, default=0
        The distance in pixels, smaller than the image. A tuple gives one distance per
        spatial axis.
    fill : {"constant", "nearest", "reflect"}, default="reflect"
        The value of pixels from outside the image: `fill_value`, that of the nearest
        pixel, or that of the mirrored pixel. "reflect" mirrors the image at its
        outermost pixels, without repeating them, as ``numpy.pad`` does.
    fill_value : float, default=0.0
        The value for ``fill="constant"``.

    Notes
    -----
    The mean is that of the probabilities of a classifier or the outputs of a regressor,
    after the softmax, logistic or exponential function that belongs to the loss. All
    losses are convex in them, so that the loss of the mean is at most the mean of the
    losses. `decision_function` returns the raw scores of which `predict_proba` is the
    function: for three or more classes, the logarithms of the mean probabilities. Where
    raw scores are the predictions, as with the hinge losses, it is their mean.

    If outputs are maps, mirror images and shifts are undone before the mean. Outputs
    must then have the size of the samples. A position near the edge, which some shifted
    versions do not show, has the mean of the others.

    A prediction takes as many times longer as there are versions. Training depends on
    them only by the scores of a validation set, and thereby early stopping. The bits
    are the same for every `n_jobs`. `activations`, gradients, attributions and
    `skconvnet.FeatureExtractor` see the sample alone, and `to_onnx` refuses them.

    References
    ----------
    .. [1] K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU",
       arXiv:2404.00498, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Versions
    >>> X = np.arange(1, 5).reshape(1, 4, 1)  # a sequence of one channel
    >>> for version in Versions(shifts=1).of(X):
    ...     print(*version.ravel())
    1 2 3 4
    4 3 2 1
    2 3 4 3
    3 4 3 2
    2 1 2 3
    3 2 1 2
    """

    horizontal: bool = True
    vertical: bool = False
    shifts: int | Sequence[int] = 0
    fill: str = "reflect"
    fill_value: float = 0.0

    _words: ClassVar[Words] = AUGMENTATION_PARAMETERS

    def build(self, in_shape: Shape) -> list[Version]:
        """Return the versions of samples of shape `in_shape`, channels last.

        The first one is the sample itself.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter is out of range or does not fit `in_shape`.
        """
        check_axes(type(self).__name__, in_shape, _NDIMS)
        check_bool("horizontal", self.horizontal)
        check_bool("vertical", self.vertical)
        axes = mirrored_axes(in_shape, self.horizontal, self.vertical)
        pixels = counts_per_axis("shifts", self.shifts, in_shape, low=0, below=1)
        fill = check_fill(self.fill, self.fill_value)
        lengths = in_shape[:-1]
        moves = [(0, 2)] if not any(pixels) else [(0, 2), (-1, 1), (1, 1)]
        total = sum(weight for _, weight in moves) * 2 ** len(axes)
        return [
            Version(
                lengths,
                tuple(direction * own for own in pixels),
                tuple(compress(axes, are_mirrored)),
                fill,
                weight / total,
            )
            for direction, weight in moves
            for are_mirrored in product((False, True), repeat=len(axes))
        ]

    def of(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return all versions of samples.

        Parameters
        ----------
        X : array-like of shape (n_samples, *spatial, channels)
            The samples, of any dtype.

        Returns
        -------
        versions : ndarray of shape (n_versions, n_samples, *spatial, channels)

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter does not fit X.
        """
        X = np.asarray(X)
        built = self.build(X.shape[1:])
        # This permutation of axes is its own inverse.
        x = channels_last(X)
        versions = np.empty((len(built), *X.shape), X.dtype)
        for own, version in zip(versions, built, strict=True):
            own[...] = channels_last(version.change(x, Workspace()))
        return versions


@dataclass(frozen=True)
class Version:
    """A version of samples of one shape: moved, then mirrored.

    Attributes
    ----------
    lengths : tuple of int
        The lengths of the spatial axes.
    pixels : tuple of int
        How far it is moved along each of them, toward the end.
    mirrored : tuple of int
        The axes along which it is mirrored.
    fill : float, "nearest" or "reflect"
        What positions outside the sample are.
    weight : float
        Its weight in the mean. The weights of all versions have a sum of 1.
    """

    lengths: tuple[int, ...]
    pixels: tuple[int, ...]
    mirrored: tuple[int, ...]
    fill: Fill
    weight: float

    def change(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return this version of batch-last maps, in an array of the workspace."""
        axes = range(len(self.lengths))
        positions = [self._positions(axis) for axis in axes]
        return read_positions(x, positions, self.fill, workspace)

    def _positions(self, axis: int) -> npt.NDArray[np.integer] | None:
        """Return the positions to read along an axis, None if it stays as it is."""
        pixels, is_mirrored = self.pixels[axis], axis in self.mirrored
        if not pixels and not is_mirrored:
            return None
        positions = np.arange(self.lengths[axis]) - pixels
        return positions[::-1] if is_mirrored else positions

    @property
    def region(self) -> tuple[slice, ...]:
        """The positions of the sample that this version shows."""
        return tuple(map(_staying, self.lengths, self.pixels))

    def undo(self, y: FeatureMap) -> FeatureMap:
        """Return the outputs at the positions of `region`, as a view.

        Parameters
        ----------
        y : ndarray of shape (n_outputs, *spatial, batch)
            Outputs at every position of this version.
        """
        own: FeatureMap = np.flip(y, tuple(axis + 1 for axis in self.mirrored))
        back = [-pixels for pixels in self.pixels]
        return own[:, *map(_staying, self.lengths, back)]


def _staying(length: int, pixels: int) -> slice:
    """Return the positions of a line that stay inside if it is moved toward its end.

    >>> _staying(5, 2), _staying(5, -2)
    (slice(0, 3, None), slice(2, 5, None))
    """
    return slice(max(0, -pixels), length - max(0, pixels))
