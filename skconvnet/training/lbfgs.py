"""The function that L-BFGS minimizes in training on the full batch.

The search itself, for any function, is `LBFGS.minimize` in `optimizers/lbfgs.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import scipy.optimize

from skconvnet.augmentation.origin import Epoch
from skconvnet.engine.executor import Executor
from skconvnet.engine.minibatches import Samples, minibatches
from skconvnet.optimizers import LBFGS
from skconvnet.training.regularization import PenalizedRuns, add_penalty
from skconvnet.training.stopping import TrainingDivergedError

_NONE: Mapping[str, float] = MappingProxyType({})


def minimize_lbfgs(
    executor: Executor,
    samples: Samples,
    *,
    solver: LBFGS,
    alpha: float,
    l1_ratio: float,
    alpha_factors: Mapping[str, float] = _NONE,
    max_iter: int,
    tol: float,
    on_iteration: Callable[[], bool] | None = None,
) -> scipy.optimize.OptimizeResult:
    """Minimize the loss over all samples with L-BFGS.

    Parameters
    ----------
    executor : Executor
        The weights of its network are changed in place.
    samples : Samples
    solver : LBFGS
    alpha, l1_ratio : float
        Strength of the penalty, and share of its L1 part. The solver adds the L1 part,
        since the function to minimize must be smooth.
    alpha_factors : mapping of str to float, optional
        Factors of `alpha`, by the names of arrays; 1 for those that are left out.
    max_iter : int
        Largest number of iterations.
    tol : float
        The search ends when no element of the gradient is larger.
    on_iteration : callable, optional
        Is called after each iteration, when the network has its weights. If it returns
        True, the search ends.

    Returns
    -------
    result : OptimizeResult
        Its `x` has the weights of the network. If the user interrupts the search, these
        are the best weights so far, and `interrupt` is the KeyboardInterrupt.

    Raises
    ------
    TrainingDivergedError
        If the search ends with a loss that is NaN or infinite.
    """
    network = executor.network
    weights, n_penalized = network.vector, network.layout.n_penalized
    runs = network.layout.penalized_runs(alpha_factors)
    gradient = np.empty_like(weights)
    kernels, slopes = weights[:n_penalized], gradient[:n_penalized]
    full_batch = next(minibatches(samples, None, len(samples)))
    # One seed for the whole search, so that the function stays the same.
    seed = 0 if executor.is_random else None
    epoch = Epoch(0, 0, n_planned=1) if executor.needs_epoch else None

    def objective(
        x: npt.NDArray[np.float64],
    ) -> tuple[float, npt.NDArray[np.float64]]:
        weights[:] = x
        loss, total = executor.loss_and_gradient(
            samples, full_batch, gradient, train=True, seed=seed, epoch=epoch
        )
        if total > 0:
            l2 = alpha * (1 - l1_ratio) / total
            loss += add_penalty(kernels, slopes, l2, runs=runs)
        return loss, gradient.astype(np.float64)

    def end_iteration(x: npt.NDArray[np.float64]) -> bool:
        weights[:] = x
        return on_iteration is not None and on_iteration()

    total = samples.total_weight(full_batch)
    l1 = alpha * l1_ratio / total if total > 0 else 0.0
    result = solver.minimize(
        objective,
        weights.astype(np.float64),
        max_iter,
        tol,
        l1=_strengths(l1, runs) if alpha_factors else l1,
        n_l1=n_penalized,
        on_iteration=None if on_iteration is None else end_iteration,
    )
    weights[:] = result.x
    if not np.isfinite(result.fun) and "interrupt" not in result:
        raise TrainingDivergedError(
            f"Training diverged: after {result.nit} iterations of L-BFGS the loss is "
            f"{result.fun:g}. Scale the input (for example with StandardScaler) and "
            "the targets of a regression, or increase alpha."
        )
    return result


def _strengths(l1: float, runs: PenalizedRuns) -> npt.NDArray[np.float64]:
    """Return the strength of the L1 penalty on each penalized weight."""
    return np.concatenate(
        [np.full(run.stop - run.start, l1 * factor) for run, factor in runs]
        or [np.zeros(0)]
    )
