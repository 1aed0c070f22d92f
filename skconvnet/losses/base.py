"""The base class of losses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._foreign_words import LOSS_PARAMETERS, Words
from skconvnet._typing import FeatureMap
from skconvnet.losses.mixtures import MIXTURES, Share
from skconvnet.params.base import Params

# One number per sample: (batch,).
PerSample: TypeAlias = npt.NDArray[np.floating]


class Loss(Params, ABC):
    """A loss of raw scores, the values of the output layer before its activation.

    A loss includes the activation that turns scores into predictions: the derivative of
    their composition is often simpler than the two derivatives, and does not overflow
    if an output saturates. Calling a loss runs `predict`, `samplewise` and
    `differentiate` in this order, so that one array holds first the scores, then the
    predictions, and finally the gradient.

    Attributes
    ----------
    name : str
        The name of the loss, a value of the hyperparameter `loss`.
    output : str
        The activation that turns scores into predictions, named as in scikit-learn.
    is_probabilistic : bool
        Whether the predictions of a classifier are probabilities, because the true
        probabilities of the classes minimize the expected loss.
    """

    name: ClassVar[str]
    output: ClassVar[str] = "identity"
    is_probabilistic: ClassVar[bool] = False
    _words: ClassVar[Words] = LOSS_PARAMETERS

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

        With the canonical output activation of a loss, the gradient is the difference
        of prediction and target.

        Parameters
        ----------
        prediction, target : ndarray of shape (n_outputs, batch)
            `prediction` is overwritten with the gradient.
        """
        prediction -= target

    def objective(self) -> Loss:
        """Return the loss whose gradient `differentiate` computes, usually self."""
        return self

    def for_mixtures(self) -> Loss:
        """Return the loss for targets that are mixtures of classes, usually self.

        Raises
        ------
        ValueError
            If the loss cannot be used with mixtures.
        """
        return self

    def for_classes(
        self,
        exclusive: bool,  # noqa: ARG002  for subclasses
    ) -> Loss:
        """Return the loss for targets that are classes, usually self.

        Parameters
        ----------
        exclusive : bool
            Whether each sample belongs to exactly one of three or more classes, with
            one output per class. Otherwise outputs are independent: a single one for
            two classes, or one per label.
        """
        return self

    def probabilities(self, scores: FeatureMap) -> None:
        """Turn raw scores into probabilities of classes, in place.

        Only defined if `is_probabilistic` is True.

        Parameters
        ----------
        scores : ndarray of shape (n_outputs, batch)
        """
        self.predict(scores)

    def mix_predictions(
        self, scores: FeatureMap, others: FeatureMap, share: Share
    ) -> None:
        """Turn scores into those whose prediction is a mixture of two, in place.

        The prediction is ``(1 - share) * p + share * q``, with p and q for the
        predictions of `scores` and `others`.

        Parameters
        ----------
        scores, others : ndarray of shape (n_outputs, ...)
            `others` are only read.
        share : float or ndarray, in (0, 1)
            The share of the others, which is broadcast.
        """
        MIXTURES[self.output](scores, others, np.asarray(share, scores.dtype))

    def output_slope(self, prediction: FeatureMap) -> FeatureMap:
        """Return the derivative of predictions with respect to their own raw scores.

        Only defined for losses of regressors, each of whose predictions depends on a
        single score.

        Parameters
        ----------
        prediction : ndarray of shape (n_outputs, batch)
            Only read.
        """
        return np.ones_like(prediction)

    def is_positive(self, scores: FeatureMap) -> npt.NDArray[np.bool_]:
        """Return which independent outputs predict the positive class.

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
        """Return the weighted sum of the losses, and turn the scores into its gradient.

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
