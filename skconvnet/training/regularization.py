"""What keeps weights small: the penalty on kernels, and bounds on the gradient."""

from __future__ import annotations

import numpy as np

from skconvnet.engine.network import Network
from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.chunking import chunks_of


class Penalty:
    """``strength * ((1 - l1_ratio) / 2 * |kernels|^2 + l1_ratio * sum |kernels|)``.

    It is added to a gradient piece by piece.

    Parameters
    ----------
    network : Network
    gradient : ndarray of shape (n_weights,)
    strength : float
    l1_ratio : float, default=0.0
    """

    def __init__(
        self,
        network: Network,
        gradient: np.ndarray,
        strength: float,
        l1_ratio: float = 0.0,
    ) -> None:
        self.l2 = strength * (1 - l1_ratio)
        self.l1 = strength * l1_ratio
        n_penalized = network.layout.n_penalized if strength else 0
        self.kernels = network.vector[:n_penalized]
        self.gradient = gradient[:n_penalized]
        self._squares: dict[int, float] = {}
        self._sums: dict[int, float] = {}

    def __call__(self, piece: slice) -> None:
        """Add the gradient to that piece of the vector, and note its value."""
        kernels = self.kernels[piece]
        if not len(kernels):
            return
        if self.l1:
            signs = self._signs(piece)
            self._sums[piece.start] = float(np.dot(signs, kernels))
            axpy(self.l1, signs, self.gradient[piece])
        if self.l2:
            axpy(self.l2, kernels, self.gradient[piece])
            self._squares[piece.start] = float(np.dot(kernels, kernels))

    def add(self) -> float:
        """Add the gradient to the whole vector, and return the value."""
        for piece in chunks_of(len(self.kernels)):
            self(piece)
        return self.value()

    def value(self) -> float:
        """Return the value of the pieces that were added, in their order."""
        squares = [self._squares[start] for start in sorted(self._squares)]
        sums = [self._sums[start] for start in sorted(self._sums)]
        return 0.5 * self.l2 * sum(squares) + self.l1 * sum(sums)

    def _signs(self, piece: slice) -> np.ndarray:
        """Return the slopes of the absolute values."""
        return np.sign(self.kernels[piece])


class SparseMemory:
    """What an L1 penalty keeps from one update to the next.

    Attributes
    ----------
    mean : ndarray of shape (n_penalized,)
        Gradients of the loss without the penalty, averaged over about an epoch, times
        `total`.
    total : float
        What the averaged gradients weigh together.
    signs : ndarray of shape (n_penalized,)
        On which side of zero each weight may be after the update; 0 for neither.
    """

    def __init__(self) -> None:
        self.mean = self.signs = np.zeros(0)
        self.total = 0.0

    def fit_to(self, kernels: np.ndarray) -> None:
        """Start anew where there are no such weights yet."""
        if self.mean.shape != kernels.shape or self.mean.dtype != kernels.dtype:
            self.mean, self.signs = np.zeros_like(kernels), np.zeros_like(kernels)
            self.total = 0.0


class SparsePenalty(Penalty):
    """A penalty with an L1 part that sets weights to exactly zero, orthant by orthant.

    A weight that an update would take across zero is set to zero instead [1]_. There it
    stays while the gradient of the loss is within the slope of the penalty, which is
    the condition for a minimum; since single minibatches are noisy, the gradient is
    averaged over about an epoch, as in regularized dual averaging [2]_.

    Parameters
    ----------
    network, gradient, strength, l1_ratio
        As in `Penalty`.
    memory : SparseMemory
    n_updates : int
        Updates an epoch.

    References
    ----------
    .. [1] G. Andrew and J. Gao, "Scalable training of L1-regularized log-linear
       models", ICML 2007.
    .. [2] L. Xiao, "Dual averaging methods for regularized stochastic learning and
       online optimization", JMLR 11, 2010.
    """

    def __init__(
        self,
        network: Network,
        gradient: np.ndarray,
        strength: float,
        l1_ratio: float,
        memory: SparseMemory,
        n_updates: int,
    ) -> None:
        super().__init__(network, gradient, strength, l1_ratio)
        memory.fit_to(self.kernels)
        self.memory = memory
        self.decay = 1 - 1 / n_updates
        memory.total = self.decay * memory.total + 1 - self.decay

    def _signs(self, piece: slice) -> np.ndarray:
        gradient, mean = self.gradient[piece], self.memory.mean[piece]
        mean *= self.decay
        axpy(1 - self.decay, gradient, mean)
        signs = np.sign(self.kernels[piece], out=self.memory.signs[piece])
        at_zero = np.flatnonzero(signs == 0)
        if len(at_zero):
            slopes = mean[at_zero] / self.memory.total
            may_leave = np.abs(slopes) > self.l1
            signs[at_zero] = -np.sign(slopes) * may_leave
            gradient[at_zero[~may_leave]] = 0
        return signs

    def finish(self, piece: slice) -> None:
        """Set weights of that piece to zero that are on the wrong side of it."""
        kernels = self.kernels[piece]
        signs = self.memory.signs[piece]
        signs *= kernels
        kernels *= signs > 0
