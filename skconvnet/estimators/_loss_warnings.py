"""The warnings about the losses that a training started and ended with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import is_regressor

from skconvnet._typing import Rows
from skconvnet.engine.blas_threads import resolve_n_threads
from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._first_loss import warn_of_first_loss
from skconvnet.estimators._fitted_network import FittedNetwork
from skconvnet.estimators._guessing import Guessing
from skconvnet.estimators._introspection import outputs_of
from skconvnet.estimators._last_loss import warn_of_last_loss
from skconvnet.estimators._map_form import rows_of
from skconvnet.estimators._no_learning import warn_of_no_learning
from skconvnet.training.state import TrainingState

# Samples that a trained network is tried on: few, so that it costs next to nothing.
_FEW = 100


def warn_of_losses(
    estimator: FittedNetwork[Any],
    samples: Samples,
    state: TrainingState,
    *,
    is_new: bool,
    is_complete: bool,
    warns_of_values: bool,
) -> None:
    """Warn if training started or ended with a loss that says what is wrong.

    Parameters
    ----------
    estimator : estimator
        With the trained network.
    samples : Samples
        The training samples.
    state : TrainingState
        The state at the end of training.
    is_new : bool
        Whether training started from new weights.
    is_complete : bool
        Whether training lasted as long as it should, rather than for one pass, or until
        the user interrupted it.
    warns_of_values : bool
        Whether to warn where scikit-learn does not. A loss that never fell is always
        told.
    """
    loss: Any = estimator._loss  # noqa: SLF001  of this package's base class
    guessing = Guessing(samples, loss, is_regression=is_regressor(estimator))

    def scores_of(index: npt.NDArray[np.integer]) -> Rows:
        n_threads = resolve_n_threads(estimator.n_jobs)
        scores = outputs_of(
            estimator.network_,
            loss,
            samples.inputs,
            index,
            n_threads=n_threads,
            scores=True,
        )
        return rows_of(scores)

    if is_complete:
        is_told = warns_of_values and warn_of_no_learning(
            estimator, guessing.of_fewer(_FEW), state, scores_of
        )
        if not is_told:
            warn_of_last_loss(estimator, guessing, state)
    if is_new and warns_of_values:
        warn_of_first_loss(estimator, guessing, state.first_loss)
