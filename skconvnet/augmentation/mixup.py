"""Random mixtures of two samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.augmentation.base import Augmentation, Augmenter, Batch
from skconvnet.augmentation.checks import check_number
from skconvnet.ops.workspace import Workspace


@dataclass(eq=False, repr=False)
class Mixup(Augmentation):
    """Blend each sample with another one, and their targets in the same ratio [1]_.

    A sample becomes ``share * own + (1 - share) * partner``, where share is drawn from
    the Beta(alpha, alpha) distribution. The partners are a random permutation of the
    samples of a micro-batch, which all have the same size. If there are sample weights
    or class weights, each of the two targets is weighted by its share times the weight
    of its sample.

    Parameters
    ----------
    alpha : float, default=0.2
        The parameter of the distribution. With a small value, most samples are left
        nearly unchanged; with 1, all shares are equally likely; with a large value, all
        shares are close to one half. With 0, nothing is mixed.

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

    @override
    def _build(self, in_shape: Shape) -> Augmenter | None:
        alpha = check_number("alpha", self.alpha, low=0.0)
        return MixupAugmenter(in_shape, alpha) if alpha else None


class MixupAugmenter(Augmenter):
    """Blends each sample with another of its micro-batch.

    Parameters
    ----------
    in_shape : tuple of int
    alpha : float
    """

    mixes_targets = True

    def __init__(self, in_shape: Shape, alpha: float) -> None:
        super().__init__(in_shape)
        self.alpha = alpha

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        n = batch.x.shape[-1]
        partner = rng.permutation(n)
        share = rng.beta(self.alpha, self.alpha, (n,))
        return mixed(batch, partner, 1 - share, workspace)


def mixed(
    batch: Batch,
    partner: npt.NDArray[np.integer],
    share: npt.NDArray[np.floating],
    workspace: Workspace,
) -> Batch:
    """Blend each sample with its partner.

    Parameters
    ----------
    batch : Batch
    partner : ndarray of int of shape (batch,)
        Index of the partner in the micro-batch.
    share : ndarray of shape (batch,)
        Share of the partner, in [0, 1].
    workspace : Workspace

    Returns
    -------
    batch : Batch
    """
    x, targets, weights, origin = batch
    target_share = share
    if isinstance(weights, np.ndarray):
        own = (1 - share) * weights
        others = share * weights[..., partner]
        total = own + others
        shares = np.broadcast_to(share, total.shape).copy()
        target_share = np.divide(others, total, out=shares, where=total > 0)
        weights = total.astype(weights.dtype)
    return Batch(
        _blended("x", x, partner, share, workspace),
        _blended("targets", targets, partner, target_share, workspace),
        weights,
        origin,
    )


def _blended(
    name: str,
    x: FeatureMap,
    partner: npt.NDArray[np.integer],
    share: npt.NDArray[np.floating],
    workspace: Workspace,
) -> FeatureMap:
    """Blend batch-last arrays into the array `name` of the workspace.

    `share` has the shape of the last axes of `x`: one for each sample, or position.
    """
    share = share.astype(x.dtype)
    if x.ndim == 2:
        # Flat features are transposed rows, and so are targets.
        x, share, axis = x.T, share[:, np.newaxis], 0
    else:
        axis = x.ndim - 1
    y = workspace.array(name, x.shape, x.dtype)
    np.take(x, partner, axis=axis, out=y, mode="wrap")
    y -= x
    y *= share
    y += x
    return y.T if axis == 0 else y
