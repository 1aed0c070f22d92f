"""Signals in the middle of something, such as an update or a lock."""

import contextlib
import signal
import sys
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import threadpoolctl
from engine_tools import TIMEOUT, in_thread
from estimator_cases import data_for, make
from interrupt_tools import interrupt_at, told, weights
from sklearn import get_config, set_config
from sklearn.base import clone
from test_blas_limit import blas_threads

import skconvnet
from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.layers import BatchNorm, Dense, Standardize
from skconvnet.ops.chunking import chunks_of
from skconvnet.optimizers import OPTIMIZERS, Optimizer

__all__ = ["interrupt_at"]

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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
