"""Setting numbers to zero before they become subnormal, and slow.

A penalty on the weights of a unit that is never active makes them smaller by a constant
factor in each update, and so does momentum without gradients. After some thousand
updates they are subnormal, below 1.2e-38 in float32. Processors take up to a hundred
times as long for a product with such a number, so that a network of which a large part
has decayed is trained several times slower, and predicts slower ever after.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.ops.chunking import chunks_of

# How often numbers are looked at, in updates. Looking at all of them takes about as
# long as a step of Adam.
_INTERVAL = 100


def is_due(n_updates: int) -> bool:
    """Return whether to look at the numbers after so many updates in all.

    >>> is_due(1), is_due(200)
    (False, True)
    """
    return n_updates % _INTERVAL == 0


def clear_small_weights(weights: FlatVector) -> None:
    """Set weights to zero that are so small that rounding in a sum absorbs them.

    Their products with activations would be subnormal soon.

    >>> weights = np.array([1e-30, -1e-35, 0.5], dtype=np.float32)
    >>> clear_small_weights(weights)
    >>> weights
    array([1.e-30, 0.e+00, 5.e-01], dtype=float32)
    """
    info = np.finfo(weights.dtype)
    _clear(weights, float(info.tiny / info.eps))


def clear_subnormal(vectors: Iterable[FlatVector]) -> None:
    """Set subnormal numbers to zero, such as in the moments of an optimizer."""
    for vector in vectors:
        _clear(vector, float(np.finfo(vector.dtype).tiny))


def _clear(vector: FlatVector, smallest: float) -> None:
    for chunk in chunks_of(vector.size):
        part = vector[chunk]
        part[np.abs(part) < smallest] = 0.0
