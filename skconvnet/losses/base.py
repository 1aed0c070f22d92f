"""The protocol of a loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap
from skconvnet.params.base import Params

# One number per sample: (batch,).
PerSample: TypeAlias = npt.NDArray[np.floating]


class Loss(Params, ABC):
    """A loss on raw scores, the sums of the output layer.

    A loss belongs with the activation that turns scores into predictions: the
    derivative of both together is often simpler than that of either, and does not
    overflow where an output saturates. Calling a loss runs `predict`, `samplewise` and
    `differentiate` in this order, so that one array holds first the scores, then the
    predictions, and at last the gradient.

    Attributes
    ----------
    name : str
        What `loss` of an estimator is set to.
    output : str
        The activation that turns scores into predictions, in scikit-learn's words.
    is_probabilistic : bool
        Whether the predictions of a classifier are probabilities: whether the expected
        loss is least for the true probabilities of the classes.
    """

    name: ClassVar[str]
    output: ClassVar[str] = "identity"
    is_probabilistic: ClassVar[bool] = False

    def predict(self, scores: FeatureMap) -> None:
        """Turn raw scores into predictions, in place.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs, batch)
        """

    @abstractmethod
    def samplewise(self, prediction: FeatureMap, target: FeatureMap) -> PerSample:
        """Return the loss of each sample.

        Parameters
        ----------
        prediction, target : ndarray of shape (n_outputs, batch)
            Only read.

        Returns
        -------
        losses : ndarray of shape (batch,)
        """

    def differentiate(self, prediction: FeatureMap, target: FeatureMap) -> None:
        """Turn predictions into the gradient with respect to the scores, in place.

        For a loss with its canonical output activation that is their difference.

        Parameters
        ----------
        prediction, target : ndarray of shape (n_outputs, batch)
            The first is overwritten.
        """
        prediction -= target

    def objective(self) -> Loss:
        """Return the loss whose gradient `differentiate` gives, usually self."""
        return self

    def for_mixtures(self) -> Loss:
        """Return the loss for targets that are mixtures of classes, usually self.

        Raises
        ------
        ValueError
            If there is none.
        """
        return self

    def for_classes(
        self,
        exclusive: bool,  # noqa: ARG002 - for subclasses
    ) -> Loss:
        """Return the loss for targets that are classes, usually self.

        Parameters
        ----------
        exclusive : bool
            Whether each sample belongs to one of three or more classes, each with an
            output of its own. Otherwise outputs are independent: one for two classes,
            or one for each label that a sample may have or not.
        """
        return self

    def probabilities(self, scores: FeatureMap) -> None:
        """Turn raw scores into probabilities of classes, in place.

        Only for a loss that `is_probabilistic`.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs, batch)
        """
        self.predict(scores)

    def is_positive(self, scores: FeatureMap) -> npt.NDArray[np.bool_]:
        """Return whether independent outputs say yes.

        Parameters
        ----------
        scores : ndarray of any shape

        Returns
        -------
        is_positive : ndarray of bool, shaped like scores
        """
        return scores > 0

    def __call__(
        self, scores: FeatureMap, target: FeatureMap, weight: PerSample | float
    ) -> float:
        """Return the weighted sum of the losses, and turn scores into its gradient.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs, batch)
            Overwritten with the gradient of the sum with respect to the scores.
        target : ndarray of shape (n_outputs, batch)
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
