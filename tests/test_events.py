"""Observers of a training: which events they hear of, and what they can do."""

import numpy as np
import pytest
from training_tools import N, Problem, Scores, Steps

from skconvnet._typing import override
from skconvnet.schedules import Adaptive, Constant
from skconvnet.training.averaging import ExponentialAverage
from skconvnet.training.events import TrainingObserver
from skconvnet.training.state import History
from skconvnet.training.stopping import TrainingDivergedError

EVENTS = [
    "train_begin",
    "epoch_begin",
    "minibatch_end",
    "epoch_end",
    "stalled",
    "between_epochs",
    "train_end",
]


class Recorder(TrainingObserver):
    """Writes down what each event may see."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.seen = []

    def record(self, event, view):
        seen = {name: getattr(view, name) for name in VIEWED}
        self.seen.append({"event": event, **seen, "weights": view.weights.copy()})

    def of(self, event, name):
        return [seen[name] for seen in self.seen if seen["event"] == event]

    def on_train_begin(self, view):
        self.record("train_begin", view)

    def on_epoch_begin(self, view):
        self.record("epoch_begin", view)

    def on_minibatch_end(self, view):
        self.record("minibatch_end", view)

    def on_epoch_end(self, view):
        self.record("epoch_end", view)
        return view.epoch == self.stop_after

    def on_stalled(self, view):
        self.record("stalled", view)

    def on_between_epochs(self, view):
        self.record("between_epochs", view)

    def on_train_end(self, view):
        self.record("train_end", view)


VIEWED = [
    "epoch",
    "max_iter",
    "n_minibatches",
    "n_minibatches_done",
    "minibatch_loss",
    "learning_rate",
    "n_samples_seen",
    "loss_curve",
    "learning_rate_curve",
    "validation_scores",
    "validation_loss_curve",
    "is_validated",
    "stopped",
]


def test_events_come_in_order():
    recorder = Recorder()
    Problem().train(Steps(), max_iter=2, observers=[recorder])
    epoch = ["epoch_begin", *["minibatch_end"] * 3, "epoch_end", "between_epochs"]
    events = [seen["event"] for seen in recorder.seen]
    assert events == ["train_begin", *epoch, *epoch, "train_end"]
    assert recorder.of("minibatch_end", "n_minibatches_done") == [1, 2, 3] * 2
    assert recorder.of("epoch_begin", "n_minibatches_done") == [0, 0]
    assert recorder.of("epoch_end", "epoch") == [1, 2]
    assert recorder.of("train_begin", "epoch") == [0]
    assert {seen["n_minibatches"] for seen in recorder.seen} == {3}
    assert {seen["max_iter"] for seen in recorder.seen} == {2}


def test_an_observer_sees_what_training_has_reached():
    problem, recorder, optimizer = Problem(), Recorder(), Steps()
    problem.train(
        optimizer,
        max_iter=2,
        validate=Scores(problem, [0.5, 0.25]),
        observers=[recorder],
    )
    curve = tuple(problem.history.loss_curve)
    assert recorder.of("epoch_end", "loss_curve") == [curve[:1], curve]
    assert recorder.of("epoch_end", "validation_scores") == [(0.5,), (0.5, 0.25)]
    assert recorder.of("train_end", "validation_loss_curve") == [(-0.5, -0.25)]
    assert recorder.of("train_end", "learning_rate_curve") == [(0.01, 0.01)]
    assert recorder.of("epoch_end", "n_samples_seen") == [N, 2 * N]
    losses = recorder.of("minibatch_end", "minibatch_loss")
    sizes = [4, 4, 2]
    assert np.dot(losses[:3], sizes) / N == pytest.approx(curve[0])
    weights = recorder.of("minibatch_end", "weights")
    np.testing.assert_array_equal(weights[-1], optimizer.last)
    assert not np.array_equal(weights[0], weights[1])


@pytest.mark.parametrize("is_validated", [False, True])
def test_a_view_of_a_training_without_validation(is_validated):
    problem, recorder = Problem(), Recorder()
    validate = Scores(problem, [0.5]) if is_validated else None
    problem.train(Steps(), max_iter=1, validate=validate, observers=[recorder])
    assert recorder.of("epoch_end", "is_validated") == [is_validated]
    assert recorder.of("epoch_end", "validation_scores") == [(0.5,) * is_validated]


def test_the_weights_of_a_view_cannot_be_written_to():
    class Writer(TrainingObserver):
        def on_epoch_end(self, view):
            view.weights[:] = 0

    with pytest.raises(ValueError, match="read-only"):
        Problem().train(Steps(), observers=[Writer()])


def test_observers_do_not_change_training():
    watched, alone = Problem(), Problem()
    watched.train(Steps(), observers=[Recorder(), TrainingObserver()])
    alone.train(Steps())
    np.testing.assert_array_equal(watched.network.vector, alone.network.vector)
    assert watched.history == alone.history


def test_an_observer_may_end_training():
    problem = Problem()
    first, second = Recorder(stop_after=3), Recorder()
    result = problem.train(Steps(), max_iter=9, observers=[first, second])
    assert result == (3, True)
    assert len(problem.history.loss_curve) == 3
    # The second observer is told of the last epoch too.
    assert second.of("epoch_end", "epoch") == [1, 2, 3]
    assert second.of("train_end", "stopped") == [True]


def test_an_observer_that_ends_training_under_early_stopping():
    problem, recorder = Problem(), Recorder(stop_after=3)
    problem.history = History.with_early_stopping()
    validate = Scores(problem, [0.1, 0.5, 0.4, 0.9])
    problem.train(Steps(), validate=validate, early_stopping=True, observers=[recorder])
    np.testing.assert_array_equal(problem.network.vector, validate.seen[1])
    # When training has ended the network has its final weights.
    np.testing.assert_array_equal(
        recorder.of("train_end", "weights")[0], validate.seen[1]
    )


@pytest.mark.parametrize(
    ("schedule", "stopped"), [(Constant(), [True]), (Adaptive(), [False, True])]
)
def test_stalled_epochs_are_told(schedule, stopped):
    recorder = Recorder()
    rate = 4e-6
    Problem().train(
        Steps(),
        schedule=schedule.start(rate, 50),
        tol=1e9,
        max_iter=50,
        n_iter_no_change=1,
        observers=[recorder],
    )
    assert recorder.of("stalled", "stopped") == stopped
    rates = recorder.of("stalled", "learning_rate")
    np.testing.assert_allclose(rates, [rate] if len(stopped) == 1 else [8e-7] * 2)


def test_epochs_end_with_the_average_of_the_weights():
    problem, recorder = Problem(), Recorder()
    average = ExponentialAverage(0.9)
    problem.train(Steps(), rate=0.1, max_iter=2, average=average, observers=[recorder])
    last = recorder.of("epoch_end", "weights")[-1]
    np.testing.assert_array_equal(last, problem.network.vector)
    in_training = recorder.of("minibatch_end", "weights")[-1]
    assert not np.array_equal(last, in_training)


def test_an_interrupted_training_is_told_that_it_ends():
    recorder = Recorder()
    with pytest.warns(UserWarning, match="interrupted by user"):
        Problem().train(Steps(interrupt_at=7), observers=[recorder])
    assert recorder.of("train_end", "stopped") == [True]
    assert recorder.of("train_end", "epoch") == [3]


def test_an_observer_may_interrupt_training():
    class Interrupting(TrainingObserver):
        @override
        def on_minibatch_end(self, view):
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted by user"):
        assert Problem().train(Steps(), observers=[Interrupting()]) == (1, True)


def test_a_training_that_diverges_does_not_end_cleanly():
    recorder = Recorder()
    with np.errstate(all="ignore"), pytest.raises(TrainingDivergedError):
        Problem().train(Steps(), rate=1e200, observers=[recorder])
    events = [seen["event"] for seen in recorder.seen]
    assert "minibatch_end" in events
    assert "train_end" not in events


def test_an_error_of_an_observer_is_raised():
    class Failing(TrainingObserver):
        @override
        def on_epoch_begin(self, view):
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        Problem().train(Steps(), observers=[Failing()])


def test_the_base_class_hears_of_everything_and_does_nothing():
    observer, recorder = TrainingObserver(), Recorder()
    events = [name for name in dir(observer) if name.startswith("on_")]
    assert events == sorted(f"on_{event}" for event in EVENTS)
    Problem().train(Steps(), tol=1e9, n_iter_no_change=0, observers=[recorder])
    assert {seen["event"] for seen in recorder.seen} == set(EVENTS)


class LastMinibatches(TrainingObserver):
    """Looks at minibatches only when an epoch ends."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, view):
        self.seen.append((view.n_minibatches_done, view.minibatch_loss))


def test_minibatches_are_seen_by_those_who_do_not_listen_to_them():
    observer = LastMinibatches()
    Problem().train(Steps(), observers=[observer], max_iter=2)
    assert [n for n, _ in observer.seen] == [3, 3]
    assert all(np.isfinite(loss) for _, loss in observer.seen)


def test_a_hook_of_an_instance_is_called():
    observer, seen = TrainingObserver(), []
    observer.on_minibatch_end = lambda view: seen.append(view.minibatch_loss)
    Problem().train(Steps(), observers=[observer], max_iter=2)
    assert len(seen) == 6
