"""Random starting weights.

In the names of the scaled ones, "uniform" is uniform over an interval around 0, and
"normal" the normal distribution cut off at two standard deviations, widened so that the
variance is the one that is told after that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp, pi, prod, sqrt
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr, ndtri

from skconvnet.params.base import Params
from skconvnet.params.constraints import FINITE, POSITIVE

_CUT = 2.0
_CUT_SHARE = float(2 * ndtr(_CUT) - 1)
# The standard deviation of a standard normal number of which |z| <= 2 is known.
_CUT_STD = sqrt(1 - 2 * _CUT * exp(-(_CUT**2) / 2) / sqrt(2 * pi) / _CUT_SHARE)


class Initializer(Params, ABC):
    """A way to draw a kernel."""

    @abstractmethod
    def draw(
        self,
        rng: np.random.RandomState,
        shape: tuple[int, ...],
        fan_in: int,
        fan_out: int,
    ) -> np.ndarray:
        """Return a kernel.

        Parameters
        ----------
        rng : RandomState
        shape : tuple of int
        fan_in, fan_out : int
            How many inputs an output sees, and how many outputs an input feeds.
        """


class _Scaled(Initializer):
    """Drawn with a mean of 0 and a variance that follows from the fans."""

    is_normal: ClassVar[bool]

    @abstractmethod
    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of each weight."""

    def draw(self, rng, shape, fan_in, fan_out):
        std = sqrt(self.variance(fan_in, fan_out))
        if not self.is_normal:
            bound = sqrt(3) * std
            return rng.uniform(-bound, bound, shape)
        # By the inverse of the distribution: one random number a weight, always.
        lowest = (1 - _CUT_SHARE) / 2
        return ndtri(rng.uniform(lowest, 1 - lowest, shape)) * (std / _CUT_STD)


class GlorotUniform(_Scaled):
    """A variance of 2 / (fan_in + fan_out), for tanh and other odd functions [1]_.

    That is uniform over +-sqrt(6 / (fan_in + fan_out)).

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
       feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> bool(abs(GlorotUniform().draw(rng, (3, 3), 3, 3)).max() <= 1)
    True
    """

    is_normal = False

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class GlorotNormal(GlorotUniform):
    """As `GlorotUniform`, from the normal distribution cut off at two deviations."""

    is_normal = True


class HeUniform(_Scaled):
    """A variance of 2 / fan_in, for ReLU and its kin [1]_.

    That is uniform over +-sqrt(6 / fan_in).

    References
    ----------
    .. [1] K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """

    is_normal = False

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


class HeNormal(HeUniform):
    """As `HeUniform`, from the normal distribution cut off at two deviations."""

    is_normal = True


class LecunUniform(_Scaled):
    """A variance of 1 / fan_in, for SELU or no activation [1]_.

    That is uniform over +-sqrt(3 / fan_in).

    References
    ----------
    .. [1] Y. LeCun et al., "Efficient BackProp", 1998.
    """

    is_normal = False

    def variance(self, fan_in: int, fan_out: int) -> float:
        return 1 / fan_in


class LecunNormal(LecunUniform):
    """As `LecunUniform`, from the normal distribution cut off at two deviations."""

    is_normal = True


@dataclass(eq=False, repr=False)
class Orthogonal(Initializer):
    """A random orthogonal matrix, times a gain [1]_.

    The kernel is taken as a matrix of as many rows as its first axis is long. Its rows
    are orthonormal, or, if there are more of them than columns, its columns.

    Parameters
    ----------
    gain : float, default=1.0
        For example sqrt(2) for ReLU.

    References
    ----------
    .. [1] A. Saxe et al., "Exact solutions to the nonlinear dynamics of learning in
       deep linear neural networks", ICLR 2014.

    Examples
    --------
    >>> kernel = Orthogonal().draw(np.random.RandomState(0), (2, 3), 2, 3)
    >>> bool(np.allclose(kernel @ kernel.T, np.eye(2)))
    True
    """

    gain: float = 1.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"gain": POSITIVE}

    def draw(self, rng, shape, fan_in, fan_out):
        n_rows, n_columns = shape[0], prod(shape[1:])
        tall = (max(n_rows, n_columns), min(n_rows, n_columns))
        q, r = np.linalg.qr(rng.standard_normal(tall))
        # Without this, the signs of q would depend on how the decomposition is done.
        q *= np.where(np.diag(r) < 0, -self.gain, self.gain)
        return (q if n_rows >= n_columns else q.T).reshape(shape)


@dataclass(eq=False, repr=False)
class Normal(Initializer):
    """The normal distribution with a mean of 0, whatever the shape.

    Parameters
    ----------
    std : float, default=0.05
        Standard deviation.
    """

    std: float = 0.05

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"std": POSITIVE}

    def draw(self, rng, shape, fan_in, fan_out):
        return rng.normal(0.0, self.std, shape)


@dataclass(eq=False, repr=False)
class Constant(Initializer):
    """The same number for every weight.

    Hidden units that start equal stay equal: it is for networks without hidden layers.

    Parameters
    ----------
    value : float, default=0.0
    """

    value: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"value": FINITE}

    def draw(self, rng, shape, fan_in, fan_out):
        return np.full(shape, float(self.value))


INITIALIZERS: dict[str, Initializer] = {
    "glorot_uniform": GlorotUniform(),
    "glorot_normal": GlorotNormal(),
    "he_uniform": HeUniform(),
    "he_normal": HeNormal(),
    "lecun_uniform": LecunUniform(),
    "lecun_normal": LecunNormal(),
    "orthogonal": Orthogonal(),
    "normal": Normal(),
    "zeros": Constant(0.0),
    "ones": Constant(1.0),
}


# What keeps the spread of the signal the same from layer to layer.
_FITTING = {
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu"), "he_uniform"),
    "selu": "lecun_normal",
}


def get_initializer(value: Any) -> Initializer | None:
    """Return the initializer that is called or is `value`; None for "auto".

    Raises
    ------
    ValueError
        If there is no such initializer, or a parameter of it is not allowed.
    """
    if isinstance(value, Initializer):
        value.check_params()
        return value
    if isinstance(value, str) and value == "auto":
        return None
    if not isinstance(value, str) or value not in INITIALIZERS:
        raise ValueError(
            "kernel_initializer must be 'auto', one of "
            f"{', '.join(map(repr, INITIALIZERS))}, or an object of "
            f"skconvnet.initializers such as Normal(std=0.05); got {value!r}."
        )
    return INITIALIZERS[value]


def draw_kernel(
    rng: np.random.RandomState,
    shape: tuple[int, ...],
    fans: tuple[int, int],
    initializer: Initializer | None,
    activation: str = "identity",
) -> np.ndarray:
    """Draw the kernel of a convolution.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    fans : (int, int)
    initializer : Initializer or None
        None chooses one to fit the activation: "he_uniform" before "relu",
        "leaky_relu", "elu", "gelu" and "silu", "lecun_normal" before "selu", else
        `glorot_uniform`.
    activation : str, default="identity"
    """
    if initializer is None and activation in _FITTING:
        initializer = INITIALIZERS[_FITTING[activation]]
    if initializer is None:
        return glorot_uniform(rng, shape, *fans, activation)
    return initializer.draw(rng, shape, *fans)


def glorot_uniform(
    rng: np.random.RandomState,
    shape: tuple[int, ...],
    fan_in: int,
    fan_out: int,
    activation: str = "relu",
) -> np.ndarray:
    """Draw uniformly from +-sqrt(6 / (fan_in + fan_out)), as "auto" does.

    For the logistic activation the 6 is a 2, as in scikit-learn's perceptrons.

    Examples
    --------
    >>> rng = np.random.RandomState(0)
    >>> bool(abs(glorot_uniform(rng, (3, 3), 3, 3)).max() <= 1)
    True
    """
    factor = 2.0 if activation == "logistic" else 6.0
    bound = np.sqrt(factor / (fan_in + fan_out))
    return rng.uniform(-bound, bound, shape)


def convolution_fans(
    filters: int, channels: int, kernel: tuple[int, ...], groups: int = 1
) -> tuple[int, int]:
    """Return how many inputs an output sees, and how many outputs an input feeds."""
    cells = prod(kernel)
    return channels // groups * cells, filters // groups * cells
