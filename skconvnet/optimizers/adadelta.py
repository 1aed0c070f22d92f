"""Adadelta: steps as long as the recent ones, in the direction of the gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.optimizers.base import ChunkArrays, Optimizer, update_average
from skconvnet.params.constraints import BELOW_1, POSITIVE


@dataclass(eq=False, repr=False)
class Adadelta(Optimizer):
    """Scale the gradient by the ratio of past steps to past gradients [1]_.

    The paper has no learning rate: set ``learning_rate_init=1.0`` to use its rule.

    Parameters
    ----------
    rho : float, default=0.9
        The decay rate of the averages of squared gradients and squared steps.
    epsilon : float, default=1e-6
        Added to both averages before their roots are taken.

    References
    ----------
    .. [1] M. D. Zeiler, "ADADELTA: an adaptive learning rate method", 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Adadelta
    >>> weights = np.array([1.0])
    >>> Adadelta().step(weights, np.array([2.0]), rate=1.0)
    >>> weights.round(4)
    array([0.9968])
    """

    rho: float = 0.9
    epsilon: float = 1e-6

    n_moments = 2
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "rho": BELOW_1,
        "epsilon": POSITIVE,
    }

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step, scratch = arrays.gradient, arrays.step, arrays.scratch
        square, square_step = arrays.moments
        update_average(square, self.rho, np.multiply(gradient, gradient, out=scratch))
        np.add(square_step, self.epsilon, out=step)
        np.sqrt(step, out=step)
        np.add(square, self.epsilon, out=scratch)
        np.sqrt(scratch, out=scratch)
        step /= scratch
        step *= gradient
        update_average(square_step, self.rho, np.multiply(step, step, out=scratch))
        return -rate, step
