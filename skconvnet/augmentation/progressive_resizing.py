"""Images that are small at first, and grow with the epochs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import ceil

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_float, check_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, Batch
from skconvnet.augmentation.origin import Epoch
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class ProgressiveResizing(Augmentation):
    """Train on small images first, and on images of the full size last [1]_ [2]_.

    The epochs are divided into `stages` of equal length. From stage to stage, the size
    grows by equal steps, up to the full size in the last stage. The time of an epoch is
    about proportional to the number of pixels, so more epochs fit into the same time.

    The network must take images of all these sizes, which have to lead to weights of
    the same shapes: use ``global_pooling="avg"`` in a `ConvNetClassifier`. Among other
    augmentations, this one comes last.

    Parameters
    ----------
    smallest : float, default=0.5
        The size of the images in the first stage, as a fraction of the full size along
        each spatial axis, in (0, 1]. Sizes are rounded to whole pixels.
    stages : int, default=3
        The number of stages, at least 2. If there are fewer epochs, the first stages
        are left out.

    Notes
    -----
    A pixel of a smaller image is the mean of the area that it covers. Predictions and
    validation are about the full size.

    Losses of different sizes cannot be compared. So `n_iter_no_change`, and the
    schedules "adaptive" and "plateau", count epochs of the full size only, and
    `best_loss_` is the smallest loss of these; it is infinite before the first one.
    With early stopping, the weights of the best score are kept, whichever stage they
    are from, since every score is about the full size.

    The stages end after `max_iter` epochs. Set ``n_iter_no_change=np.inf`` to keep
    training from stopping within the last stage. Each call of ``partial_fit`` counts as
    an epoch; after `max_iter` epochs, and with "lbfgs", images have the full size.

    References
    ----------
    .. [1] J. Howard, "Training Imagenet in 3 hours for USD 25; and CIFAR10 for USD
       0.26", fast.ai, 2018.
    .. [2] M. Tan and Q. V. Le, "EfficientNetV2: smaller models and faster training",
       ICML 2021, section 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import ProgressiveResizing
    >>> photos = np.zeros((5, 32, 32, 3), dtype=np.uint8)
    >>> ProgressiveResizing(0.75).augment(photos).shape  # as in the first epoch
    (5, 24, 24, 3)
    """

    smallest: float = 0.5
    stages: int = 3

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        smallest = check_float(
            "smallest",
            self.smallest,
            "a number in (0, 1], the fraction of the full size",
            lambda fraction: 0 < fraction <= 1,
        )
        stages = check_int("stages", self.stages, minimum=2)
        factors = [
            smallest + (1 - smallest) * stage / (stages - 1) for stage in range(stages)
        ]
        *spatial, channels = in_shape
        shapes = [
            (*(max(round(factor * n), 1) for n in spatial), channels)
            for factor in factors
        ]
        return ResizingAugmenter(in_shape, shapes) if len(set(shapes)) > 1 else None


class ResizingAugmenter(Augmenter):
    """Shrinks samples to the size of the stage that the epoch belongs to.

    Parameters
    ----------
    in_shape : tuple of int
    shapes : list of tuple of int
        The shape of a sample in each stage, channels last.
    """

    needs_origin = True

    def __init__(self, in_shape: Shape, shapes: list[Shape]) -> None:
        super().__init__(in_shape)
        self.shapes = shapes

    @property
    @override
    def out_shapes(self) -> set[Shape]:
        return set(self.shapes)

    @override
    def out_shape(self, in_shape: Shape, epoch: Epoch | None) -> Shape:
        assert epoch is not None
        return self.shapes[stage_of(epoch, len(self.shapes))]

    @override
    def is_comparable(self, epoch: Epoch) -> bool:
        return self.out_shape(self.in_shape, epoch) == self.shapes[-1]

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        assert batch.origin is not None
        shape = self.out_shape(self.in_shape, batch.origin.epoch)
        if shape == self.in_shape:
            return batch
        return batch._replace(x=shrunk(batch.x, shape[:-1], workspace))


def stage_of(epoch: Epoch, stages: int) -> int:
    """Return the number of the stage in which an epoch ends, counted from 0.

    The last epoch always belongs to the last stage, and so do later ones.

    >>> [stage_of(Epoch(number, 0, n_planned=6), 3) for number in range(8)]
    [0, 0, 1, 1, 2, 2, 2, 2]
    >>> stage_of(Epoch(0, 0, n_planned=1), 3)
    2
    """
    n_ended = min(epoch.number + 1, epoch.n_planned)
    return ceil(n_ended * stages / epoch.n_planned) - 1


def shrunk(x: FeatureMap, spatial: Shape, workspace: Workspace) -> FeatureMap:
    """Return maps of a smaller size, in an array of the workspace.

    The axes are shrunk one after the other, each by a product with a matrix. With the
    axes before and after it as one each, that of length n becomes one of length m::

        (m, n) @ (before, n, after)  ->  (before, m, after)

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
        Read only.
    spatial : tuple of int
        The new lengths.
    workspace : Workspace
    """
    for axis, length in enumerate(spatial, start=1):
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        y = workspace.array(f"shrunk{axis}", (*before, length, *after), x.dtype)
        n_before, n_after = int(np.prod(before)), int(np.prod(after))
        np.matmul(
            _area_matrix(x.shape[axis], length, x.dtype.name),
            x.reshape(n_before, x.shape[axis], n_after),
            out=y.reshape(n_before, length, n_after),
        )
        x = y
    return x


@cache
def _area_matrix(n: int, m: int, dtype: str) -> npt.NDArray[np.floating]:
    return area_matrix(n, m).astype(dtype)


def area_matrix(n: int, m: int) -> npt.NDArray[np.float64]:
    """Return the matrix of shape (m, n) that shrinks n values to m means.

    Each of the m values is the mean over an m-th of the whole length, in which values
    count by the part of them that lies in it.

    >>> area_matrix(3, 2)
    array([[0.66666667, 0.33333333, 0.        ],
           [0.        , 0.33333333, 0.66666667]])
    """
    edges = np.arange(m + 1) * (n / m)
    values = np.arange(n)
    starts = np.maximum(edges[:-1, np.newaxis], values)
    ends = np.minimum(edges[1:, np.newaxis], values + 1)
    parts: npt.NDArray[np.float64] = np.maximum(ends - starts, 0.0)
    return parts * (m / n)
