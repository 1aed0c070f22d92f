"""Adam with averaging instead of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import ChunkArrays, Optimizer, update_average
from skconvnet.params.constraints import (
    BELOW_1,
    BETWEEN_0_AND_1,
    COUNT_OR_0,
    NOT_NEGATIVE,
    POSITIVE,
)


@dataclass(eq=False, repr=False)
class ScheduleFreeAdamW(Optimizer):
    """AdamW with averaged weights, which needs no decaying learning rate [1]_.

    There are three sets of weights. Steps are taken from ``z``. Validation and
    prediction use ``x``, the mean of all ``z``, each weighted by the square of the
    largest rate so far. Gradients are evaluated in between, at
    ``y = (1 - beta_1) * z + beta_1 * x``. The suitable learning rates are larger than
    with Adam: try ``learning_rate_init=0.01``.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The position at which gradients are evaluated, in (0, 1). The closer to 1, the
        closer to the mean.
    beta_2 : float, default=0.999
        The decay rate of the average of squared gradients.
    epsilon : float, default=1e-8
        Added to the root of the bias-corrected average.
    weight_decay : float, default=0.0
        The multiple of ``y``, biases included, that a step with a rate of 1 subtracts.
    warmup_steps : int, default=0
        The number of updates during which the rate rises from zero in equal steps.

    References
    ----------
    .. [1] A. Defazio et al., "The road less scheduled", NeurIPS 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import ScheduleFreeAdamW
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
    predicts_by_average = True
    _largest_rate = 0.0
    _weight_sum = 0.0
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "beta_1": BETWEEN_0_AND_1,
        "beta_2": BELOW_1,
        "epsilon": POSITIVE,
        "weight_decay": NOT_NEGATIVE,
        "warmup_steps": COUNT_OR_0,
    }

    @override
    def _begin_step(self, rate: float) -> None:
        self._warmup = min(1.0, self.n_steps / max(self.warmup_steps, 1))
        self._largest_rate = max(self._largest_rate, rate * self._warmup)
        weight = self._largest_rate**2
        self._weight_sum += weight
        self._share = weight / self._weight_sum if weight else 0.0

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step, scratch = arrays.gradient, arrays.step, arrays.scratch
        z, square = arrays.moments
        rate *= self._warmup
        if self.n_steps == 1:
            z[:] = arrays.weights
        update_average(square, self.beta_2, np.multiply(gradient, gradient, out=step))
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=step)
        np.sqrt(step, out=step)
        step += self.epsilon
        np.divide(gradient, step, out=step)
        decay = self.weight_decay * arrays.decay_factor
        if decay:
            axpy(decay, arrays.weights, step)
        # The new y follows from the old y and z, so x need not be stored. With the new
        # z = z_before - rate * step and x = x_before + share * (z - x_before),
        # y - y_before = share * (z_before - y_before)
        #                - rate * (1 - beta_1 * (1 - share)) * step.
        np.subtract(z, arrays.weights, out=scratch)
        scratch *= self._share
        axpy(-rate * (1 - self.beta_1 * (1 - self._share)), step, scratch)
        axpy(-rate, step, z)
        return 1.0, scratch

    @override
    def average(self, weights: FlatVector, out: FlatVector) -> bool:
        # y = (1 - beta_1) * z + beta_1 * x implies
        # x = y + (y - z) * (1 - beta_1) / beta_1.
        if not self.n_steps:
            return False
        np.subtract(weights, self._moments[0], out=out)
        out *= (1 - self.beta_1) / self.beta_1
        out += weights
        return True

    @override
    def _keep_zeros(self, arrays: ChunkArrays) -> None:
        # If y and z are zero, so is x.
        arrays.moments[0] *= arrays.weights != 0
