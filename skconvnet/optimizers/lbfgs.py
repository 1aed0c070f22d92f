"""L-BFGS, which minimizes the loss of the full batch instead of updating by minibatch.

This module minimizes any function. The function that training minimizes, the loss over
all samples, is defined in `training/lbfgs.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy.optimize

from skconvnet._foreign_words import OPTIMIZER_PARAMETERS, Words
from skconvnet.params.base import Params
from skconvnet.params.constraints import COUNT

_Vector: TypeAlias = npt.NDArray[np.float64]
# Returns the value and the gradient at a point.
_Objective: TypeAlias = Callable[[_Vector], tuple[float, _Vector]]
# Is given a point, and returns whether to stop there.
_OnIteration: TypeAlias = Callable[[_Vector], bool]

# The status of a search that `on_iteration` has stopped, which SciPy sets.
STOPPED = 99


@dataclass(eq=False, repr=False)
class LBFGS(Params):
    """SciPy's limited-memory quasi-Newton method, L-BFGS-B [1]_.

    It has no learning rate. ``max_iter`` of the estimator is the maximum number of
    iterations. The optimization ends when no element of the gradient is larger than
    ``tol``.

    Parameters
    ----------
    max_fun : int, default=15000
        The maximum number of function evaluations.
    history : int, default=10
        The number of corrections that define the approximate Hessian.

    References
    ----------
    .. [1] R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for
       bound constrained optimization", SIAM J. Sci. Comput. 16, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.optimizers import LBFGS
    >>> result = LBFGS().minimize(
    ...     lambda x: (((x - 3) ** 2).sum(), 2 * (x - 3)), np.zeros(2), 50, 1e-8)
    >>> result.x.round(6)
    array([3., 3.])
    """

    _words: ClassVar[Words] = OPTIMIZER_PARAMETERS

    max_fun: int = 15000
    history: int = 10

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_fun": COUNT,
        "history": COUNT,
    }

    def minimize(
        self,
        objective: _Objective,
        start: _Vector,
        max_iter: int,
        tol: float,
        l1: float | _Vector = 0.0,
        n_l1: int = 0,
        on_iteration: _OnIteration | None = None,
    ) -> scipy.optimize.OptimizeResult:
        """Minimize a smooth function, plus an L1 penalty on the first elements.

        Parameters
        ----------
        objective : callable
            Returns the value and the gradient of the smooth function at x.
        start : ndarray of shape (n,)
        max_iter : int
            Maximum number of iterations.
        tol : float
            The optimization ends when no element of the gradient is larger.
        l1 : float or ndarray of shape (n_l1,), default=0.0
            Strength of the penalty, ``(l1 * abs(x[:n_l1])).sum()``.
        n_l1 : int, default=0
            Number of penalized elements.
        on_iteration : callable, optional
            Is called with x after each iteration. If it returns True, the optimization
            ends, with a `status` of `STOPPED`.

        Returns
        -------
        result : OptimizeResult
            The result of SciPy, with the minimum as `x` and the value at this point,
            penalty included, as `fun`. If the user interrupts the search, `x` and `fun`
            are the best so far, and `interrupt` is the KeyboardInterrupt.
        """
        options = {
            "maxfun": self.max_fun,
            "maxiter": max_iter,
            "gtol": tol,
            # No more are made, so that room for more would be wasted.
            "maxcor": int(min(self.history, max_iter)),
        }
        if not n_l1 or not np.any(l1):
            return _search(objective, start, options, on_iteration=on_iteration)
        return _minimize_with_l1(objective, start, l1, n_l1, options, on_iteration)


def _search(
    objective: _Objective,
    start: _Vector,
    options: dict[str, float],
    bounds: scipy.optimize.Bounds | None = None,
    on_iteration: _OnIteration | None = None,
) -> scipy.optimize.OptimizeResult:
    """Run SciPy's L-BFGS-B until it ends, or until the user interrupts it."""
    best = _Best(objective, start, on_iteration)
    try:
        return scipy.optimize.minimize(
            best,
            start,
            method="L-BFGS-B",
            jac=True,
            bounds=bounds,
            callback=best.end_iteration,
            options=options,
        )
    except KeyboardInterrupt as interrupt:
        return best.result(interrupt)


class _Best:
    """An objective that keeps the best point at which it was evaluated.

    Parameters
    ----------
    objective : callable
    start : ndarray of shape (n,)
        The best point as long as there is no other, with an infinite value.
    on_iteration : callable or None
        Returns True to end the search.
    """

    def __init__(
        self, objective: _Objective, start: _Vector, on_iteration: _OnIteration | None
    ) -> None:
        self._objective = objective
        self._on_iteration = on_iteration
        self._x, self._value = start.copy(), np.inf
        self._n_iterations = 0

    def __call__(self, x: _Vector) -> tuple[float, _Vector]:
        value, gradient = self._objective(x)
        if value < self._value:
            self._x, self._value = x.copy(), value
        return value, gradient

    def end_iteration(self, x: _Vector) -> None:
        """Count an iteration, which may have several evaluations."""
        self._n_iterations += 1
        if self._on_iteration is not None and self._on_iteration(x):
            raise StopIteration  # by which SciPy knows that it is to stop

    def result(self, interrupt: KeyboardInterrupt) -> scipy.optimize.OptimizeResult:
        """Return the result of an interrupted search."""
        return scipy.optimize.OptimizeResult(
            x=self._x,
            fun=self._value,
            nit=self._n_iterations,
            success=False,
            message="INTERRUPTED BY USER",
            interrupt=interrupt,
        )


def _minimize_with_l1(
    objective: _Objective,
    start: _Vector,
    l1: float | _Vector,
    n_l1: int,
    options: dict[str, float],
    on_iteration: _OnIteration | None,
) -> scipy.optimize.OptimizeResult:
    """Minimize with an L1 penalty, as a smooth problem with bounds.

    Each penalized element is written as the difference of two nonnegative numbers,
    ``x = p - q``. The variables are the elements of the longer vector ::

        split = [ p (n_l1) | q (n_l1) | the other elements ]      p, q >= 0

    in which the penalty, now ``l1 * (p + q)``, is linear. At the minimum, p or q is
    zero, since subtracting the same amount from both lowers only the penalty. Therefore
    ``p + q = abs(x)``. L-BFGS-B satisfies the bounds exactly: if both p and q are at
    their bounds, x is exactly zero.
    """

    def joined(split: _Vector) -> _Vector:
        x = split[n_l1:].copy()
        x[:n_l1] = split[:n_l1] - x[:n_l1]
        return x

    def penalty(sizes: _Vector) -> float:
        if isinstance(l1, np.ndarray):
            return float((l1 * sizes.reshape(-1, n_l1)).sum())
        return l1 * float(sizes.sum())

    def smooth(split: _Vector) -> tuple[float, _Vector]:
        value, gradient = objective(joined(split))
        slopes = gradient[:n_l1]
        split_gradient = np.concatenate([slopes + l1, l1 - slopes, gradient[n_l1:]])
        return value + penalty(split[: 2 * n_l1]), split_gradient

    signed = start[:n_l1]
    lower = np.full(len(start) + n_l1, -np.inf)
    lower[: 2 * n_l1] = 0
    result = _search(
        smooth,
        np.concatenate([np.maximum(signed, 0), np.maximum(-signed, 0), start[n_l1:]]),
        options,
        scipy.optimize.Bounds(lower, np.inf),
        None if on_iteration is None else lambda split: on_iteration(joined(split)),
    )
    # If the optimization ends early, p and q may both be positive: p + q > abs(x).
    counted = penalty(result.x[: 2 * n_l1])
    result.x = joined(result.x)
    result.fun -= counted - penalty(np.abs(result.x[:n_l1]))
    return result
