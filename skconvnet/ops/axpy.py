"""A vector times a number, added to another in one pass over memory."""

from __future__ import annotations

import numpy as np
from scipy.linalg import blas

_ROUTINES = {np.dtype(np.float32): blas.saxpy, np.dtype(np.float64): blas.daxpy}


def axpy(a: float, x: np.ndarray, y: np.ndarray) -> None:
    """Add ``a * x`` to `y` in place. NumPy needs two passes and a temporary for it.

    Parameters
    ----------
    a : float
    x, y : ndarray of shape (n,)
        Contiguous, both float32 or both float64.

    Examples
    --------
    >>> y = np.ones(3)
    >>> axpy(2.0, np.arange(3.0), y)
    >>> y
    array([1., 3., 5.])
    """
    if _ROUTINES[y.dtype](x, y, a=a) is not y:
        raise ValueError("x and y must be contiguous and of one dtype.")
