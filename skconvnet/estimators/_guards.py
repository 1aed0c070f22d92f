"""Guards of the methods that fit: when they are available, and what errors undo."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skconvnet.engine.network import Network
from skconvnet.estimators._factories import is_stochastic
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.training.stopping import TrainingDivergedError

_NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed."
)


def stochastic_only(estimator: TrainingParams) -> bool:
    """Return True if partial_fit is available, else raise an AttributeError."""
    if not is_stochastic(estimator.solver):
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


@contextmanager
def unchanged_on_error(estimator: object) -> Iterator[None]:
    """Restore every attribute of `estimator` if the block raises an error."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


@contextmanager
def finite_weights(network: Network) -> Iterator[None]:
    """Raise scikit-learn's ValueError if training in the block diverges."""
    try:
        yield
    except TrainingDivergedError as error:
        raise ValueError(f"{_NON_FINITE} {error}") from error
    if not np.isfinite(network.vector).all():
        raise ValueError(_NON_FINITE)
