"""Fits that are interrupted after a checkpoint, and how to compare models."""

import numpy as np
import pytest

from skconvnet.callbacks import Checkpoint


class Abort(Checkpoint):
    """Raises an error after an epoch, as if the process had ended."""

    def __init__(self, path, after, **params):
        super().__init__(path, **params)
        self.after = after

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        super().on_fit_task_end(estimator, context, fitted_estimator=fitted_estimator)
        self.after -= context.task_name == "epoch"
        if not self.after:
            raise InterruptedError


def interrupted(model, path, after, *args, **kwargs):
    """Write checkpoints until an error."""
    with pytest.raises(InterruptedError):
        model.set_callbacks(Abort(path, after)).fit(*args, **kwargs)
    model.set_callbacks()


def assert_equal(model, other):
    np.testing.assert_array_equal(model.network_.state, other.network_.state)
    for name in (
        "loss_curve_",
        "learning_rate_curve_",
        "validation_scores_",
        "validation_loss_curve_",
        "best_validation_score_",
        "best_loss_",
        "n_iter_",
        "t_",
        "stopped_",
    ):
        assert getattr(model, name) == getattr(other, name), name
