"""L-BFGS: a search over the whole training set instead of minibatch updates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import scipy.optimize

from skconvnet.params.base import Params
from skconvnet.params.constraints import COUNT


@dataclass(eq=False, repr=False)
class LBFGS(Params):
    """SciPy's limited-memory quasi-Newton search, L-BFGS-B [1]_.

    It has no learning rate. ``max_iter`` of the estimator bounds its iterations, and it
    ends where no component of the gradient is larger than ``tol``.

    Parameters
    ----------
    max_fun : int, default=15000
        Function evaluations at most.
    history : int, default=10
        Corrections that the approximate Hessian is made of.

    References
    ----------
    .. [1] R. H. Byrd, P. Lu, J. Nocedal and C. Zhu, "A limited memory algorithm for
       bound constrained optimization", SIAM J. Sci. Comput. 16, 1995.

    Examples
    --------
    >>> import numpy as np
    >>> result = LBFGS().minimize(
    ...     lambda x: (((x - 3) ** 2).sum(), 2 * (x - 3)), np.zeros(2), 50, 1e-8)
    >>> result.x.round(6)
    array([3., 3.])
    """

    max_fun: int = 15000
    history: int = 10

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "max_fun": COUNT,
        "history": COUNT,
    }

    def minimize(
        self,
        objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
        start: np.ndarray,
        max_iter: int,
        tol: float,
        l1: float = 0.0,
        n_l1: int = 0,
    ) -> scipy.optimize.OptimizeResult:
        """Minimize a smooth function, plus the absolute values of some coordinates.

        Parameters
        ----------
        objective : callable
            Returns the value and the gradient at x.
        start : ndarray of shape (n,)
        max_iter : int
        tol : float
        l1, n_l1 : float, int
            ``l1 * abs(x[:n_l1]).sum()`` is added. Those coordinates are searched as
            differences of two that are not negative, which makes the sum smooth, and
            coordinates exactly zero where both are at their bound.

        Returns
        -------
        result : OptimizeResult
            With the minimum `x`.
        """
        options = {"maxfun": self.max_fun, "maxiter": max_iter, "gtol": tol}
        options["maxcor"] = self.history
        if not l1 or not n_l1:
            return scipy.optimize.minimize(
                objective, start, method="L-BFGS-B", jac=True, options=options
            )

        def joined(parts: np.ndarray) -> np.ndarray:
            x = parts[n_l1:].copy()
            x[:n_l1] = parts[:n_l1] - x[:n_l1]
            return x

        def smooth(parts: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = objective(joined(parts))
            signed = gradient[:n_l1]
            slopes = np.concatenate([signed + l1, l1 - signed, gradient[n_l1:]])
            return value + l1 * float(parts[: 2 * n_l1].sum()), slopes

        signed = start[:n_l1]
        parts = [np.maximum(signed, 0), np.maximum(-signed, 0), start[n_l1:]]
        lower = np.full(len(start) + n_l1, -np.inf)
        lower[: 2 * n_l1] = 0
        result = scipy.optimize.minimize(
            smooth,
            np.concatenate(parts),
            method="L-BFGS-B",
            jac=True,
            bounds=scipy.optimize.Bounds(lower, np.inf),
            options=options,
        )
        # Where the search ends early, both of the two may be above zero.
        surplus = result.x[: 2 * n_l1].sum()
        result.x = joined(result.x)
        result.fun -= l1 * float(surplus - np.abs(result.x[:n_l1]).sum())
        return result
