"""A warning if a network ends no better than a constant, and a setting explains it.

Labels that do not depend on X, or a few epochs, leave a network no better than a
constant as well. Hence nothing is computed or told unless a hyperparameter is far from
its default, in the direction in which it prevents learning.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from skconvnet._typing import Rows
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._guessing import Guessing
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.training.state import TrainingState

# Networks that are trained for fewer epochs may still be about to learn.
_MIN_EPOCHS = 6
# A loss of more than this share of that of a constant output is no better.
_NO_BETTER = 0.98
# Outputs that deviate by less than this share of their size are the same for all X.
_SAME = 1e-6
# A learning rate is far from its default if it is this many times larger or smaller.
_MUCH_LARGER, _MUCH_SMALLER = 10, 100


def warn_of_no_learning(
    estimator: TrainingParams,
    guessing: Guessing,
    state: TrainingState,
    scores_of: Callable[[npt.NDArray[np.integer]], Rows],
) -> bool:
    """Warn if the network has learned nothing, for a reason that can be named.

    Parameters
    ----------
    estimator : estimator
    guessing : Guessing
        Of the few samples that the network is tried on.
    state : TrainingState
        The state at the end of training.
    scores_of : callable
        Returns the raw scores of the training samples at an index.

    Returns
    -------
    is_told : bool
    """
    too_large_alpha = _has_large_alpha(estimator, state)
    rate, usual_rate = (
        float(owner.learning_rate_init) for owner in (estimator, type(estimator))
    )
    may_be_dead = rate >= _MUCH_LARGER * usual_rate
    may_stand_still = rate <= usual_rate / _MUCH_SMALLER
    suspects = too_large_alpha or may_be_dead or may_stand_still
    if state.n_epochs < _MIN_EPOCHS or not suspects or not len(guessing.targets):
        return False
    scores = scores_of(guessing.index).astype(np.float64)
    loss, of_constant = guessing.mean_loss_of(scores), _loss_of_mean(guessing, scores)
    if loss < _NO_BETTER * of_constant:
        return False
    if too_large_alpha:
        usual = type(estimator).alpha
        what = f"alpha={estimator.alpha!r} is probably too large"
        cure = f"lower it, for example to {usual:g}"
    elif may_stand_still:
        what = f"learning_rate_init={rate!r} is probably too small"
        cure = f"raise it, for example to {usual_rate:g}"
    elif _are_the_same(scores):
        what = f"learning_rate_init={rate!r} is probably too large"
        cure = f"lower it, for example to {usual_rate:g}"
    else:
        return False
    warn_caller(
        f"The network has learned nothing in {state.n_epochs} epochs: its loss is "
        f"{loss:.3g} without the penalty, and with the same output for all samples it "
        f"would be {of_constant:.3g}. {what}: {cure}.",
        ConvergenceWarning,
    )
    return True


def _has_large_alpha(estimator: TrainingParams, state: TrainingState) -> bool:
    """Whether the penalty was raised, and larger than the loss in the first epoch."""
    first, curve = state.first_loss, state.history.loss_curve
    is_raised = estimator.alpha > type(estimator).alpha
    return is_raised and first is not None and bool(curve[0] > 2 * first)


def _loss_of_mean(guessing: Guessing, scores: Rows) -> float:
    return guessing.mean_loss_of(np.mean(scores, axis=0))


def _are_the_same(scores: Rows) -> bool:
    size = max(float(np.abs(scores).max()), 1.0)
    return bool((np.std(scores, axis=0) < _SAME * size).all())
