"""Vectors of one number, made once."""

from __future__ import annotations

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=128)
def constant(value: float, size: int, dtype: np.dtype) -> np.ndarray:
    """Return a vector of `size` times `value`, which cannot be written to.

    >>> constant(1, 3, np.dtype("float32"))
    array([1., 1., 1.], dtype=float32)
    """
    vector = np.full(size, value, dtype=dtype)
    vector.flags.writeable = False
    return vector
