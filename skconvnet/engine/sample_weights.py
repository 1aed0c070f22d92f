"""Sample weights of any size, as weights that the network can count with.

A loss is a weighted mean, in which only the ratios of the weights matter. Their sum
matters too, since the penalty of an update is divided by it, as in scikit-learn.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Weights: TypeAlias = npt.NDArray[np.floating]

# A weight of this share of the mean is too small to change any sum that it is part of.
_NEGLIGIBLE = 2.0**-64


def normalized_weights(weights: Weights, dtype: npt.DTypeLike) -> Weights:
    """Return weights with the same ratios in another dtype, none of which overflows.

    They are only converted if their mean is at most the cube root of the largest number
    of the dtype (about 1e12 in float32 and 1e102 in float64) and at least its inverse.
    Otherwise a sum of weights, ``alpha`` divided by it, or the square of either might
    over- or underflow, and the weights are divided by their mean.

    Weights that are too small to change a sum are set to zero. In a minibatch of
    nothing else, the penalty would be larger than anything that other minibatches
    teach.

    Parameters
    ----------
    weights : ndarray of shape (n_samples,)
        Finite numbers of at least 0, and at least one above 0.
    dtype : dtype
        Dtype of the network.

    Examples
    --------
    >>> normalized_weights(np.array([1.0, 3.0, 1e-300]), "float32")
    array([1., 3., 0.], dtype=float32)
    >>> normalized_weights(np.array([1e-50, 3e-50]), "float32")
    array([0.5, 1.5], dtype=float32)
    """
    largest = weights.max()
    # Divided first, since the sum might overflow.
    relative = weights / largest
    mean = relative.mean()
    limit = 2.0 ** (np.finfo(dtype).maxexp // 3)
    if not 1 / limit <= mean * largest <= limit:
        weights = relative / mean
    is_kept = relative >= _NEGLIGIBLE * mean
    if not is_kept.all():
        weights = np.where(is_kept, weights, 0.0)
    return weights.astype(dtype, copy=False)


def multiplied_weights(first: Weights, second: Weights) -> npt.NDArray[np.float64]:
    """Return the products, all divided by a constant if they over- or underflow.

    >>> multiplied_weights(np.array([1.0, 2.0]), np.array([3.0, 3.0]))
    array([3., 6.])
    >>> multiplied_weights(np.array([1e300, 2e300]), np.array([1e300, 1e300]))
    array([0.5, 1. ])
    """
    limits = np.finfo(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        products = np.multiply(first, second, dtype=np.float64)
    if limits.tiny <= products.max(initial=0.0) <= limits.max:
        return products
    is_positive = (first > 0) & (second > 0)
    if not is_positive.any():
        return products
    # The logarithms of the products cannot overflow.
    logs = np.log2(first, where=is_positive, out=np.full(len(first), -np.inf))
    logs += np.log2(second, where=is_positive, out=np.zeros(len(first)))
    scaled: npt.NDArray[np.float64] = np.exp2(logs - logs.max())
    return scaled
