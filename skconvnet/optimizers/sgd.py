"""Stochastic gradient descent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skconvnet._typing import FlatVector, override
from skconvnet.ops.blas_kernels import axpy
from skconvnet.optimizers.base import ChunkArrays, Optimizer
from skconvnet.params.constraints import BOOLEAN, FROM_0_TO_1


@dataclass(eq=False, repr=False)
class SGD(Optimizer):
    """Stochastic gradient descent with momentum.

    The velocity starts at zero. Each step sets
    ``velocity = momentum * velocity - (1 - dampening) * rate * gradient`` and adds the
    velocity to the weights. Nesterov's momentum [1]_ looks one step ahead: it adds
    ``momentum * velocity - rate * gradient`` instead.

    Parameters
    ----------
    momentum : float, default=0.9
        The decay rate of the velocity, in [0, 1].
    nesterov : bool, default=False
        Whether to use Nesterov's momentum.
    dampening : float, default=0.0
        The reduction of the gradient, in [0, 1]. With ``dampening = momentum``, the
        velocity is a moving average of gradients. Must be 0 with Nesterov's momentum.

    References
    ----------
    .. [1] I. Sutskever et al., "On the importance of initialization and momentum in
       deep learning", ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import SGD
    >>> weights = np.array([1.0])
    >>> SGD(momentum=0.0).step(weights, np.array([2.0]), rate=0.1)
    >>> weights
    array([0.8])
    """

    momentum: float = 0.9
    nesterov: bool = False
    dampening: float = 0.0

    n_moments = 1
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "momentum": FROM_0_TO_1,
        "nesterov": BOOLEAN,
        "dampening": FROM_0_TO_1,
    }

    @override
    def check_params(self) -> None:
        super().check_params()
        if self.nesterov and self.dampening:
            raise ValueError(
                "dampening must be 0 if nesterov=True, since Nesterov's momentum has "
                f"no dampening; got {self.dampening!r}."
            )

    @override
    def _update(self, arrays: ChunkArrays, rate: float) -> tuple[float, FlatVector]:
        gradient, step = arrays.gradient, arrays.step
        (velocity,) = arrays.moments
        velocity *= self.momentum
        axpy(-rate * (1 - self.dampening), gradient, velocity)
        if not self.nesterov:
            return 1.0, velocity
        np.multiply(velocity, self.momentum, out=step)
        axpy(-rate, gradient, step)
        return 1.0, step
