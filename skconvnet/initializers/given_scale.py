"""Initial weights whose scale is given."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.initializers.base import Initializer, Kernel
from skconvnet.params.constraints import FINITE, POSITIVE


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
    >>> import numpy as np
    >>> from skconvnet.initializers import Orthogonal
    >>> kernel = Orthogonal().draw(np.random.RandomState(0), (2, 3), 2, 3)
    >>> bool(np.allclose(kernel @ kernel.T, np.eye(2)))
    True
    """

    gain: float = 1.0

    is_for_kernels: ClassVar[bool] = True

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

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import Normal
    >>> kernel = Normal(std=0.2).draw(np.random.RandomState(0), (200, 100), 25, 8)
    >>> float(kernel.std().round(2))
    0.2
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

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.initializers import Constant
    >>> Constant(0.5).draw(np.random.RandomState(0), (2, 3), 2, 3)
    array([[0.5, 0.5, 0.5],
           [0.5, 0.5, 0.5]])
    """

    value: float = 0.0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"value": FINITE}

    @override
    def draw(
        self, rng: np.random.RandomState, shape: Shape, fan_in: int, fan_out: int
    ) -> Kernel:
        return np.full(shape, float(self.value))
