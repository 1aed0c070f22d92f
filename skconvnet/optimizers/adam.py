"""Adaptive moment estimation and its variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar

import numpy as np

from skconvnet._spec import BELOW_1, BOOLEAN, NOT_NEGATIVE, POSITIVE
from skconvnet.optimizers.base import Optimizer

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_MOMENTS,
        "amsgrad": BOOLEAN,
        "epsilon_hat": BOOLEAN,
    }

    @property
    def n_moments(self) -> int:  # type: ignore[override]
        return 3 if self.amsgrad else 2

    def _update(self, weights, gradient, rate, state, step, scratch):
        mean, square, *largest = state
        # Both averages are kept divided by 1 - beta, which saves a pass over each.
        mean *= self.beta_1
        mean += gradient
        square *= self.beta_2
        square += np.multiply(gradient, gradient, out=step)
        if largest:
            square = np.maximum(largest[0], square, out=largest[0])
        root = sqrt(1 - self.beta_2)
        correction = sqrt(1 - self.beta_2**self.n_steps)
        epsilon = self.epsilon if self.epsilon_hat else self.epsilon * correction
        np.sqrt(square, out=step)
        step += epsilon / root
        np.divide(mean, step, out=step)
        correction /= 1 - self.beta_1**self.n_steps
        step *= -rate * correction * (1 - self.beta_1) / root


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

    def _update(self, weights, gradient, rate, state, step, scratch):
        super()._update(weights, gradient, rate, state, step, scratch)
        step -= np.multiply(weights, rate * self.weight_decay, out=scratch)


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

    def _begin_step(self) -> None:
        self._product *= self._momentum(self.n_steps)

    def _momentum(self, t: int) -> float:
        return self.beta_1 * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def _update(self, weights, gradient, rate, state, step, scratch):
        mean, square = state
        now, later = self._momentum(self.n_steps), self._momentum(self.n_steps + 1)
        mean *= self.beta_1
        mean += np.multiply(gradient, 1 - self.beta_1, out=scratch)
        square *= self.beta_2
        np.multiply(gradient, gradient, out=scratch)
        scratch *= 1 - self.beta_2
        square += scratch
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        np.multiply(mean, -rate * later / (1 - self._product * later), out=step)
        step /= scratch
        np.divide(gradient, scratch, out=scratch)
        scratch *= -rate * (1 - now) / (1 - self._product)
        step += scratch


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

    def _update(self, weights, gradient, rate, state, step, scratch):
        mean, largest = state
        mean *= self.beta_1
        mean += np.multiply(gradient, 1 - self.beta_1, out=step)
        largest *= self.beta_2
        np.abs(gradient, out=step)
        step += self.epsilon
        np.maximum(largest, step, out=largest)
        np.divide(mean, largest, out=step)
        step *= -rate / (1 - self.beta_1**self.n_steps)
