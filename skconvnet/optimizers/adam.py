"""Adam and its variants."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import ChunkArrays, Optimizer, update_average
from skconvnet.params.constraints import BELOW_1, BOOLEAN, NOT_NEGATIVE, POSITIVE

# A unit that has decayed to less is reset to 1, so that dividing by it cannot overflow.
_SMALLEST_UNIT = 1e-6

_MOMENTS: dict[str, list[Any]] = {
    "beta_1": BELOW_1,
    "beta_2": BELOW_1,
    "epsilon": POSITIVE,
}
_ADAM = {**_MOMENTS, "amsgrad": BOOLEAN, "epsilon_hat": BOOLEAN}


class _Units(NamedTuple):
    """The units in which `Adam` stores its two decayed sums."""

    gradient: float
    square: float


@dataclass(eq=False, repr=False)
class Adam(Optimizer):
    r"""Adaptive moment estimation [1]_.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The decay rate of the average of the gradient.
    beta_2 : float, default=0.999
        The decay rate of the average of the squared gradient.
    epsilon : float, default=1e-8
        Added to the root of the second average for numerical stability.
    amsgrad : bool, default=False
        Whether to divide by the largest second average so far [2]_.
    epsilon_hat : bool, default=False
        Whether `epsilon` is added to the root of the second average before its bias
        correction rather than after. The paper has both variants. ``solver="adam"``
        uses the former, as scikit-learn does.

    Notes
    -----
    **The published step.** With the gradient g of step t, and m and v starting at 0::

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g ** 2
        root = sqrt(v / (1 - beta_2 ** t))
        weights -= rate * m / (1 - beta_1 ** t) / (root + epsilon)

    Each average takes two passes over memory, one that multiplies and one that adds.
    The multiplication is avoided as follows.

    **Decayed sums.** Except for the factor ``1 - beta``, both averages are decayed sums
    of some x, the gradient or its square::

        S = beta * S + x              m or v is (1 - beta) * S

    **Units.** The stored vector is not S but ``S / u``. The unit u, a single number,
    starts at 1 and decays instead of the vector: ``u = beta * u_before``. Then::

        S / u = beta * S_before / u + x / u = S_before / u_before + x / u

    so a step only adds ``x / u`` to the stored vector. For example, with beta = 0.5 and
    two gradients of 1::

        t    u       stored              S = stored * u
        1    0.5     0 + 1 / 0.5 = 2     1
        2    0.25    2 + 1 / 0.25 = 6    1.5 = 0.5 * 1 + 1

    Before u becomes so small that ``x / u`` might overflow, the stored vector is
    multiplied by u, and u is reset to 1: ``S / 1`` is S again.

    **The step in these units.** Let A and B be the stored vectors of the two sums, in
    the units p and q, and let

    - ``mean_factor = p * (1 - beta_1) / (1 - beta_1 ** t)``, so that the corrected m is
      ``mean_factor * A``,
    - ``root_factor = sqrt(q * (1 - beta_2))``, so that ``sqrt(v)`` is
      ``root_factor * sqrt(B)``,
    - ``correction = sqrt(1 - beta_2 ** t)``, so that the corrected root is
      ``root_factor * sqrt(B) / correction``.

    Multiplying numerator and denominator by ``correction / root_factor`` moves all
    factors out of the vectors::

        mean_factor * A                        A                       correction
        ------------------------------- = ------------ * mean_factor * -----------
        root_factor * sqrt(B)             sqrt(B) + e                  root_factor
        --------------------- + epsilon
              correction                  with e = epsilon * correction / root_factor

    With `epsilon_hat`, epsilon is added to ``sqrt(v)`` before the correction, and
    ``e = epsilon / root_factor``.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.
    .. [2] S. J. Reddi et al., "On the convergence of Adam and beyond", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Adam
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

    _units = _Units(1.0, 1.0)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _ADAM

    @property
    def n_moments(self) -> int:
        """Number of moments, which include the largest second average if `amsgrad`."""
        return 3 if self.amsgrad else 2

    @override
    def _begin_step(self, rate: float) -> None:
        # With a beta of 0, the unit is 0 and the sum is set to zero, as it should be.
        units = [self._units.gradient * self.beta_1, self._units.square * self.beta_2]
        for k, unit in enumerate(units):
            if unit < _SMALLEST_UNIT:
                self._moments[k] *= unit
                units[k] = 1.0
        self._units = _Units(*units)

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step = arrays.gradient, arrays.step
        gradient_sum, square_sum, *largest = arrays.moments
        gradient_unit, square_unit = self._units
        axpy(1 / gradient_unit, gradient, gradient_sum)
        axpy(1 / square_unit, np.multiply(gradient, gradient, out=step), square_sum)
        if largest:
            # The largest value of all steps so far is stored in the unit 1.
            np.multiply(square_sum, square_unit, out=step)
            square_sum = np.maximum(largest[0], step, out=largest[0])
            square_unit = 1.0
        np.sqrt(square_sum, out=step)
        root_factor = sqrt(square_unit * (1 - self.beta_2))
        correction = sqrt(1 - self.beta_2**self.n_steps)
        step += self.epsilon * (1 if self.epsilon_hat else correction) / root_factor
        np.divide(gradient_sum, step, out=step)
        mean_factor = (
            gradient_unit * (1 - self.beta_1) / (1 - self.beta_1**self.n_steps)
        )
        return -rate * mean_factor * correction / root_factor, step


@dataclass(eq=False, repr=False)
class AdamW(Adam):
    """Adam with decoupled weight decay [1]_.

    Each step also multiplies the weights, biases included, by
    ``1 - rate * weight_decay``. Set ``alpha=0`` on the estimator to disable its own
    penalty.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The decay rate of the average of the gradient.
    beta_2 : float, default=0.999
        The decay rate of the average of the squared gradient.
    epsilon : float, default=1e-8
        Added to the root of the second average for numerical stability.
    amsgrad : bool, default=False
        Whether to divide by the largest second average so far, as in `Adam`.
    weight_decay : float, default=0.01
        The fraction of the weights that a step with a rate of 1 subtracts.
    epsilon_hat : bool, default=False
        Whether `epsilon` is added before the bias correction, as in `Adam`.

    References
    ----------
    .. [1] I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR
       2019.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import AdamW
    >>> weights = np.array([1.0])
    >>> AdamW(weight_decay=1.0).step(weights, np.array([0.0]), rate=0.1)
    >>> weights
    array([0.9])
    """

    weight_decay: float = 0.01

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_ADAM,
        "weight_decay": NOT_NEGATIVE,
    }

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        factor, step = super()._update(arrays, rate)
        decay = self.weight_decay * arrays.decay_factor
        if rate:  # otherwise the factor is zero as well
            axpy(-rate * decay / factor, arrays.weights, step)
        return factor, step


@dataclass(eq=False, repr=False)
class Nadam(Optimizer):
    """Adam with Nesterov's momentum, which increases during training [1]_.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The decay rate of the average of the gradient.
    beta_2 : float, default=0.999
        The decay rate of the average of the squared gradient.
    epsilon : float, default=1e-8
        Added to the root of the second average for numerical stability.
    momentum_decay : float, default=0.004
        The rate at which the momentum approaches `beta_1`: in step t it is
        ``beta_1 * (1 - 0.96 ** (t * momentum_decay) / 2)``.

    References
    ----------
    .. [1] T. Dozat, "Incorporating Nesterov momentum into Adam", ICLR workshop 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Nadam
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
    # The product of the momenta of all steps so far.
    _product = 1.0
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **_MOMENTS,
        "momentum_decay": NOT_NEGATIVE,
    }

    @override
    def _begin_step(self, rate: float) -> None:
        self._product *= self._momentum(self.n_steps)

    def _momentum(self, t: int) -> float:
        decay: float = 0.96 ** (t * self.momentum_decay)
        return self.beta_1 * (1 - 0.5 * decay)

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step, scratch = arrays.gradient, arrays.step, arrays.scratch
        mean, square = arrays.moments
        update_average(mean, self.beta_1, gradient)
        update_average(
            square, self.beta_2, np.multiply(gradient, gradient, out=scratch)
        )
        # The divisor: the root of the bias-corrected second average.
        np.multiply(square, 1 / (1 - self.beta_2**self.n_steps), out=scratch)
        np.sqrt(scratch, out=scratch)
        scratch += self.epsilon
        # The dividend: the mean at the next step, as far as it is already known.
        now, later = self._momentum(self.n_steps), self._momentum(self.n_steps + 1)
        np.multiply(mean, later / (1 - self._product * later), out=step)
        axpy((1 - now) / (1 - self._product), gradient, step)
        step /= scratch
        return -rate, step


@dataclass(eq=False, repr=False)
class Adamax(Optimizer):
    """Adam with the largest decayed gradient instead of the second average [1]_.

    Parameters
    ----------
    beta_1 : float, default=0.9
        The decay rate of the average of the gradient.
    beta_2 : float, default=0.999
        The decay rate of its largest absolute value.
    epsilon : float, default=1e-8
        Added to the absolute value of the gradient for numerical stability.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import Adamax
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

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step = arrays.gradient, arrays.step
        mean, largest = arrays.moments
        update_average(mean, self.beta_1, gradient)
        largest *= self.beta_2
        np.abs(gradient, out=step)
        step += self.epsilon
        np.maximum(largest, step, out=largest)
        np.divide(mean, largest, out=step)
        return -rate / (1 - self.beta_1**self.n_steps), step
