"""Random mirror images, drawn anew in each epoch or alternating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, Batch, MapAugmenter
from skconvnet.augmentation.checks import check_bool, check_number
from skconvnet.ops.resampling import gather
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Flip(Augmentation):
    """Mirror samples at random, in each epoch or in every other one.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether to exchange left and right, along the last spatial axis.
    vertical : bool, default=False
        Whether to exchange top and bottom, along the second to last spatial axis.
    probability : float, default=0.5
        The probability of each exchange, drawn separately for each sample. With
        `alternate`, that of the first epoch.
    alternate : bool, default=False
        Whether to draw only in the first epoch, and to make each exchange in every
        other epoch from then on [1]_, so that two epochs in a row train on both
        versions of each sample. Where a sample may be mirrored along two axes, the
        vertical exchange alternates half as often: four epochs in a row train on all
        four versions.

    Notes
    -----
    With ``alternate=True``, a sample is known by its position in the X of `fit` or
    `partial_fit`, and each call of `partial_fit` counts as an epoch. If the calls get
    parts of the data in turn, a part may then be seen in one version only, for example
    with two parts: leave `alternate` at False for them. Epochs are counted on by
    `partial_fit`, by `fit` with `warm_start`, and from a checkpoint. "lbfgs" uses one
    version of each sample throughout.

    References
    ----------
    .. [1] K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU",
       arXiv:2404.00498, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Flip
    >>> image = np.array([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    >>> Flip(probability=1.0).augment(image).reshape(2, 2)
    array([[2, 1],
           [4, 3]])
    """

    horizontal: bool = True
    vertical: bool = False
    probability: float = 0.5
    alternate: bool = False

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        check_bool("horizontal", self.horizontal)
        check_bool("vertical", self.vertical)
        check_bool("alternate", self.alternate)
        probability = check_number("probability", self.probability, 0.0, 1.0)
        axes = mirrored_axes(in_shape, self.horizontal, self.vertical)
        if not axes:
            return None
        if self.alternate:
            return AlternatingFlipAugmenter(in_shape, axes, probability)
        return FlipAugmenter(in_shape, axes, probability) if probability > 0 else None


def mirrored_axes(in_shape: Shape, horizontal: bool, vertical: bool) -> list[int]:
    """Return the spatial axes along which samples of this shape are mirrored.

    Raises
    ------
    ValueError
        If samples have no vertical axis.
    """
    n_axes = len(in_shape) - 1
    if vertical and n_axes == 1:
        raise ValueError(
            f"vertical=True requires samples with at least 2 spatial axes, but "
            f"they have shape {in_shape}; use horizontal=True to mirror sequences."
        )
    axes = [n_axes - 1] if horizontal else []
    return [*axes, n_axes - 2] if vertical else axes


class FlipAugmenter(Augmenter):
    """Mirrors samples at random along some of the axes.

    Parameters
    ----------
    in_shape : tuple of int
    axes : list of int
        Spatial axes.
    probability : float
    """

    moves_positions = True

    def __init__(self, in_shape: Shape, axes: list[int], probability: float) -> None:
        super().__init__(in_shape)
        self.axes = axes
        self.probability = probability

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        shape = len(self.in_shape) - 1, batch.x.shape[-1]
        is_flipped: npt.NDArray[np.bool_] = np.zeros(shape, np.bool_)
        for axis in sorted(self.axes):
            is_flipped[axis] = self.draw(axis, batch, rng)
        return _GivenFlips(self.in_shape, is_flipped)(batch, rng, workspace)

    def draw(
        self,
        axis: int,  # noqa: ARG002  for subclasses
        batch: Batch,
        rng: np.random.Generator,
    ) -> npt.NDArray[np.bool_]:
        """Return which samples of the micro-batch are mirrored along an axis."""
        return rng.random((batch.x.shape[-1],)) < self.probability


class AlternatingFlipAugmenter(FlipAugmenter):
    """Mirrors samples at random in the first epoch, then in turn.

    Parameters
    ----------
    in_shape : tuple of int
    axes : list of int
        Spatial axes. The first alternates from epoch to epoch, the second half as
        often.
    probability : float
        That a sample is mirrored in the first epoch.
    """

    needs_origin = True

    @override
    def draw(
        self, axis: int, batch: Batch, rng: np.random.Generator
    ) -> npt.NDArray[np.bool_]:
        assert batch.origin is not None
        first = batch.origin.draw_once(purpose=axis) < self.probability
        is_other = batch.origin.epoch.number >> self.axes.index(axis) & 1 == 1
        is_flipped: npt.NDArray[np.bool_] = first != is_other
        return is_flipped


class _GivenFlips(MapAugmenter):
    """Mirrors the samples of one micro-batch, and targets of positions with them.

    Parameters
    ----------
    in_shape : tuple of int
    is_flipped : ndarray of bool of shape (n_axes, batch)
        Along which axes each sample is mirrored.
    """

    moves_positions = True

    def __init__(self, in_shape: Shape, is_flipped: npt.NDArray[np.bool_]) -> None:
        super().__init__(in_shape)
        self.is_flipped = is_flipped

    @override
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        sources = []
        for own, length in zip(self.is_flipped, x.shape[1:-1], strict=True):
            positions = np.arange(length)[:, np.newaxis]
            sources.append(np.where(own, positions[::-1], positions))
        return gather(x, sources, 0.0, workspace)
