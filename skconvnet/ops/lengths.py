"""Samples of different lengths in one array, padded to a common length.

A map of sequences is (channels, length, batch). Sample i of a padded micro-batch has
``lengths[i]`` positions of its own, the first ones; the rest is padding::

    position    0 1 2 3 4
    sample 0    x x x x x     lengths[0] = 5
    sample 1    x x 0 0 0     lengths[1] = 2
    sample 2    0 0 0 0 0     lengths[2] = 0

The invariant: before a layer, forward and backward, the padding of every map and of
every gradient is zero. A layer may leave other numbers there, since the chain of layers
clears them. Hence most layers need not know of lengths: a convolution sees the zeros
that its own padding would have, and zeros add nothing to the gradients of weights. A
layer whose results depend on where a sample ends reads ``workspace.lengths``, which is
None if no sample is padded.
"""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap, Lengths


def padded_length(longest: int) -> int:
    """Return the length that sequences are padded to: at most an eighth more.

    A network is built for each length, so there should be few of them: eight from any
    length to its double.

    >>> [padded_length(n) for n in (3, 17, 100, 1000)]
    [3, 18, 104, 1024]
    """
    step: int = 2 ** max(longest.bit_length() - 4, 0)
    return -(-longest // step) * step


def is_padding(lengths: Lengths, length: int, start: int = 0) -> np.ndarray:
    """Tell which of the positions from `start` on are padding.

    Returns
    -------
    is_padding : ndarray of bool of shape (length - start, batch)

    Examples
    --------
    >>> is_padding(np.array([3, 1]), 3).astype(int)
    array([[0, 0],
           [0, 1],
           [0, 1]])
    """
    padded: np.ndarray = np.arange(start, length)[:, np.newaxis] >= lengths
    return padded


def clear_padding(x: FeatureMap, lengths: Lengths | None, value: float = 0) -> None:
    """Overwrite the padding of a map of shape (channels, length, batch) by `value`.

    Flat features have none.
    """
    if lengths is None or x.ndim < 3:
        return
    start = int(lengths.min())
    if start < x.shape[1]:
        padding = is_padding(lengths, x.shape[1], start)
        np.copyto(x[:, start:], x.dtype.type(value), where=padding)
