"""Training by the probabilities of a larger network, in place of labels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import softmax

# Probabilities below it are left out, which takes fewer rows.
_LEAST = 0.005


class Lesson(NamedTuple):
    """What to fit on: samples by number, with a label and a weight each.

    Attributes
    ----------
    samples : ndarray of shape (n_rows,), int
    classes : ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows,)
    """

    samples: np.ndarray
    classes: np.ndarray
    weights: np.ndarray


def lesson(
    probabilities: np.ndarray, classes: np.ndarray, temperature: float = 2.0
) -> Lesson:
    """Return each sample once per class that is not improbable, weighted by it.

    The weighted log loss of these rows is the cross-entropy with the probabilities of
    the larger network, after its scores are divided by a temperature, by which less
    probable classes count for more. G. Hinton, O. Vinyals and J. Dean, "Distilling the
    knowledge in a neural network", arXiv:1503.02531, 2015.

    Parameters
    ----------
    probabilities : ndarray of shape (n_samples, n_classes)
        Those of the larger network.
    classes : ndarray of shape (n_classes,)
    temperature : float

    >>> p = np.array([[0.8, 0.2, 0.0], [0.0, 0.0, 1.0]])
    >>> samples, labels, weights = lesson(p, np.array(["a", "b", "c"]))
    >>> samples, labels
    (array([0, 0, 1]), array(['a', 'b', 'c'], dtype='<U1'))
    >>> weights.round(2)
    array([0.67, 0.33, 1.  ])
    """
    tiny = np.finfo(np.float32).tiny
    softened = softmax(np.log(np.maximum(probabilities, tiny)) / temperature, axis=1)
    softened[softened < _LEAST] = 0.0
    softened /= softened.sum(axis=1, keepdims=True)
    samples, columns = np.nonzero(softened)
    return Lesson(samples, classes[columns], softened[samples, columns])
