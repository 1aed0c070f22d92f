"""Optimizers: in-place updates of one flat vector of weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np

# Updates run over the vector in pieces that stay in the cache between ufuncs.
_PIECE = 65_536


@dataclass(eq=False)
class Optimizer(ABC):
    """An update rule and its state, which starts at the first step."""

    def __post_init__(self) -> None:
        self.n_steps = 0
        self._state: list[np.ndarray] = []

    def step(self, weights: np.ndarray, gradient: np.ndarray, rate: float) -> None:
        """Update `weights` in place.

        Parameters
        ----------
        weights, gradient : ndarray of shape (n_weights,)
        rate : float
            The learning rate.
        """
        if not self._state:
            self._state = [np.zeros_like(weights) for _ in range(self.n_moments)]
        self.n_steps += 1
        for piece in _pieces(weights.size):
            state = [array[piece] for array in self._state]
            weights[piece] += self._update(gradient[piece], rate, *state)

    n_moments = 0

    @abstractmethod
    def _update(
        self, gradient: np.ndarray, rate: float, *state: np.ndarray
    ) -> np.ndarray:
        """Return what to add to the weights, and bring `state` up to date."""


def _pieces(size: int) -> Iterator[slice]:
    for start in range(0, size, _PIECE):
        yield slice(start, min(start + _PIECE, size))


@dataclass(eq=False)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    ``velocity = momentum * velocity - rate * gradient`` is added to the weights;
    with Nesterov's momentum [1]_, ``momentum * velocity - rate * gradient`` is.

    Parameters
    ----------
    momentum : float, default=0.9
    nesterov : bool, default=False

    References
    ----------
    .. [1] I. Sutskever et al., "On the importance of initialization and momentum in
       deep learning", ICML 2013.

    Examples
    --------
    >>> weights = np.array([1.0])
    >>> SGD(momentum=0.0).step(weights, np.array([2.0]), rate=0.1)
    >>> weights
    array([0.8])
    """

    momentum: float = 0.9
    nesterov: bool = False

    n_moments = 1

    def _update(self, gradient, rate, velocity):
        velocity *= self.momentum
        step = gradient * -rate
        velocity += step
        if not self.nesterov:
            return velocity
        step += self.momentum * velocity
        return step


@dataclass(eq=False)
class Adam(Optimizer):
    """Adaptive moment estimation [1]_.

    Parameters
    ----------
    beta_1, beta_2 : float, default=0.9, 0.999
        Decay of the averages of the gradient and of its square.
    epsilon : float, default=1e-8
        Added to the root of the second average, as in scikit-learn.

    References
    ----------
    .. [1] D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", 2014.

    Examples
    --------
    >>> weights = np.array([1.0])
    >>> Adam().step(weights, np.array([2.0]), rate=0.1)
    >>> weights.round(4)
    array([0.9])
    """

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    n_moments = 2

    def _update(self, gradient, rate, mean, square):
        # Both averages are kept divided by 1 - beta, which saves a pass over each.
        mean *= self.beta_1
        mean += gradient
        square *= self.beta_2
        scratch = gradient * gradient
        square += scratch
        root = sqrt(1 - self.beta_2)
        np.sqrt(square, out=scratch)
        scratch += self.epsilon / root
        np.divide(mean, scratch, out=scratch)
        correction = sqrt(1 - self.beta_2**self.n_steps)
        correction /= 1 - self.beta_1**self.n_steps
        scratch *= -rate * correction * (1 - self.beta_1) / root
        return scratch
