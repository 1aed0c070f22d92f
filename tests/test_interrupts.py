"""Ctrl-C in one fit: the model so far is kept, and consistent."""

import contextlib
import pickle
import signal
import sys
import threading
import time
import warnings
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from engine_tools import TIMEOUT, in_thread
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from interrupt_tools import interrupt_at, told
from sklearn import get_config, set_config
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from test_blas_limit import blas_threads

import skconvnet
from skconvnet import MLPClassifier, MLPRegressor, SequentialClassifier
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.layers import BatchNorm, Dense, Standardize
from skconvnet.losses import LogLoss
from skconvnet.ops.chunking import chunks_of
from skconvnet.optimizers import LBFGS, OPTIMIZERS, Optimizer

__all__ = ["interrupt_at"]

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)
solvers = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


def weights(model):
    return model.network_.vector.copy()


# One fit


@quiet
@solvers
@every_estimator
def test_a_fit_keeps_its_model_and_warns(interrupt_at, cls, solver):
    X, y = data_for(cls)
    model = make(cls, solver=solver, max_iter=10, batch_size=len(X))
    calls = interrupt_at(4)
    with told() as record:
        assert model.fit(X, y) is model
    assert record[0].filename == __file__
    assert len(calls) == 4
    assert model.predict(X).shape == y.shape
    assert np.isfinite(model.loss_)
    start = weights(make(cls).initialize(X, y))
    assert (weights(model) != start).any()


@quiet
@every_estimator
def test_an_interrupted_fit_is_a_shorter_one(interrupt_at, cls):
    X, y = data_for(cls)
    shorter = make(cls, max_iter=3, batch_size=30).fit(X, y)
    interrupt_at(7)
    with told():
        model = make(cls, max_iter=10, batch_size=30).fit(X, y)
    np.testing.assert_array_equal(weights(model), weights(shorter))
    assert model.loss_curve_ == shorter.loss_curve_
    assert model.loss_ == shorter.loss_
    assert model.t_ == shorter.t_
    assert model.stopped_


@quiet
@every_estimator
def test_the_next_fit_is_as_if_none_had_been_interrupted(interrupt_at, cls):
    X, y = data_for(cls)
    expected = weights(make(cls).fit(X, y))
    interrupt_at(2)
    with told():
        model = make(cls).fit(X, y)
    np.testing.assert_array_equal(weights(model.fit(X, y)), expected)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_a_loss_may_be_interrupted(monkeypatch, cls):
    original, calls = LogLoss.differentiate, []

    def differentiate(self, *arrays):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        original(self, *arrays)

    monkeypatch.setattr(LogLoss, "differentiate", differentiate)
    X, y = data_for(cls)
    with told():
        model = make(cls, max_iter=9, batch_size=len(X)).fit(X, y)
    assert len(model.loss_curve_) == 2


@every_estimator
@pytest.mark.parametrize("averaging", [None, 0.9, "swa"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_interrupted_validation_leaves_whole_epochs(cls, early_stopping, averaging):
    calls = []

    def scorer(_estimator, _X, _y):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return -len(calls)

    X, y = data_for(cls)
    params = {"early_stopping": early_stopping, "averaging": averaging, "max_iter": 9}
    model = make(cls, scoring=scorer, **params)
    with told():
        model.fit(X, y, X_val=X, y_val=y)
    assert model.validation_scores_ == [-1, -2]
    assert model.best_validation_score_ == -1
    curves = (model.loss_curve_, model.learning_rate_curve_)
    assert [len(curve) for curve in curves] == [2, 2]
    assert len(model.validation_loss_curve_) == 2
    assert model.t_ == 2 * len(X)
    shorter = make(cls, **{**params, "max_iter": 1 if early_stopping else 3})
    if averaging != "swa":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            shorter.set_params(early_stopping=False).fit(X, y)
        np.testing.assert_array_equal(weights(model), weights(shorter))


@quiet
@every_estimator
@pytest.mark.parametrize("when", [1, 2, 5, 8, 11])
@pytest.mark.parametrize("l1_ratio", [0.0, 0.5])
def test_lbfgs_keeps_its_best_weights(interrupt_at, cls, when, l1_ratio):
    X, y = data_for(cls)
    params = {"solver": "lbfgs", "alpha": 0.1, "l1_ratio": l1_ratio, "max_iter": 50}
    model = make(cls, **params)
    start = weights(make(cls, **params).initialize(X, y))
    loss_at_start = make(cls, **params).initialize(X, y).loss_gradients(X, y)[0]
    interrupt_at(when)
    with told():
        model.fit(X, y)
    if when == 1:
        assert (model.n_iter_, model.loss_) == (0, np.inf)
        np.testing.assert_array_equal(weights(model), start)
        return
    if cls is not MLPRegressor:
        assert model.loss_ == pytest.approx(model.loss_gradients(X, y)[0])
    assert model.loss_ <= loss_at_start * (1 + 1e-9)
    assert 0 <= model.n_iter_ < when
    assert model.n_iter_ > 0 or when < 5


@pytest.mark.parametrize("l1", [0.0, 0.3])
@pytest.mark.parametrize("n", [1, 2, 3, 5, 9])
def test_lbfgs_returns_the_best_point_and_not_the_last(n, l1):
    scale, seen = np.array([1.0, 30.0, 900.0]), []

    def objective(x):
        if len(seen) == n:
            raise KeyboardInterrupt
        value = float((scale * (x - 1) ** 4).sum())
        seen.append((value + l1 * np.abs(x).sum(), x.copy()))
        return value, 4 * scale * (x - 1) ** 3

    result = LBFGS().minimize(objective, np.full(3, 3.0), 50, 1e-8, l1, 3)
    assert isinstance(result.interrupt, KeyboardInterrupt)
    value, x = min(seen, key=lambda each: each[0])
    np.testing.assert_array_equal(result.x, x)
    assert result.fun == pytest.approx(value)
    assert result.nit < n


@every_estimator
def test_weights_that_are_not_finite_are_not_kept(monkeypatch, cls):
    X, y = data_for(cls)
    model = make(cls, max_iter=5, tol=10.0, n_iter_no_change=1).fit(X, y)
    before = dict(vars(model)), weights(model)

    def step(_self, weights, *_args, **_keywords):
        weights[:] = np.nan
        raise KeyboardInterrupt

    monkeypatch.setattr(Optimizer, "step", step)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert vars(model) == before[0]
    np.testing.assert_array_equal(weights(model), before[1])


# partial_fit and warm starts


@quiet
@every_estimator
def test_an_interrupted_partial_fit_is_gone_on_from(interrupt_at, cls):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    model = make(cls, batch_size=20)
    model.partial_fit(X, y, **classes)
    first = weights(model)
    interrupt_at(3)
    with told():
        model.partial_fit(X, y)
    assert (weights(model) != first).any()
    assert (len(model.loss_curve_), model.t_) == (1, len(X))
    assert model.stopped_
    loaded = pickle.loads(pickle.dumps(model))
    for each in (model, loaded):
        each.partial_fit(X, y)
        assert len(each.loss_curve_) == 2
    np.testing.assert_array_equal(weights(model), weights(loaded))


@quiet
@solvers
@every_estimator
def test_an_interrupted_warm_start_is_gone_on_from(interrupt_at, cls, solver):
    X, y = data_for(cls)
    model = make(cls, warm_start=True, solver=solver).fit(X, y)
    first = weights(model)
    model.set_params(max_iter=20)
    interrupt_at(8)
    with told():
        model.fit(X, y)
    assert (weights(model) != first).any()
    between = weights(model)
    model.fit(X, y)
    assert (weights(model) != between).any()
    assert np.isfinite(model.loss_)


# Interrupts elsewhere


@quiet
@every_estimator
@pytest.mark.parametrize(
    "place", ["_build", "_encode", "_make_loss", "_hold_out", "_resume"]
)
def test_an_interrupt_before_training_changes_nothing(monkeypatch, cls, place):
    X, y = data_for(cls)
    model = make(cls, early_stopping=True, warm_start=place == "_resume").fit(X, y)
    before, first = dict(vars(model)), weights(model)

    def interrupted(*_args, **_keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(cls, place, interrupted)
    calls = [model.fit]
    if place not in ("_hold_out", "_resume"):
        calls.append(model.initialize)
    for call in calls:
        with pytest.raises(KeyboardInterrupt):
            call(X, y)
        assert vars(model) == before
        np.testing.assert_array_equal(weights(model), first)


# Interrupts in the middle of something


@quiet
@pytest.mark.parametrize("averaging", [None, 0.9])
@pytest.mark.parametrize("solver", OPTIMIZERS)
def test_a_signal_in_the_middle_of_an_update_waits_for_its_end(
    monkeypatch, solver, averaging
):
    X, y = data_for(MLPClassifier)
    params = {"solver": solver, "averaging": averaging, "alpha": 0.1, "l1_ratio": 0.5}
    if solver == "schedule_free_adamw":
        params["averaging"] = None
    monkeypatch.setattr(Optimizer, "chunk_size", 20)
    whole = make(MLPClassifier, max_iter=3, **params).fit(X, y)
    original, calls = vars(OPTIMIZERS[solver])["_update"], []

    def update(self, arrays, rate):
        calls.append(None)
        if len(calls) == n_chunks * 2 + 4:
            signal.raise_signal(signal.SIGINT)
        return original(self, arrays, rate)

    n_chunks = len(chunks_of(whole.network_.vector.size, 20))
    assert n_chunks > 4
    monkeypatch.setattr(OPTIMIZERS[solver], "_update", update)
    with told():
        model = make(MLPClassifier, max_iter=9, **params).fit(X, y)
    assert len(calls) == 3 * n_chunks
    np.testing.assert_array_equal(weights(model), weights(whole))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_signal_in_a_section_is_raised_at_once():
    done = []
    with HeldInterrupts(), ReleasedInterrupts():
        with suppress(KeyboardInterrupt), HeldInterrupts():
            signal.raise_signal(signal.SIGINT)
            done.append(1)
            signal.raise_signal(signal.SIGINT)
            done.append(2)
        with HeldInterrupts():
            done.append(3)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert done == [1, 3]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_waits_for_the_end_of_the_outermost_context_that_holds_it():
    done = []

    def interrupted():
        with HeldInterrupts():
            with HeldInterrupts():
                signal.raise_signal(signal.SIGINT)
            done.append(1)
            with ReleasedInterrupts():
                done.append(2)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert done == [1]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with HeldInterrupts(), ReleasedInterrupts():
        done.append(3)
    assert done == [1, 3]


def test_an_error_in_a_context_is_the_context_of_the_interrupt():
    def interrupted():
        with HeldInterrupts():
            signal.raise_signal(signal.SIGINT)
            raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt) as raised:
        interrupted()
    assert isinstance(raised.value.__context__, ZeroDivisionError)


def test_a_handler_of_the_program_is_left_alone():
    seen = []
    previous = signal.signal(signal.SIGINT, lambda *_: seen.append(1))
    try:
        handler = signal.getsignal(signal.SIGINT)
        with HeldInterrupts():
            assert signal.getsignal(signal.SIGINT) is handler
            signal.raise_signal(signal.SIGINT)
            assert seen == [1]
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, previous)


def test_a_fit_in_another_thread_sets_no_handler():
    def fit():
        model = make(MLPClassifier, max_iter=50, tol=10.0)
        return model.fit(*data_for(MLPClassifier)).n_iter_

    assert in_thread(fit) > 1


BATCH_NORM = [("dense", Dense(4)), ("norm", BatchNorm()), ("scale", Standardize())]
ANYWHERE = {
    "adam": make(MLPClassifier, averaging=0.9, n_jobs=2),
    "early stopping": make(MLPClassifier, early_stopping=True, solver="sgd"),
    "lbfgs": make(MLPClassifier, solver="lbfgs"),
    "buffers": SequentialClassifier(BATCH_NORM, max_iter=2, random_state=0, n_jobs=2),
}


class Trial:
    """Fits a model again and again with interrupts, after which it must be whole."""

    def __init__(self, name):
        self.X, self.y = data_for(MLPClassifier)
        self.model = clone(ANYWHERE[name]).fit(self.X, self.y)
        self.expected = weights(self.model)
        self.blas, self.threads = blas_threads(), set(threading.enumerate())

    def run(self, interrupted_fit):
        """Call a function that returns the interrupt that it raised, if any."""
        before, first = dict(vars(self.model)), weights(self.model)
        error = interrupted_fit()
        if error is not None:
            is_unchanged = vars(self.model) == before
            kept = first if is_unchanged else self.expected
            np.testing.assert_array_equal(weights(self.model), kept)
        assert np.isfinite(self.model.predict_proba(self.X)).all()
        assert blas_threads() == self.blas
        deadline = time.monotonic() + TIMEOUT
        while not set(threading.enumerate()) <= self.threads:
            assert time.monotonic() < deadline, threading.enumerate()
            time.sleep(0.001)

    def end(self):
        self.model.fit(self.X, self.y)
        np.testing.assert_array_equal(weights(self.model), self.expected)


@pytest.fixture
def restored_config():
    """Undo what a signal in a `config_context` of scikit-learn leaves behind."""
    config = get_config()
    yield
    set_config(**config)


def _interrupt(*_):
    signal.raise_signal(signal.SIGINT)


NO_LEARNING = SequentialClassifier(
    [Dense(2)], alpha=1e4, max_iter=6, batch_size=60, random_state=0
)
CALLS = {
    "fit": lambda model, X, y: model.fit(X, y),
    "partial_fit": lambda model, X, y: model.partial_fit(X, y, classes=np.unique(y)),
    "lbfgs": lambda model, X, y: clone(model).set_params(solver="lbfgs").fit(X, y),
    "predict": lambda model, X, y: model.predict(X),  # noqa: ARG005  as the others
    "loss_gradients": lambda model, X, y: model.loss_gradients(X, y),
    "initialize": lambda model, X, y: model.initialize(X, y),
    # It looks at predictions in the end.
    "fit that learns nothing": lambda model, X, y: NO_LEARNING.fit(X, y),  # noqa: ARG005  as the others
}


def _traced_call(call, number=None):
    """Interrupt the function call of this number, and return how many there were."""
    n_calls = 0
    package = str(Path(skconvnet.__file__).parent)
    helpers = contextlib.__file__, threadpoolctl.__file__

    def trace(frame, event, arg):  # noqa: ARG001  of sys.settrace
        nonlocal n_calls
        name = frame.f_code.co_filename
        if name.startswith(package) or name in helpers:
            n_calls += 1
            if n_calls == number:
                signal.raise_signal(signal.SIGINT)

    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(previous)
    return n_calls


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("restored_config")
@pytest.mark.parametrize("name", CALLS)
def test_a_signal_at_any_call_leaves_the_threads_of_blas_and_no_thread(name):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, max_iter=1, n_jobs=2).fit(X, y)
    call = partial(CALLS[name], model, X, y)
    before, threads = blas_threads(), threading.active_count()
    for number in range(1, _traced_call(call) + 1):
        with suppress(KeyboardInterrupt):
            _traced_call(call, number)
        assert blas_threads() == before, number
        assert single_threaded_blas.granted() == max(before.values()), number
        assert threading.active_count() == threads, number
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, number


@pytest.mark.skipif(sys.platform == "win32", reason="has no timers that signal")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("restored_config")
@pytest.mark.parametrize("name", ANYWHERE)
def test_a_signal_at_any_time_leaves_a_whole_model(name):
    trial = Trial(name)
    begun = time.perf_counter()
    trial.end()
    duration = time.perf_counter() - begun

    def interrupted_fit(delay):
        try:
            signal.setitimer(signal.ITIMER_REAL, delay)
            trial.model.fit(trial.X, trial.y)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt as error:
            return error
        return None

    previous = signal.signal(signal.SIGALRM, _interrupt)
    try:
        for delay in np.linspace(1e-5, duration, 150):
            trial.run(partial(interrupted_fit, delay))
            assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    trial.end()
