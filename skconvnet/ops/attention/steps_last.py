"""Sequences in the layout (channels, batch, steps), in which samples are matrices.

A map of sequences has the batch last, ``(channels, steps, batch)``. Attention
multiplies matrices of one sample, for which BLAS needs contiguous rows::

    map           c0: s0 s0 s0 | s1 s1 s1 | ...     steps outside, samples inside
    steps last    c0: s0 s1 .. | s0 s1 .. | ...     samples outside, steps inside

In both, a channel is a row. So a product with the same kernel at every step, over all
samples, is one product of matrices in either layout. With the steps last, the rows of
one head and one sample are a matrix (dims, steps) too, whose rows are far apart.
"""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap


def to_steps_last(x: FeatureMap, out: np.ndarray) -> np.ndarray:
    """Write a map (channels, steps, batch) into `out`, (channels, batch, steps)."""
    np.copyto(out, x.transpose(0, 2, 1))
    return out


def to_batch_last(x: np.ndarray, out: FeatureMap) -> FeatureMap:
    """Write sequences (channels, batch, steps) into a map (channels, steps, batch)."""
    np.copyto(out, x.transpose(0, 2, 1))
    return out


def as_columns(x: np.ndarray) -> np.ndarray:
    """View (features, batch, steps) as a matrix of (features, columns)."""
    return x.reshape(len(x), -1)


def heads_of(x: np.ndarray, n_heads: int) -> np.ndarray:
    """View (heads * dims, batch, steps) as (batch, heads, dims, steps).

    >>> heads_of(np.zeros((6, 5, 7)), 2).shape
    (5, 2, 3, 7)
    """
    return x.reshape(n_heads, -1, *x.shape[1:]).transpose(2, 0, 1, 3)
