"""When training ends, and with which weights."""

from itertools import count

import numpy as np
import pytest
from training_tools import N, Problem, Scores, Steps

from skconvnet._typing import override
from skconvnet.schedules import Adaptive, Constant
from skconvnet.training.state import History
from skconvnet.training.stopping import TrainingDivergedError


@pytest.mark.parametrize("patience", [0, 1, 4])
def test_stops_after_epochs_without_improvement(patience):
    problem = Problem()
    result = problem.train(
        Steps(), rate=0.0, max_iter=50, n_iter_no_change=patience, shuffle=False
    )
    # The first epoch improves on nothing at all, patience + 1 more do not.
    assert result == (patience + 2, True)


def test_adaptive_rate_falls_before_training_stops():
    optimizer = Steps()
    result = Problem().train(
        optimizer,
        # Improvements smaller than tol count for nothing.
        tol=1e9,
        schedule=Adaptive().start(4e-6, 50),
        batch_size=N,
        max_iter=50,
        n_iter_no_change=1,
    )
    assert result == (5, True)
    np.testing.assert_allclose(optimizer.rates, [4e-6] * 3 + [8e-7] * 2)


@pytest.mark.parametrize(
    ("scores", "best"),
    [([0.1, 0.5, 0.4, 0.3, 0.2], 1), ([0.5, 0.4], 0), ([0.1, 0.2, 0.3, 0.3], 2)],
)
def test_early_stopping_restores_the_best_weights(scores, best):
    problem = Problem()
    problem.history = History.with_early_stopping()
    validate = Scores(problem, scores)
    n_epochs, stopped = problem.train(
        Steps(), validate=validate, early_stopping=True, max_iter=len(scores)
    )
    assert (n_epochs, stopped) == (len(scores), False)
    np.testing.assert_array_equal(problem.network.vector, validate.seen[best])
    assert problem.history.validation_scores == scores
    assert problem.history.best_validation_score == max(scores)
    assert problem.history.validation_loss_curve == [-score for score in scores]


def test_early_stopping_counts_epochs_without_a_better_score():
    problem = Problem()
    problem.history = History.with_early_stopping()
    # The third is better, but by less than tol.
    scores = [0.1, 0.5, 0.50001, 0.4, 0.3, 0.9]
    result = problem.train(
        Steps(),
        validate=Scores(problem, scores),
        early_stopping=True,
        max_iter=20,
        n_iter_no_change=2,
    )
    assert result == (5, True)
    assert problem.history.best_validation_score == 0.50001


def test_validation_alone_does_not_change_the_weights():
    problem, alone = Problem(), Problem()
    problem.train(Steps(), validate=Scores(problem, [0.5, 0.4, 0.3]), max_iter=3)
    alone.train(Steps(), max_iter=3)
    np.testing.assert_array_equal(problem.network.vector, alone.network.vector)
    assert problem.history.validation_scores == [0.5, 0.4, 0.3]


def test_keyboard_interrupt_ends_training_with_a_warning():
    problem, optimizer = Problem(), Steps(interrupt_at=7)
    with pytest.warns(UserWarning, match="interrupted by user"):
        result = problem.train(optimizer, max_iter=20)
    assert result == (3, True)
    np.testing.assert_array_equal(problem.network.vector, optimizer.last)
    assert len(problem.history.loss_curve) == 2


def test_keyboard_interrupt_under_early_stopping_restores_the_best_weights():
    problem = Problem()
    problem.history = History.with_early_stopping()
    validate = Scores(problem, [0.5, 0.4, 0.3])
    with pytest.warns(UserWarning, match="interrupted by user"):
        problem.train(Steps(interrupt_at=7), validate=validate, early_stopping=True)
    np.testing.assert_array_equal(problem.network.vector, validate.seen[0])


def test_divergence_is_an_error_that_says_what_to_do():
    message = r"no longer finite in epoch \d+, at a learning rate of 1e\+200"
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingDivergedError, match=message) as caught,
    ):
        Problem().train(Steps(), rate=1e200)
    assert isinstance(caught.value, ValueError)
    assert "learning_rate_init" in str(caught.value)


class Growing(Constant):
    """A rate that soon is far too large."""

    @override
    def _rate(self, t, width):
        return self.initial * 1e150 ** int(t)


def test_divergence_under_early_stopping_keeps_the_best_weights():
    problem = Problem()
    problem.history = History.with_early_stopping()
    validate = Scores(problem, (-float(i) for i in count()))
    message = r"no longer finite in epoch \d, at a learning rate of 1e\+\d+.*are kept"
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match=message):
        n_epochs, stopped = problem.train(
            Steps(),
            schedule=Growing().start(1e-3, 9),
            validate=validate,
            early_stopping=True,
            max_iter=9,
        )
    assert stopped
    assert n_epochs == len(validate.seen) == len(problem.history.loss_curve)
    assert not np.isfinite(validate.seen[-1]).all()
    np.testing.assert_array_equal(problem.network.vector, validate.seen[0])


def test_divergence_before_any_score_is_an_error_under_early_stopping():
    problem = Problem()
    problem.history = History.with_early_stopping()
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingDivergedError, match="finite in epoch 1, at"),
    ):
        problem.train(
            Steps(),
            rate=1e300,
            validate=Scores(problem, [0.0]),
            early_stopping=True,
        )


def test_verbose_prints_each_epoch(capsys):
    problem = Problem()
    problem.train(Steps(), rate=0.0, verbose=True, n_iter_no_change=0, shuffle=False)
    lines = capsys.readouterr().out.splitlines()
    loss = problem.history.loss_curve[0]
    assert lines[:2] == [f"Iteration {i}, loss = {loss:.8f}" for i in (1, 2)]
    assert lines[2].endswith("for 0 consecutive epochs. Stopping.")
