"""Training on the whole set at once, by L-BFGS."""

from __future__ import annotations

import numpy as np
import scipy.optimize

from skconvnet.engine.executor import Executor
from skconvnet.engine.inputs import Samples, minibatches
from skconvnet.optimizers import LBFGS
from skconvnet.training.regularization import Penalty
from skconvnet.training.stopping import TrainingDivergedError


def minimize_lbfgs(
    engine: Executor,
    samples: Samples,
    *,
    alpha: float,
    max_iter: int,
    tol: float,
    solver: LBFGS | None = None,
    l1_ratio: float = 0.0,
) -> scipy.optimize.OptimizeResult:
    """Minimize the loss over all samples with L-BFGS.

    Returns
    -------
    result : OptimizeResult
        The network's weights are its `x`.

    Raises
    ------
    TrainingDivergedError
        If the search ends where the loss is NaN or infinite.
    """
    network = engine.network
    vector = network.vector
    gradient = np.empty_like(vector)
    whole = next(minibatches(samples, None, len(samples)))
    # One seed for the whole search: it needs a function that stays the same.
    seed = 0 if engine.is_random else None

    def objective(x: np.ndarray) -> tuple[float, np.ndarray]:
        vector[:] = x
        loss, total = engine.loss_and_gradient(
            samples, whole, gradient, train=True, seed=seed
        )
        if total > 0:
            l2 = alpha * (1 - l1_ratio) / total
            loss += Penalty(network, gradient, l2).add()
        return loss, gradient.astype(np.float64)

    weights = samples.weights
    total = len(samples) if weights is None else float(weights.sum())
    result = (solver or LBFGS()).minimize(
        objective,
        vector.astype(np.float64),
        max_iter,
        tol,
        l1=alpha * l1_ratio / total if total > 0 else 0.0,
        n_l1=network.layout.n_penalized,
    )
    vector[:] = result.x
    if not np.isfinite(result.fun):
        raise TrainingDivergedError(
            f"Training diverged: after {result.nit} iterations of L-BFGS the loss is "
            f"{result.fun:g}. Scale the input (for example with StandardScaler) and "
            "the targets of a regression, or raise alpha."
        )
    return result
