"""Random mirror images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, MapAugmenter
from skconvnet.augmentation.checks import check_number
from skconvnet.ops.resampling import gather
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Flip(Augmentation):
    """Mirror samples at random.

    Parameters
    ----------
    horizontal : bool, default=True
        Whether to exchange left and right, along the last spatial axis.
    vertical : bool, default=False
        Whether to exchange top and bottom, along the second to last spatial axis.
    probability : float, default=0.5
        The probability of each exchange, drawn separately for each sample.

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

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        _check_bool("horizontal", self.horizontal)
        _check_bool("vertical", self.vertical)
        probability = check_number("probability", self.probability, 0.0, 1.0)
        n_axes = len(in_shape) - 1
        if self.vertical and n_axes == 1:
            raise ValueError(
                f"vertical=True requires samples with at least 2 spatial axes, but "
                f"they have shape {in_shape}; use horizontal=True to mirror sequences."
            )
        axes = [n_axes - 1] if self.horizontal else []
        axes += [n_axes - 2] if self.vertical else []
        if not axes or probability == 0:
            return None
        return FlipAugmenter(in_shape, axes, probability)


class FlipAugmenter(MapAugmenter):
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
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        batch = x.shape[-1]
        sources = []
        for axis, length in enumerate(x.shape[1:-1]):
            positions = np.arange(length)[:, np.newaxis]
            is_flipped = np.zeros(batch, dtype=bool)
            if axis in self.axes:
                is_flipped = rng.random((batch,)) < self.probability
            sources.append(np.where(is_flipped, positions[::-1], positions))
        return gather(x, sources, 0.0, workspace)


def _check_bool(name: str, value: object) -> None:
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False; got {value!r}.")
