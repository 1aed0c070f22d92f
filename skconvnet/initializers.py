"""Random starting weights."""

from __future__ import annotations

from math import prod

import numpy as np


def glorot_uniform(
    rng: np.random.RandomState,
    shape: tuple[int, ...],
    fan_in: int,
    fan_out: int,
    activation: str = "relu",
) -> np.ndarray:
    """Draw uniformly from +-sqrt(6 / (fan_in + fan_out)).

    For the logistic activation the 6 is a 2, as in scikit-learn's perceptrons [1]_.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> bool(abs(glorot_uniform(rng, (3, 3), 3, 3)).max() <= 1)
    True

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
       feedforward neural networks", AISTATS 2010.
    """
    factor = 2.0 if activation == "logistic" else 6.0
    bound = np.sqrt(factor / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)


def convolution_fans(
    filters: int, channels: int, kernel: tuple[int, ...], groups: int = 1
) -> tuple[int, int]:
    """Return how many inputs an output sees, and how many outputs an input feeds."""
    cells = prod(kernel)
    return channels // groups * cells, filters // groups * cells
