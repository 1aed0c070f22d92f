"""The protocol of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from skconvnet.params.base import Params


class Loss(Params, ABC):
    """A loss on raw scores, the sums of the output layer.

    Attributes
    ----------
    name : str
    output : str
        The activation that turns scores into predictions, in scikit-learn's words.
    is_probabilistic : bool
        Whether the predictions of a classifier are probabilities: whether the loss is
        least where they are those that the samples were drawn with.
    """

    name: ClassVar[str]
    output: ClassVar[str] = "identity"
    is_probabilistic: ClassVar[bool] = False

    def predict(self, scores: np.ndarray) -> None:
        """Turn raw `scores` of shape (n_outputs, batch) into predictions, in place."""
        return

    @abstractmethod
    def samplewise(self, prediction: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Return the loss of each sample, of shape (batch,)."""

    def differentiate(self, prediction: np.ndarray, target: np.ndarray) -> None:
        """Turn `prediction` into the gradient with respect to the scores, in place.

        For a loss with its canonical output activation that is their difference.
        """
        prediction -= target

    def objective(self) -> Loss:
        """Return the loss whose value is what the gradient descends, usually self."""
        return self

    def for_mixtures(self) -> Loss:
        """Return the loss for targets mixed of several samples', usually self.

        Raises
        ------
        ValueError
            If there is none.
        """
        return self

    def for_classes(self, exclusive: bool) -> Loss:
        """Return the loss for targets that are classes, usually self.

        Parameters
        ----------
        exclusive : bool
            Whether a sample has one of three or more classes, each with an output of
            its own. Otherwise outputs are independent: one for two classes, or one
            for each label that a sample may have or not.
        """
        return self

    def probabilities(self, scores: np.ndarray) -> None:
        """Turn raw `scores` into probabilities of classes, in place.

        Only for a loss that `is_probabilistic`.
        """
        self.predict(scores)

    def is_positive(self, scores: np.ndarray) -> np.ndarray:
        """Return a bool array: whether independent outputs say yes."""
        return scores > 0

    def __call__(
        self, scores: np.ndarray, target: np.ndarray, weight: np.ndarray | float
    ) -> float:
        """Return the weighted sum of losses and turn `scores` into its gradient.

        Parameters
        ----------
        scores, target : ndarray of shape (n_outputs, batch)
        weight : ndarray of shape (batch,) or float

        Returns
        -------
        value : float
        """
        self.predict(scores)
        losses = self.samplewise(scores, target)
        losses *= weight
        value = float(np.add.reduce(losses))
        self.differentiate(scores, target)
        scores *= weight
        return value
