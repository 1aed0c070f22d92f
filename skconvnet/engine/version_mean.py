"""The mean prediction over several versions of each sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap
from skconvnet.augmentation.versions import Version
from skconvnet.losses import Loss
from skconvnet.ops.workspace import Workspace


class VersionMean:
    """Averages the predictions for versions of samples of one shape.

    At each position of outputs that are maps, the mean is that of the versions that
    show this position of the sample.

    Parameters
    ----------
    versions : sequence of Version
        The first one is the sample itself.
    """

    def __init__(self, versions: Sequence[Version]) -> None:
        self.versions = list(versions)
        # The mean is computed in place, version by version: the share of each one is
        # its weight among those so far, for flat outputs and at each position of maps.
        self._shares = _shares([version.weight for version in versions])

    @cached_property
    def _shares_at(self) -> list[npt.NDArray[np.float64]]:
        # Only outputs that are maps need them.
        return _shares_at_positions(self.versions)

    def __len__(self) -> int:
        return len(self.versions)

    def scores(
        self,
        x: FeatureMap,
        predict: Callable[[FeatureMap], FeatureMap],
        loss: Loss,
        workspace: Workspace,
    ) -> FeatureMap:
        """Return the raw scores whose prediction is the mean of all predictions.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
        predict : callable
            Returns raw scores, which the next call may overwrite.
        loss : Loss
        workspace : Workspace

        Returns
        -------
        scores : ndarray of shape (n_outputs, batch) or (n_outputs, *spatial, batch)
            An array of the workspace.
        """
        first, *others = self.versions
        y = predict(first.change(x, workspace))
        mean = workspace.array("mean", y.shape, y.dtype)
        np.copyto(mean, y)
        for number, version in enumerate(others, 1):
            y = predict(version.change(x, workspace))
            if y.ndim == 2:
                loss.mix_predictions(mean, y, self._shares[number])
            else:
                own = mean[:, *version.region]
                share = self._shares_at[number]
                loss.mix_predictions(own, version.undo(y), share)
        return mean


def _shares(weights: Sequence[float]) -> list[float]:
    """Return the share of each weight in the sum of those up to it.

    >>> _shares([0.5, 0.25, 0.25])
    [1.0, 0.3333333333333333, 0.25]
    """
    shares: list[float] = (np.array(weights) / np.cumsum(weights)).tolist()
    return shares


def _shares_at_positions(versions: Sequence[Version]) -> list[npt.NDArray[np.float64]]:
    """Return the same shares at the positions of each version's region.

    They have a last axis of length 1, for the batch.
    """
    total = np.zeros(versions[0].lengths)
    shares = []
    for version in versions:
        total[version.region] += version.weight
        shares.append(version.weight / total[version.region][..., np.newaxis])
    return shares
