"""The loss of guessing, without looking at X, to compare the loss of training with."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Rows
from skconvnet.engine.map_targets import MapSamples
from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._sampling import weighted_samples
from skconvnet.losses import Loss

# The root of the mean square from which targets are large for a network's outputs.
_LARGE = 10.0

# Samples that a loss is estimated from.
_SOME = 1000

# Rows of targets that are enough, if a sample has many.
_MANY_ROWS = 100_000


class Guessing:
    """What constant outputs cost, estimated from some of the samples with a weight.

    Nothing is computed before it is asked for.

    Parameters
    ----------
    samples : Samples
        The training samples.
    loss : Loss
    is_regression : bool
    n_samples : int, default=1000
        At most this many are used.
    """

    def __init__(
        self,
        samples: Samples,
        loss: Loss,
        *,
        is_regression: bool,
        n_samples: int = _SOME,
    ) -> None:
        self._samples = samples
        self._n_samples = n_samples
        self.loss = loss
        self.is_regression = is_regression

    def of_fewer(self, n_samples: int) -> Guessing:
        """Return the same, estimated from at most this many samples."""
        return Guessing(
            self._samples,
            self.loss,
            is_regression=self.is_regression,
            n_samples=n_samples,
        )

    @cached_property
    def index(self) -> npt.NDArray[np.integer]:
        """The samples that the losses are estimated from."""
        index = weighted_samples(self._samples)
        n_samples = self._n_samples
        if self.has_maps:
            fewer = max(_MANY_ROWS // self._samples.rows_per_sample, 1)
            n_samples = min(n_samples, fewer)
        return index[:: -(-len(index) // n_samples) or 1]

    @cached_property
    def _rows(self) -> tuple[Rows, npt.NDArray[np.floating] | None]:
        return self._samples.rows(self.index)

    @property
    def has_maps(self) -> bool:
        """Whether a sample has targets for each position."""
        return isinstance(self._samples, MapSamples)

    @property
    def targets(self) -> Rows:
        """Targets of the samples that the losses are estimated from.

        Those of maps have a row for each position. There are none if no sample has a
        weight. Then nothing else is defined.
        """
        return self._rows[0]

    @property
    def _weights(self) -> npt.NDArray[np.floating] | None:
        return self._rows[1]

    @property
    def targets_are_large(self) -> bool:
        """Whether outputs would need long to reach real targets from around 0."""
        squares = np.square(self.targets.astype(np.float64))
        return self.is_regression and bool(np.sqrt(np.mean(squares)) > _LARGE)

    def mean_loss(self) -> float:
        """Return the mean loss of the best guess.

        For classes, all scores are 0. For real targets, each output is the mean target;
        if the targets are so small that weights soon reach them, the mean or 0,
        whichever is worse.
        """
        of_zero = self.mean_loss_of(np.zeros(self.targets.shape[1]))
        if not self.is_regression:
            return of_zero
        mean = np.average(self.targets, axis=0, weights=self._weights)
        if self.loss.output == "exp":
            mean = np.log(np.maximum(mean, np.finfo(np.float64).tiny))
        of_mean = self.mean_loss_of(mean.astype(np.float64))
        return of_mean if self.targets_are_large else max(of_mean, of_zero)

    def mean_loss_of(self, scores: npt.NDArray[np.float64]) -> float:
        """Return the mean loss of raw scores.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs,) or (n_samples, n_outputs)
            The same for all samples, or of each sample.
        """
        predictions = np.broadcast_to(scores, self.targets.shape).T.copy()
        self.loss.predict(predictions)
        losses = self.loss.samplewise(predictions, self.targets.T.astype(np.float64))
        return float(np.average(losses, weights=self._weights))
