"""Training by the probabilities of a larger network, in place of labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

_MIN_PROBABILITY = 0.005


class WeightedLabels(NamedTuple):
    """Labels with weights, several per sample.

    Attributes
    ----------
    sample_indices : ndarray of shape (n_labels,), int
    labels : ndarray of shape (n_labels,)
    sample_weight : ndarray of shape (n_labels,)
        Those of a sample have the sum 1.
    """

    sample_indices: np.ndarray
    labels: np.ndarray
    sample_weight: np.ndarray


def labels_from_probabilities(
    probabilities: np.ndarray, classes: np.ndarray, temperature: float = 2.0
) -> WeightedLabels:
    """Return labels weighted by a larger network's probabilities, several per sample.

    Each sample is repeated for every class whose probability is at least 0.005. The
    weighted log loss is then close to the cross-entropy with these probabilities. G.
    Hinton, O. Vinyals and J. Dean, "Distilling the knowledge in a neural network",
    arXiv:1503.02531, 2015.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Those of the larger network.
    classes : ndarray of shape (n_classes,)
    temperature : float
        The larger network's scores are divided by it before the softmax. Above 1, less
        probable classes get more weight.

    >>> p = np.array([[0.8, 0.2, 0.0], [0.0, 0.0, 1.0]])
    >>> indices, labels, weights = labels_from_probabilities(p, np.array([3, 5, 7]))
    >>> indices, labels
    (array([0, 0, 1]), array([3, 5, 7]))
    >>> weights.round(2)
    array([0.67, 0.33, 1.  ])
    """
    tiny = np.finfo(np.float32).tiny
    softened = softmax(np.log(np.maximum(probabilities, tiny)) / temperature, axis=1)
    softened[softened < _MIN_PROBABILITY] = 0.0
    softened /= softened.sum(axis=1, keepdims=True)
    indices, columns = np.nonzero(softened)
    return WeightedLabels(indices, classes[columns], softened[indices, columns])
