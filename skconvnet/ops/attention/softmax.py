"""The softmax over the keys of a block, whose scores are (..., keys, queries)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from skconvnet._typing import Lengths
from skconvnet.ops.attention.blocks import Block
from skconvnet.ops.blas_kernels import constant
from skconvnet.ops.lengths import is_padding

# Sums of exponentials of scores up to this do not overflow in float32.
_MODERATE = 40


@dataclass(frozen=True)
class Mask:
    """Which keys a query may look at.

    Parameters
    ----------
    causal : bool
        Whether a query looks at no later key. There are as many queries as keys then.
    lengths : ndarray of int of shape (batch,) or None
        How many keys each sample has, if the others are padding.
    """

    causal: bool = False
    lengths: Lengths | None = None

    def hide(self, scores: np.ndarray, block: Block) -> None:
        """Set the scores of a block, of all its heads, to -inf where keys are hidden.

        Parameters
        ----------
        scores : ndarray of shape (samples, heads, keys, queries)
        block : Block
        """
        n_keys, n_queries = scores.shape[-2:]
        if self.causal:
            # Keys before the first query of the block are seen by all its queries.
            first = block.queries.start
            is_later = np.tri(n_keys - first, n_queries, -1, dtype=bool)
            np.copyto(scores[..., first:, :], -np.inf, where=is_later)
        if self.lengths is not None:
            lengths = self.lengths[block.samples]
            start = int(lengths.min())
            if start < n_keys:
                hidden = is_padding(lengths, n_keys, start).T[:, None, :, None]
                np.copyto(scores[..., start:, :], -np.inf, where=hidden)


def are_moderate(scores: np.ndarray) -> bool:
    """Return whether the exponentials of all scores are far from overflow and from 0.

    >>> are_moderate(np.array([-3.0, 5.0])), are_moderate(np.array([-300.0, 5.0]))
    (True, False)
    """
    return bool(scores.max() <= _MODERATE and scores.min() >= -_MODERATE)


def exponentiate(
    scores: np.ndarray,
    sums: np.ndarray,
    log_sums: np.ndarray,
    *,
    moderate: bool = False,
) -> None:
    """Replace scores by weights that are not divided by their sums yet.

    Parameters
    ----------
    scores : ndarray of shape (..., keys, queries)
        -inf for keys that are hidden.
    sums : ndarray of shape (..., queries)
        The sum of the weights of each query is written here. If all keys are hidden, it
        is 1.
    log_sums : ndarray of shape (..., queries)
        The logarithm of the sum of exp(score) is written here, for `weights_again`.
    moderate : bool
        Whether the scores that are not hidden are moderate. If not, the largest one of
        each query is subtracted first, so that nothing overflows.

    Examples
    --------
    >>> scores = np.log([[2.0, 1.0], [6.0, 4.0]])
    >>> sums, log_sums = np.empty(2), np.empty(2)
    >>> exponentiate(scores, sums, log_sums)
    >>> scores / sums
    array([[0.25, 0.2 ],
           [0.75, 0.8 ]])
    >>> np.exp(log_sums)
    array([8., 5.])
    """
    largest = log_sums
    if moderate:
        largest.fill(0)
    else:
        np.max(scores, axis=-2, out=largest)
        # -inf - (-inf) would be NaN if all keys are hidden.
        np.maximum(largest, np.finfo(scores.dtype).min, out=largest)
        scores -= largest[..., np.newaxis, :]
    np.exp(scores, out=scores)
    # A product with ones is a sum, at the speed of BLAS.
    np.matmul(constant(1, scores.shape[-2], scores.dtype), scores, out=sums)
    np.copyto(sums, 1, where=sums == 0)
    log_sums += np.log(sums)


def weights_again(scores: np.ndarray, log_sums: np.ndarray) -> None:
    """Replace scores by weights, which add up to 1 over the keys of a query.

    Parameters
    ----------
    scores : ndarray of shape (..., keys, queries)
    log_sums : ndarray of shape (..., queries)
        As `exponentiate` wrote them for the same scores.
    """
    scores -= log_sums[..., np.newaxis, :]
    np.exp(scores, out=scores)
