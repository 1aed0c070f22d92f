"""Augmentation of samples of different sizes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, Batch, JointAugmenter
from skconvnet.augmentation.origin import Epoch
from skconvnet.ops.workspace import Workspace


class SizedAugmenter(JointAugmenter):
    """Changes each micro-batch, whose samples have one size, by its own augmenter.

    Parameters
    ----------
    by_shape : dict of tuple of int to Augmenter or None
        The augmenter for each shape of a sample, channels last.
    """

    def __init__(self, by_shape: dict[Shape, Augmenter | None]) -> None:
        parts = [one for one in by_shape.values() if one is not None]
        super().__init__(next(iter(by_shape)), parts)
        self.by_shape = by_shape

    @property
    @override
    def out_shapes(self) -> set[Shape]:
        return set[Shape]().union(
            *(
                {shape} if augmenter is None else augmenter.out_shapes
                for shape, augmenter in self.by_shape.items()
            )
        )

    @override
    def out_shape(self, in_shape: Shape, epoch: Epoch | None) -> Shape:
        augmenter = self.by_shape[in_shape]
        return in_shape if augmenter is None else augmenter.out_shape(in_shape, epoch)

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        channels, *spatial = batch.x.shape[:-1]
        augmenter = self.by_shape[(*spatial, channels)]
        return batch if augmenter is None else augmenter(batch, rng, workspace)


def build_for_shapes(
    augmentation: Augmentation, shapes: Iterable[Shape]
) -> Augmenter | None:
    """Return an augmenter for samples of these shapes, or None if none would change.

    >>> from skconvnet.augmentation import Shift
    >>> augmenter = build_for_shapes(Shift(2), [(8, 8, 1), (9, 6, 1)])
    >>> sorted(augmenter.by_shape)
    [(8, 8, 1), (9, 6, 1)]
    """
    by_shape = {shape: augmentation.build(shape) for shape in sorted(shapes)}
    if len(by_shape) == 1:
        return next(iter(by_shape.values()))
    changes_none = all(augmenter is None for augmenter in by_shape.values())
    return None if changes_none else SizedAugmenter(by_shape)
