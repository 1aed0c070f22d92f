"""Gradients in fewer bits, for slow networks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FlatVector

GRADIENT_DTYPES = ("float16",)


class CompressedVector(NamedTuple):
    """A vector in half precision.

    Attributes
    ----------
    values : ndarray of float16
        Divided by `scale`, so that the largest one is 1.
    scale : float
    dtype : str
        The dtype of the vector before.
    """

    values: npt.NDArray[np.float16]
    scale: float
    dtype: str


def dtype_of(vector: FlatVector | CompressedVector) -> str | None:
    """Return the dtype that it was compressed to, or None if it was not."""
    return str(vector.values.dtype) if isinstance(vector, CompressedVector) else None


def compress(vector: FlatVector, dtype: str | None) -> FlatVector | CompressedVector:
    """Return the vector in another dtype; None leaves it as it is.

    Numbers of at least 6e-5 times the largest one keep 11 bits, smaller ones less.

    >>> expand(compress(np.array([1.0, 0.1, -4.0]), "float16"))
    array([ 1.        ,  0.09997559, -4.        ])
    """
    if dtype is None:
        return vector
    scale = float(np.abs(vector).max(initial=0.0)) or 1.0
    if not np.isfinite(scale):  # the training loop reports it
        return CompressedVector(vector.astype(dtype), 1.0, str(vector.dtype))
    return CompressedVector((vector / scale).astype(dtype), scale, str(vector.dtype))


def expand(vector: FlatVector | CompressedVector) -> FlatVector:
    """Return the vector in its own dtype."""
    if isinstance(vector, CompressedVector):
        expanded: FlatVector = vector.values.astype(vector.dtype) * vector.scale
        return expanded
    return vector
