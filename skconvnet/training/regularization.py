"""The L1 and L2 penalty on kernels, and its effect on an update."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.ops.blas_kernels import axpy
from skconvnet.ops.chunking import chunks_of

# Slices of the penalized weights, in order, and their factors in the penalty. See
# `ParameterLayout.penalized_runs`.
PenalizedRuns: TypeAlias = Sequence[tuple[slice, float]]


def add_penalty(
    kernels: FlatVector,
    gradient: FlatVector,
    strength: float,
    l1_ratio: float = 0.0,
    runs: PenalizedRuns | None = None,
) -> float:
    """Add the gradient of the penalty, and return the penalty.

    The penalty is
    ``strength * (l1_ratio * sum(abs(w)) + (1 - l1_ratio) / 2 * sum(w ** 2))``.

    Parameters
    ----------
    kernels : ndarray of shape (n_penalized,)
        The weights w that `alpha` shrinks, which come first in the flat vector.
    gradient : ndarray of shape (n_penalized,)
        Gradient of the loss. The gradient of the penalty is added in place.
    strength : float
        ``alpha`` divided by the sum of the sample weights.
    l1_ratio : float, default=0.0
    runs : sequence of (slice, float), default=None
        Factors of the strength, if weights differ in it.

    Returns
    -------
    penalty : float

    Examples
    --------
    >>> gradient = np.zeros(2)
    >>> add_penalty(np.array([3.0, -1.0]), gradient, strength=0.5)
    2.5
    >>> gradient
    array([ 1.5, -0.5])
    """
    penalty = Penalty(strength, l1_ratio)
    runs = _runs(len(kernels), runs)
    for chunk in chunks_of(len(kernels)):
        for part in _parts(runs, chunk):
            w, g = kernels[part.position], gradient[part.position]
            penalty.add(part, w, g, np.sign(w) if penalty.l1 else None)
    return penalty.value()


class _Part(NamedTuple):
    """A part of a chunk that is penalized with one factor.

    Attributes
    ----------
    position : slice
        In the flat vector.
    inside : slice
        In the chunk.
    factor : float
        Of the strength of the penalty.
    """

    position: slice
    inside: slice
    factor: float


def _runs(n_penalized: int, runs: PenalizedRuns | None) -> PenalizedRuns:
    return [(slice(0, n_penalized), 1.0)] if runs is None else runs


def _parts(runs: PenalizedRuns, chunk: slice) -> Iterator[_Part]:
    """Yield the parts of a chunk that are penalized."""
    for run, factor in runs:
        start, stop = max(run.start, chunk.start), min(run.stop, chunk.stop)
        if start < stop and factor:
            inside = slice(start - chunk.start, stop - chunk.start)
            yield _Part(slice(start, stop), inside, factor)


class Penalty:
    """The penalty on all kernels in one update, added to the gradient part by part.

    Parameters
    ----------
    strength, l1_ratio : float
        As in `add_penalty`.

    Attributes
    ----------
    l1, l2 : float
        The penalty is ``l1 * sum(abs(w)) + l2 * sum(w ** 2) / 2``, where each summand
        is multiplied by the factor of its part.
    """

    def __init__(self, strength: float, l1_ratio: float) -> None:
        self.l1 = strength * l1_ratio
        self.l2 = strength * (1 - l1_ratio)
        # The sums of absolute values and of squares, by the start of each part.
        self._sums: dict[int, float] = {}
        self._squares: dict[int, float] = {}

    def add(
        self,
        part: _Part,
        kernels: FlatVector,
        gradient: FlatVector,
        signs: FlatVector | None,
    ) -> None:
        """Add the gradient of the penalty on a part of a chunk, and record the penalty.

        Parameters
        ----------
        part : _Part
        kernels, gradient : ndarray of shape (n,)
            The weights of the part, and the gradient that is added to.
        signs : ndarray of shape (n,) or None
            Derivatives of ``abs(w)``; None if `l1` is zero.
        """
        start, factor = part.position.start, part.factor
        if signs is not None:
            self._sums[start] = factor * float(np.dot(signs, kernels))
            axpy(self.l1 * factor, signs, gradient)
        if self.l2:
            axpy(self.l2 * factor, kernels, gradient)
            self._squares[start] = factor * float(np.dot(kernels, kernels))

    def value(self) -> float:
        """Return the penalty on the parts that were added."""
        # In the order of the parts, whichever thread was first.
        squares = [self._squares[start] for start in sorted(self._squares)]
        sums = [self._sums[start] for start in sorted(self._sums)]
        return 0.5 * self.l2 * sum(squares) + self.l1 * sum(sums)


class Regularizer:
    """Applies the penalty to each update, chunk by chunk.

    For each update, the loop calls `begin_update`, the optimizer calls `before` and
    `after` around the update of each chunk, and the loop finally calls `value`. Weights
    after the kernels, such as biases, are not penalized.

    The L2 part is smooth: it only adds to the gradient. The L1 part is not smooth, and
    `OrthantProjection` applies it. Its averaged gradients are the only state that lasts
    from one update to the next, and from one call of `partial_fit` to the next.

    Attributes
    ----------
    projection : OrthantProjection
    """

    def __init__(self) -> None:
        self.projection = OrthantProjection()
        self._penalty = Penalty(0.0, 0.0)
        self._runs: PenalizedRuns = ()
        self._is_added = False

    def begin_update(
        self,
        kernels: FlatVector,
        strength: float,
        l1_ratio: float,
        n_updates: int,
        runs: PenalizedRuns | None = None,
    ) -> None:
        """Prepare for an update.

        Parameters
        ----------
        kernels : ndarray of shape (n_penalized,)
        strength, l1_ratio : float
            As in `add_penalty`.
        n_updates : int
            Number of updates in an epoch.
        runs : sequence of (slice, float), default=None
            As in `add_penalty`.
        """
        self._penalty = Penalty(strength, l1_ratio)
        self._runs = _runs(len(kernels), runs) if strength else ()
        self._is_added = False
        if self._penalty.l1:
            self.projection.begin_update(kernels, n_updates)

    def before_all(self, weights: FlatVector, gradient: FlatVector) -> None:
        """Do at once what `before` does for each chunk, which then does nothing.

        This is for clipping, which needs the norm of the whole gradient, including the
        penalty.
        """
        n_penalized = self._runs[-1][0].stop if self._runs else 0
        for chunk in chunks_of(n_penalized):
            self.before(chunk, weights[chunk], gradient[chunk])
        self._is_added = True

    def before(self, chunk: slice, weights: FlatVector, gradient: FlatVector) -> None:
        """Add the gradient of the penalty on a chunk, before its update."""
        if self._is_added:
            return
        penalty, signs = self._penalty, None
        for part in _parts(self._runs, chunk):
            w, g = weights[part.inside], gradient[part.inside]
            if penalty.l1:
                l1 = penalty.l1 * part.factor
                signs = self.projection.choose(part.position, w, g, l1)
            penalty.add(part, w, g, signs)

    def after(self, chunk: slice, weights: FlatVector) -> bool:
        """Set weights to zero whose sign the update changed.

        Returns
        -------
        may_hold_zeros : bool
            Whether there is an L1 penalty.
        """
        if not self._penalty.l1:
            return False
        for part in _parts(self._runs, chunk):
            self.projection.project(part.position, weights[part.inside])
        return True

    @property
    def vectors(self) -> list[FlatVector]:
        """The averaged gradients, which are empty without an L1 penalty."""
        return [self.projection.mean]

    def value(self) -> float:
        """Return the penalty on the weights before the update."""
        return self._penalty.value()


class OrthantProjection:
    r"""Sets weights under an L1 penalty to exactly zero, and keeps them there.

    **The problem.** The penalty ``l1 * abs(w)`` has no derivative at zero. Steps along
    ``l1 * sign(w)`` overshoot zero back and forth, and no weight is ever exactly zero.

    **Which sign a weight may take.** Before an update, each weight is given a sign s in
    {-1, 0, 1}, the side of zero on which it must be after the update. All signs
    together define an orthant [1]_. Within it, the penalty is linear with slope ``l1 *
    s``. Let g be the slope of the loss without the penalty::

        w > 0:                 s =  1         the weight may shrink to zero,
        w < 0:                 s = -1         but not change its sign
        w = 0, abs(g) <= l1:   s =  0         it stays at zero
        w = 0, g < -l1:        s =  1         the loss falls faster than the
        w = 0, g >  l1:        s = -1         penalty rises: it may leave

    **After the update** a weight is kept if ``s * w > 0``, and set to zero otherwise::

        before            update            after
        --- 0 --- w ---   w' --- 0 -------  ------- 0 -------
                 s = 1    s * w' < 0        w = 0

    **Why a weight stays at zero.** The loss plus the penalty has a minimum at w = 0 if
    and only if the slope on the left, ``g - l1``, is not positive, and the slope on the
    right, ``g + l1``, is not negative: ``abs(g) <= l1``. This is the condition for s =
    0. The gradient of such a weight is set to zero as well, so that it does not enter
    the moments of the optimizer.

    **The averaged gradient.** The g of a minibatch is noisy. It would exceed `l1` by
    chance every now and then, and no weight would stay at zero. For weights at zero, g
    is therefore averaged over about an epoch of n updates, as in regularized dual
    averaging [2]_, with ``decay = 1 - 1 / n``::

        mean  = decay * mean  + (1 - decay) * gradient
        total = decay * total + (1 - decay)
        g     = mean / total

    The division compensates for the start of `mean` at zero. With one update per epoch,
    the decay is 0, and g is the gradient itself.

    **Invariant.** After `project`, ``w == 0`` or ``sign(w) == s`` for each weight.

    Attributes
    ----------
    mean : ndarray of shape (n_penalized,)
        Decayed sum of the gradients of the loss, without the penalty.
    total : float
        Sum of the coefficients of these gradients.
    signs : ndarray of shape (n_penalized,)
        The orthant of the current update. `project` overwrites it.

    References
    ----------
    .. [1] G. Andrew and J. Gao, "Scalable training of L1-regularized log-linear
       models", ICML 2007.
    .. [2] L. Xiao, "Dual averaging methods for regularized stochastic learning and
       online optimization", JMLR 11, 2010.

    Examples
    --------
    Of three weights at zero, only the last one has a slope steeper than `l1`:

    >>> weights, projection = np.zeros(3), OrthantProjection()
    >>> projection.begin_update(weights, n_updates=1)
    >>> gradient = np.array([0.4, -0.4, -2.0])
    >>> projection.choose(slice(0, 3), weights, gradient, l1=0.5)
    array([-0., 0., 1.])
    >>> gradient
    array([ 0.,  0., -2.])
    """

    def __init__(self) -> None:
        self.mean: FlatVector = np.zeros(0)
        self.signs: FlatVector = np.zeros(0)
        self.total = 0.0
        self._decay = 0.0

    def begin_update(self, kernels: FlatVector, n_updates: int) -> None:
        """Prepare for an update of `kernels`, one of `n_updates` in an epoch."""
        if self.mean.shape != kernels.shape or self.mean.dtype != kernels.dtype:
            self.mean, self.signs = np.zeros_like(kernels), np.zeros_like(kernels)
            self.total = 0.0
        self._decay = 1 - 1 / n_updates
        self.total = self._decay * self.total + 1 - self._decay

    def choose(
        self, chunk: slice, kernels: FlatVector, gradient: FlatVector, l1: float
    ) -> FlatVector:
        """Choose the orthant of a chunk before its update.

        Parameters
        ----------
        chunk : slice
            Position of the chunk in the flat vector.
        kernels : ndarray of shape (n,)
        gradient : ndarray of shape (n,)
            Gradient of the loss without the penalty. Set to zero for weights that stay
            at zero.
        l1 : float
            Slope of the penalty.

        Returns
        -------
        signs : ndarray of shape (n,)
        """
        mean = self.mean[chunk]
        mean *= self._decay
        axpy(1 - self._decay, gradient, mean)
        signs = np.sign(kernels, out=self.signs[chunk])
        at_zero = np.flatnonzero(signs == 0)
        if len(at_zero):
            slopes = mean[at_zero] / self.total
            may_leave = np.abs(slopes) > l1
            signs[at_zero] = -np.sign(slopes) * may_leave
            gradient[at_zero[~may_leave]] = 0
        return signs

    def project(self, chunk: slice, kernels: FlatVector) -> None:
        """Set weights of a chunk to zero that are outside the orthant."""
        signs = self.signs[chunk]
        signs *= kernels
        kernels *= signs > 0
