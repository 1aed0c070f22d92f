"""The score of each sample whose gradient with respect to the sample is asked for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Index
from skconvnet.engine.inputs import index_numbers
from skconvnet.losses import Loss


@dataclass(frozen=True)
class TargetScores:
    """One score per sample: an output of the network, multiplied by a factor.

    Attributes
    ----------
    outputs : ndarray of int of shape (n_samples,)
        The output of each sample.
    factors : ndarray of shape (n_samples,)
        Its factor: -1 for the first of two classes that share one output, or the
        standard deviation of a y that the network predicts standardized.
    loss : Loss or None
        The loss whose output activation belongs to the score, as in regression. None
        means the raw score.

    Examples
    --------
    >>> target = TargetScores(np.array([0, 1]), np.array([1.0, -1.0]), None)
    >>> scores = np.array([[1.0, 2.0], [3.0, 4.0]])  # (n_outputs, batch)
    >>> target.values(scores, slice(0, 2))
    array([ 1., -4.])
    >>> target.differentiate(scores, slice(0, 2))
    >>> scores
    array([[ 1.,  0.],
           [ 0., -1.]])
    """

    outputs: npt.NDArray[np.integer]
    factors: npt.NDArray[np.floating]
    loss: Loss | None

    def __len__(self) -> int:
        return len(self.outputs)

    def at(self, index: Index) -> TargetScores:
        """Return the scores of the samples at `index`, which may repeat samples."""
        return TargetScores(self.outputs[index], self.factors[index], self.loss)

    def values(self, scores: FeatureMap, index: Index) -> npt.NDArray[np.floating]:
        """Return the score of each sample at `index`, without any constant offset.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs, batch)
            The raw scores of these samples. Overwritten.
        index : ndarray of int or slice
        """
        if self.loss is not None:
            self.loss.predict(scores)
        own: npt.NDArray[np.floating] = scores[self._positions(index)]
        return own * self.factors[index].astype(own.dtype)

    def differentiate(self, scores: FeatureMap, index: Index) -> None:
        """Turn raw scores into the derivatives of the samples' own score, in place."""
        positions = self._positions(index)
        slopes = self.factors[index].astype(scores.dtype)
        if self.loss is not None:
            self.loss.predict(scores)
            slopes *= self.loss.output_slope(scores)[positions]
        scores.fill(0)
        scores[positions] = slopes

    def _positions(
        self, index: Index
    ) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
        """Return where the scores of the samples at `index` are in (outputs, batch)."""
        outputs = self.outputs[index]
        return outputs, np.arange(len(index_numbers(index)))
