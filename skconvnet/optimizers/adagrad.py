"""Adagrad: the gradient divided by the root of the sum of its squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.optimizers.base import ChunkArrays, Optimizer
from skconvnet.params.constraints import POSITIVE


@dataclass(eq=False, repr=False)
class Adagrad(Optimizer):
    """Divide the gradient by the root of the sum of all its squares so far [1]_.

    Parameters
    ----------
    epsilon : float, default=1e-10
        Added to the root, to avoid division by zero.

    References
    ----------
    .. [1] J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods for online
       learning and stochastic optimization", JMLR 12, 2011.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Adagrad
    >>> weights = np.array([1.0])
    >>> Adagrad().step(weights, np.array([2.0]), rate=0.1)
    >>> weights
    array([0.9])
    """

    epsilon: float = 1e-10

    n_moments = 1
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"epsilon": POSITIVE}

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step = arrays.gradient, arrays.step
        (total,) = arrays.moments
        total += np.multiply(gradient, gradient, out=step)
        np.sqrt(total, out=step)
        step += self.epsilon
        return -rate, np.divide(gradient, step, out=step)
