"""Adam with averaging in place of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import Optimizer
from skconvnet.params.constraints import (
    BELOW_1,
    BETWEEN_0_AND_1,
    COUNT_OR_0,
    NOT_NEGATIVE,
    POSITIVE,
)


@dataclass(eq=False, repr=False)
class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its weights, and needs no falling learning rate [1]_.

    Steps are taken from ``z``, gradients at ``y = (1 - beta_1) * z + beta_1 * x``, and
    ``x``, the mean of all ``z``, is what validation and prediction use. Each ``z``
    counts with the square of the largest rate so far. It takes larger learning rates
    than Adam: try ``learning_rate_init=0.01``.

    Parameters
    ----------
    beta_1 : float, default=0.9
        In (0, 1): how close to the mean gradients are taken.
    beta_2 : float, default=0.999
        Decay of the average of squared gradients.
    epsilon : float, default=1e-8
        Added to the root of that average, once corrected for its start at zero.
    weight_decay : float, default=0.0
        Added to each step, biases included: so many times ``y``.
    warmup_steps : int, default=0
        Updates in which the rate rises in equal steps from zero.

    References
    ----------
    .. [1] A. Defazio et al., "The road less scheduled", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> weights, mean = np.array([1.0]), np.empty(1)
    >>> optimizer = ScheduleFreeAdamW()
    >>> optimizer.step(weights, np.array([2.0]), rate=0.1)
    >>> optimizer.average(weights, out=mean), mean.round(4)
    (True, array([0.9]))
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    warmup_steps: int = 0

    n_moments = 2
    _largest = 0.0
    _weight_sum = 0.0
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "beta_1": BETWEEN_0_AND_1,
        "beta_2": BELOW_1,
        "epsilon": POSITIVE,
        "weight_decay": NOT_NEGATIVE,
        "warmup_steps": COUNT_OR_0,
    }

    def _begin_step(self, rate: float) -> None:
        self._rate = rate * min(1.0, self.n_steps / max(self.warmup_steps, 1))
        self._largest = max(self._largest, self._rate)
        weight = self._largest**2
        self._weight_sum += weight
        self._share = weight / self._weight_sum if weight else 0.0

    def _update(self, weights, gradient, rate, moments, step, scratch):
        z, square = moments
        if self.n_steps == 1:
            z[:] = weights
        square *= self.beta_2
        axpy(1 - self.beta_2, np.multiply(gradient, gradient, out=step), square)
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=step)
        np.sqrt(step, out=step)
        step += self.epsilon
        np.divide(gradient, step, out=step)
        if self.weight_decay:
            axpy(self.weight_decay, weights, step)
        # The new y follows from the old y and z alone, so that x need not be kept.
        np.subtract(z, weights, out=scratch)
        scratch *= self._share
        axpy(-self._rate * (1 - self.beta_1 * (1 - self._share)), step, scratch)
        axpy(-self._rate, step, z)
        return 1.0, scratch

    def average(self, weights: np.ndarray, out: np.ndarray) -> bool:
        """Write x, the mean that the weights y and the state z stand for."""
        if not self.n_steps:
            return False
        np.subtract(weights, self._moments[0], out=out)
        out *= (1 - self.beta_1) / self.beta_1
        out += weights
        return True

    def _keep_zeros(self, weights: np.ndarray, moments: list[FlatVector]) -> None:
        # With y and z at zero x is there as well.
        moments[0] *= weights != 0
