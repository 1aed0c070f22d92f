"""RMSprop: the gradient divided by the root of its mean square."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.optimizers.base import ChunkArrays, Optimizer, update_average
from skconvnet.params.constraints import BELOW_1, BOOLEAN, POSITIVE


@dataclass(eq=False, repr=False)
class RMSprop(Optimizer):
    """Divide the gradient by the root of a moving average of its squares [1]_.

    Parameters
    ----------
    rho : float, default=0.9
        The decay rate of the average.
    epsilon : float, default=1e-8
        Added to the root, to avoid division by zero.
    centered : bool, default=False
        Whether to divide by the moving standard deviation instead [2]_.

    References
    ----------
    .. [1] T. Tieleman and G. Hinton, "Lecture 6.5: rmsprop", 2012.
    .. [2] A. Graves, "Generating sequences with recurrent neural networks", 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import RMSprop
    >>> weights = np.array([1.0])
    >>> RMSprop(rho=0.75).step(weights, np.array([2.0]), rate=0.1)
    >>> weights.round(4)
    array([0.8])
    """

    rho: float = 0.9
    epsilon: float = 1e-8
    centered: bool = False

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "rho": BELOW_1,
        "epsilon": POSITIVE,
        "centered": BOOLEAN,
    }

    @property
    def n_moments(self) -> int:
        """Number of moments, which include the mean gradient if `centered`."""
        return 2 if self.centered else 1

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step, scratch = arrays.gradient, arrays.step, arrays.scratch
        square, *mean = arrays.moments
        update_average(square, self.rho, np.multiply(gradient, gradient, out=scratch))
        variance = square
        if mean:
            update_average(mean[0], self.rho, gradient)
            np.multiply(mean[0], mean[0], out=scratch)
            variance = np.subtract(square, scratch, out=scratch)
            # Rounding may make it slightly negative.
            np.maximum(variance, 0, out=variance)
        np.sqrt(variance, out=step)
        step += self.epsilon
        return -rate, np.divide(gradient, step, out=step)
