"""Initial weights of kernels, by name or as objects.

The fans of a kernel are the number of inputs that an output depends on (`fan_in`) and
the number of outputs that an input contributes to (`fan_out`). Most initializers derive
the variance of the weights from the fans, so that signals, or gradients, neither grow
nor shrink from layer to layer.

In names with a scheme, such as "he_normal", "uniform" means a uniform distribution
around 0, and "normal" a normal distribution truncated at two standard deviations, with
a scale such that the variance after truncation is the documented one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp, pi, prod, sqrt
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from skconvnet._foreign_words import INITIALIZER_CLASSES, INITIALIZER_PARAMETERS, Words
from skconvnet._suggestions import module_getattr, value_suggestion
from skconvnet._typing import Shape, override
from skconvnet.params.base import Params
from skconvnet.params.constraints import FINITE, POSITIVE

# Kernels are drawn in double precision, and converted by the network.
Kernel: TypeAlias = npt.NDArray[np.float64]

# A standard normal distribution is truncated at this absolute value,
_CUT = 2.0
# which leaves this share of it,
_CUT_SHARE = float(2 * ndtr(_CUT) - 1)
# with this standard deviation.
_CUT_STD = sqrt(1 - 2 * _CUT * exp(-(_CUT**2) / 2) / sqrt(2 * pi) / _CUT_SHARE)


class Initializer(Params, ABC):
    """A way to draw a kernel."""

    _words: ClassVar[Words] = INITIALIZER_PARAMETERS

    @abstractmethod
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        """Draw a kernel.

        Parameters
        ----------
        rng : RandomState
        shape : tuple of int
            Shape of the kernel.
        fan_in, fan_out : int
            Number of inputs that an output depends on, and number of outputs that an
            input contributes to.

        Returns
        -------
        kernel : ndarray of shape `shape`, float64
        """


class _VarianceScaling(Initializer):
    """Weights with a mean of 0 and a variance that depends on the fans."""

    is_normal: ClassVar[bool]

    @abstractmethod
    def variance(self, fan_in: int, fan_out: int) -> float:
        """Return the variance of each weight."""

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        std = sqrt(self.variance(fan_in, fan_out))
        if not self.is_normal:
            bound = sqrt(3) * std
            return rng.uniform(-bound, bound, shape)
        # Inverse transform sampling always takes one random number per weight, unlike
        # drawing again beyond the cut.
        lowest = (1 - _CUT_SHARE) / 2
        normal: Kernel = ndtri(rng.uniform(lowest, 1 - lowest, shape))
        return normal * (std / _CUT_STD)


class GlorotUniform(_VarianceScaling):
    """Uniform with a variance of ``2 / (fan_in + fan_out)``, suited to tanh [1]_.

    The weights lie within ``sqrt(6 / (fan_in + fan_out))`` of 0.

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

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class GlorotNormal(GlorotUniform):
    """Truncated normal with the variance of `GlorotUniform`."""

    is_normal = True


class HeUniform(_VarianceScaling):
    """Uniform with a variance of ``2 / fan_in``, suited to ReLU and its variants [1]_.

    The weights lie within ``sqrt(6 / fan_in)`` of 0.

    References
    ----------
    .. [1] K. He et al., "Delving deep into rectifiers", ICCV 2015.
    """

    is_normal = False

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


class HeNormal(HeUniform):
    """Truncated normal with the variance of `HeUniform`."""

    is_normal = True


class LecunUniform(_VarianceScaling):
    """Uniform with a variance of ``1 / fan_in``, suited to SELU or no activation [1]_.

    The weights lie within ``sqrt(3 / fan_in)`` of 0.

    References
    ----------
    .. [1] Y. LeCun et al., "Efficient BackProp", 1998.
    """

    is_normal = False

    @override
    def variance(self, fan_in: int, fan_out: int) -> float:
        return 1 / fan_in


class LecunNormal(LecunUniform):
    """Truncated normal with the variance of `LecunUniform`."""

    is_normal = True


@dataclass(eq=False, repr=False)
class Orthogonal(Initializer):
    """A random orthogonal matrix, multiplied by a gain [1]_.

    The kernel is drawn as a matrix with one row per index of its first axis. Except for
    the gain, its rows are orthonormal or, if it has more rows than columns, its columns
    are.

    Parameters
    ----------
    gain : float, default=1.0
        The factor, for example ``sqrt(2)`` for ReLU.

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

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        n_rows, n_columns = shape[0], prod(shape[1:])
        tall = (max(n_rows, n_columns), min(n_rows, n_columns))
        q, r = np.linalg.qr(rng.standard_normal(tall))
        # If the diagonal of r is positive, q does not depend on the algorithm used.
        gain = float(self.gain)
        q *= np.where(np.diag(r) < 0, -gain, gain)
        kernel: Kernel = (q if n_rows >= n_columns else q.T).reshape(shape)
        return kernel


@dataclass(eq=False, repr=False)
class Normal(Initializer):
    """Normal with a mean of 0 and the same variance for every shape.

    Parameters
    ----------
    std : float, default=0.05
        The standard deviation.
    """

    std: float = 0.05

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"std": POSITIVE}

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        return rng.normal(0.0, self.std, shape)


@dataclass(eq=False, repr=False)
class Constant(Initializer):
    """The same number for every weight.

    It is meant for networks without hidden layers, since hidden units with equal
    weights stay equal in training.

    Parameters
    ----------
    value : float, default=0.0
        The value of every weight.
    """

    value: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"value": FINITE}

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
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


# Initializers that keep the variance of signals about the same from layer to layer.
_BY_ACTIVATION = {
    **dict.fromkeys(("relu", "leaky_relu", "elu", "gelu", "silu"), "he_uniform"),
    "selu": "lecun_normal",
}


def get_initializer(value: object) -> Initializer | None:
    """Return the initializer for a value of the hyperparameter `kernel_initializer`.

    Parameters
    ----------
    value : str or Initializer
        The name of an initializer, or an initializer.

    Returns
    -------
    initializer : Initializer or None
        None for "auto".

    Raises
    ------
    ValueError
        If there is no such initializer, or one of its parameters is invalid.
    """
    if isinstance(value, Initializer):
        return value.checked_copy()
    if isinstance(value, str) and value == "auto":
        return None
    if not isinstance(value, str) or value not in INITIALIZERS:
        raise ValueError(
            "kernel_initializer must be 'auto', one of "
            f"{', '.join(map(repr, INITIALIZERS))}, or an object of "
            f"skconvnet.initializers such as Normal(std=0.05); got {value!r}."
            + value_suggestion("kernel_initializer", value, INITIALIZERS)
        )
    return INITIALIZERS[value]


def draw_kernel(
    rng: np.random.RandomState,
    shape: Shape,
    fans: tuple[int, int],
    initializer: Initializer | None,
    activation: str = "identity",
) -> Kernel:
    """Draw the kernel of a convolution.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    fans : (int, int)
        `fan_in` and `fan_out`.
    initializer : Initializer or None
        None chooses an initializer that suits the activation: "he_uniform" for "relu",
        "leaky_relu", "elu", "gelu" and "silu", "lecun_normal" for "selu", and
        `glorot_uniform` for all others.
    activation : str, default="identity"
        Activation of the layer.

    Returns
    -------
    kernel : ndarray of shape `shape`, float64
    """
    if initializer is None and activation in _BY_ACTIVATION:
        initializer = INITIALIZERS[_BY_ACTIVATION[activation]]
    if initializer is None:
        return glorot_uniform(rng, shape, *fans, activation)
    return initializer.draw(rng, shape, *fans)


def glorot_uniform(
    rng: np.random.RandomState,
    shape: Shape,
    fan_in: int,
    fan_out: int,
    activation: str = "relu",
) -> Kernel:
    """Draw uniformly within ``sqrt(6 / (fan_in + fan_out))`` of 0, as "auto" does.

    For the logistic activation, the bound is ``sqrt(2 / (fan_in + fan_out))``, as in
    scikit-learn's perceptrons.

    Parameters
    ----------
    rng : RandomState
    shape : tuple of int
    fan_in, fan_out : int
    activation : str, default="relu"

    Returns
    -------
    kernel : ndarray of shape `shape`, float64

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
    filters: int, channels: int, kernel: Shape, groups: int = 1
) -> tuple[int, int]:
    """Return the fans of the kernel of a convolution.

    Parameters
    ----------
    filters, channels : int
    kernel : tuple of int
        Spatial shape of the kernel.
    groups : int, default=1

    Returns
    -------
    fan_in, fan_out : int

    Examples
    --------
    >>> convolution_fans(filters=32, channels=16, kernel=(3, 3))
    (144, 288)
    """
    n_taps = prod(kernel)
    return channels // groups * n_taps, filters // groups * n_taps


__getattr__ = module_getattr(
    __name__,
    [Initializer.__name__, *(type(value).__name__ for value in INITIALIZERS.values())],
    INITIALIZER_CLASSES,
)
