"""Mixtures of two samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from skconvnet.augmentation.base import Augmentation, Augmenter, Batch
from skconvnet.augmentation.checks import check_number
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Mixup(Augmentation):
    """Blend each sample with another one, and their targets in the same shares [1]_.

    A sample becomes ``share * own + (1 - share) * partner`` with a share drawn from
    the Beta distribution of (alpha, alpha); the partners are a random permutation of
    the part of the minibatch that is worked through at a time, in which all samples are
    of one size. Where samples have
    weights, those of classes included, each of the two counts in the target by its
    share times its weight.

    Parameters
    ----------
    alpha : float, default=0.2
        Small ones leave most samples nearly as they are, 1 makes all shares equally
        likely, large ones make halves of all. 0 mixes nothing.

    References
    ----------
    .. [1] H. Zhang et al., "mixup: beyond empirical risk minimization", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.augmentation import Mixup
    >>> images = np.array([0.0, 100.0]).reshape(2, 1, 1, 1)
    >>> mixed, targets = Mixup(1.0).augment(images, np.eye(2), random_state=1)
    >>> bool(np.allclose(mixed.ravel(), 100 * targets[:, 1]))
    True
    """

    alpha: float = 0.2

    spatial_ndims: ClassVar[tuple[int, ...] | None] = None

    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        alpha = check_number("alpha", self.alpha, low=0.0)
        return MixupAugmenter(in_shape, alpha) if alpha else None


class MixupAugmenter(Augmenter):
    mixes_targets = True

    def __init__(self, in_shape: tuple[int, ...], alpha: float) -> None:
        super().__init__(in_shape)
        self.alpha = alpha

    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        n = batch.x.shape[-1]
        partner = rng.permutation(n)
        share = rng.beta(self.alpha, self.alpha, (n,))
        return mixed(batch, partner, 1 - share, workspace)


def mixed(
    batch: Batch, partner: np.ndarray, share: np.ndarray, workspace: Workspace
) -> Batch:
    """Blend each sample with the one numbered `partner`, which has a part of `share`.

    Parameters
    ----------
    batch : Batch
    partner : ndarray of int of shape (batch,)
    share : ndarray of shape (batch,)
        In [0, 1].
    workspace : Workspace
    """
    x, targets, weights = batch
    target_share = share
    if isinstance(weights, np.ndarray):
        own = (1 - share) * weights
        others = share * weights[partner]
        total = own + others
        target_share = np.divide(others, total, out=share.copy(), where=total > 0)
        weights = total.astype(weights.dtype)
    return Batch(
        _blended("x", x, partner, share, workspace),
        _blended("targets", targets, partner, target_share, workspace),
        weights,
    )


def _blended(
    name: str, x: np.ndarray, partner: np.ndarray, share: np.ndarray, ws: Workspace
) -> np.ndarray:
    share = share.astype(x.dtype)
    if x.ndim == 2:
        # Flat features come as the transpose of rows, as targets do.
        x, share, axis = x.T, share[:, np.newaxis], 0
    else:
        axis = x.ndim - 1
    y = ws.array(name, x.shape, x.dtype)
    np.take(x, partner, axis=axis, out=y, mode="wrap")
    y -= x
    y *= share
    y += x
    return y.T if axis == 0 else y
