"""The sum of a loss over several groups of outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, override
from skconvnet.losses.base import Loss, PerSample
from skconvnet.losses.mixtures import Share


class GroupedLoss(Loss):
    """The same loss of several groups of outputs, one for each column of y, summed.

    A classifier with several outputs per sample uses it. Each group has the scores of
    the classes of one column, and its own softmax.

    Parameters
    ----------
    loss : Loss
        The loss of a group.
    sizes : sequence of int
        The number of scores in each group, in order.

    Examples
    --------
    >>> from skconvnet.losses import LogLoss
    >>> scores = np.zeros((5, 1))
    >>> target = np.array([[1.0, 0, 0, 1, 0]]).T
    >>> round(GroupedLoss(LogLoss(), [2, 3])(scores, target, 1.0), 4)  # log(2) + log(3)
    1.7918
    """

    def __init__(self, loss: Loss, sizes: Sequence[int]) -> None:
        self.loss = loss
        self.sizes = list(sizes)
        # Attributes of a class are those of the loss of a group.
        self.name = loss.name  # type: ignore[misc]
        self.output = loss.output  # type: ignore[misc]
        self.is_probabilistic = loss.is_probabilistic  # type: ignore[misc]

    @property
    def _groups(self) -> list[slice]:
        ends = np.cumsum(self.sizes).tolist()
        return [slice(end - n, end) for n, end in zip(self.sizes, ends, strict=True)]

    @override
    def predict(self, scores: FeatureMap) -> None:
        for group in self._groups:
            self.loss.predict(scores[group])

    @override
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        losses = [self.loss.samplewise(prediction[g], target[g]) for g in self._groups]
        total: PerSample = np.sum(losses, axis=0)
        return total

    @override
    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        for group in self._groups:
            self.loss.differentiate(prediction[group], target[group])

    @override
    def objective(self) -> Loss:
        return GroupedLoss(self.loss.objective(), self.sizes)

    @override
    def for_mixtures(self) -> Loss:
        return GroupedLoss(self.loss.for_mixtures(), self.sizes)

    @override
    def probabilities(self, scores: FeatureMap) -> None:
        for group in self._groups:
            self.loss.probabilities(scores[group])

    @override
    def mix_predictions(
        self, scores: FeatureMap, others: FeatureMap, share: Share
    ) -> None:
        for group in self._groups:
            self.loss.mix_predictions(scores[group], others[group], share)

    @override
    def is_positive(self, scores: FeatureMap) -> npt.NDArray[np.bool_]:
        return self.loss.is_positive(scores)
