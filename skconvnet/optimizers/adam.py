"""Adaptive moment estimation and its variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import Optimizer
from skconvnet.params.constraints import BELOW_1, BOOLEAN, NOT_NEGATIVE, POSITIVE

# Before sums are kept in smaller units, they are brought back to units of 1.
_SMALLEST_UNIT = 1e-6

_MOMENTS: dict[str, list[Any]] = {
    "beta_1": BELOW_1,
    "beta_2": BELOW_1,
    "epsilon": POSITIVE,
}


@dataclass(eq=False, repr=False)
class Adam(Optimizer):
    """Adaptive moment estimation [1]_.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the averages of the gradient and of its square.
    epsilon : float, default=1e-8
        Added to the root of the second average.
    amsgrad : bool, default=False
        Whether to divide by the largest second average so far [2]_.
    epsilon_hat : bool, default=False
        Whether `epsilon` is added to the average as it stands rather than to the one
        corrected for its start at zero. The paper has both; ``solver="adam"`` is
        this one, as in scikit-learn.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.
    .. [2] S. J. Reddi et al., "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([1.0])
    >>> Adam().step(weights, np.array([2.0]), rate=0.1)
    >>> weights.round(4)
    array([0.9])
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    amsgrad: bool = False
    epsilon_hat: bool = field(default=False, kw_only=True)

    _units = (1.0, 1.0)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_MOMENTS,
        "amsgrad": BOOLEAN,
        "epsilon_hat": BOOLEAN,
    }

    @property
    def n_moments(self) -> int:  # type: ignore[override]
        return 3 if self.amsgrad else 2

    def _begin_step(self, rate: float) -> None:
        # A decayed sum s = beta * s + g is kept as s / unit, where the unit decays in
        # its place: a step then adds g / unit, which is one pass less over memory.
        units = [self._units[0] * self.beta_1, self._units[1] * self.beta_2]
        for k, unit in enumerate(units):
            if unit < _SMALLEST_UNIT:
                self._moments[k] *= unit
                units[k] = 1.0
        self._units = (units[0], units[1])

    def _update(self, weights, gradient, rate, moments, step, scratch):
        mean, square, *largest = moments
        mean_unit, square_unit = self._units
        axpy(1 / mean_unit, gradient, mean)
        axpy(1 / square_unit, np.multiply(gradient, gradient, out=step), square)
        if largest:
            np.multiply(square, square_unit, out=step)
            square, square_unit = np.maximum(*largest, step, out=largest[0]), 1.0
        np.sqrt(square, out=step)
        root = sqrt(square_unit * (1 - self.beta_2))
        correction = sqrt(1 - self.beta_2**self.n_steps)
        step += self.epsilon * (1 if self.epsilon_hat else correction) / root
        np.divide(mean, step, out=step)
        factor = mean_unit * (1 - self.beta_1) / (1 - self.beta_1**self.n_steps)
        return -rate * factor * correction / root, step


@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay [1]_.

    Every step also multiplies the weights, biases included, by
    ``1 - rate * weight_decay``. Set the estimator's ``alpha=0`` to have this alone.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the averages of the gradient and of its square.
    epsilon : float, default=1e-8
    amsgrad : bool, default=False
    weight_decay : float, default=0.01

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR
       2019.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([1.0])
    >>> AdamW(weight_decay=1.0).step(weights, np.array([0.0]), rate=0.1)
    >>> weights
    array([0.9])
    """

    weight_decay: float = 0.01

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **Adam._parameter_constraints,
        "weight_decay": NOT_NEGATIVE,
    }

    def _update(self, weights, gradient, rate, moments, step, scratch):
        factor, step = super()._update(weights, gradient, rate, moments, step, scratch)
        axpy(-rate * self.weight_decay / factor, weights, step)
        return factor, step


@dataclass(eq=False, repr=False)
class Nadam(Optimizer):
    """Adam with Nesterov's momentum [1]_, with its schedule of the momentum.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the averages of the gradient and of its square.
    epsilon : float, default=1e-8
    momentum_decay : float, default=0.004
        The momentum of step t is ``beta_1 * (1 - 0.96 ** (t * momentum_decay) / 2)``.

    References
    ----------
    .. [1] T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([1.0])
    >>> Nadam().step(weights, np.array([2.0]), rate=0.1)
    >>> weights.round(3)
    array([0.894])
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    momentum_decay: float = 0.004

    n_moments = 2
    _product = 1.0
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_MOMENTS,
        "momentum_decay": NOT_NEGATIVE,
    }

    def _begin_step(self, rate: float) -> None:
        self._product *= self._momentum(self.n_steps)

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def _update(self, weights, gradient, rate, moments, step, scratch):
        mean, square = moments
        now, later = self._momentum(self.n_steps), self._momentum(self.n_steps + 1)
        mean *= self.beta_1
        axpy(1 - self.beta_1, gradient, mean)
        square *= self.beta_2
        axpy(1 - self.beta_2, np.multiply(gradient, gradient, out=scratch), square)
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        np.multiply(mean, later / (1 - self._product * later), out=step)
        axpy((1 - now) / (1 - self._product), gradient, step)
        step /= scratch
        return -rate, step


@dataclass(eq=False, repr=False)
class Adamax(Optimizer):
    """Adam with the largest decayed gradient in place of the second average [1]_.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the average of the gradient and of its largest absolute value.
    epsilon : float, default=1e-8
        Added to the absolute value of the gradient.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.

    Examples
    --------
    >>> import numpy as np
    >>> weights = np.array([1.0])
    >>> Adamax().step(weights, np.array([2.0]), rate=0.1)
    >>> weights.round(4)
    array([0.9])
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments = 2
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _MOMENTS

    def _update(self, weights, gradient, rate, moments, step, scratch):
        mean, largest = moments
        mean *= self.beta_1
        axpy(1 - self.beta_1, gradient, mean)
        largest *= self.beta_2
        np.abs(gradient, out=step)
        step += self.epsilon
        np.maximum(largest, step, out=largest)
        np.divide(mean, largest, out=step)
        return -rate / (1 - self.beta_1**self.n_steps), step
