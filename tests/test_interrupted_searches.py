"""Ctrl-C within a search or another call of a library: it ends all of the call."""

import threading
import time
import types
import warnings

import joblib
import numpy as np
import pytest
from estimator_cases import ESTIMATORS, data_for, make
from interrupt_tools import interrupt_at
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    BaggingClassifier,
    BaggingRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import RFE, SequentialFeatureSelector
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    validation_curve,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.engine.executor import Executor
from skconvnet.estimators._interrupts import is_called_by_a_library

__all__ = ["interrupt_at"]

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)
solvers = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


@pytest.fixture
def interrupt_second_fit(monkeypatch):
    """Let the second fit or partial_fit raise; return a list of fits that began."""
    original, fits = Executor.loss_and_gradient, []
    networks = []

    def interrupted(self, *args, **keywords):
        if self.network not in networks:
            networks.append(self.network)
            fits.append(None)
        if len(fits) == 2:
            raise KeyboardInterrupt
        return original(self, *args, **keywords)

    monkeypatch.setattr(Executor, "loss_and_gradient", interrupted)
    return fits


CLF, REG = make(MLPClassifier, max_iter=9), make(MLPRegressor, max_iter=9)
ALPHAS = {"alpha": [1e-4, 1e-2]}

# Before joblib ends the other threads, they may begin more fits, but not this many.
N_FITS = 300
MANY_ALPHAS = {"alpha": np.logspace(-4, -2, N_FITS // 5)}


def in_pipeline(X, y):
    search = GridSearchCV(make_pipeline(StandardScaler(), CLF), {}, cv=4)
    return search.set_params(
        param_grid={f"mlpclassifier__{name}": ALPHAS[name] for name in ALPHAS}
    ).fit(X, y)


def weigh(model):
    return np.abs(model.coefs_[0]).sum(axis=1)


def in_joblib(n_jobs):
    def call(X, y):
        fits = (joblib.delayed(clone(CLF).fit)(X, y) for _ in range(N_FITS))
        return joblib.Parallel(n_jobs, prefer="threads")(fits)

    return call


CALLERS = {
    "GridSearchCV": lambda X, y: GridSearchCV(CLF, ALPHAS, cv=3).fit(X, y),
    "error_score": lambda X, y: GridSearchCV(CLF, ALPHAS, error_score=0).fit(X, y),
    "RandomizedSearchCV": lambda X, y: RandomizedSearchCV(CLF, ALPHAS, n_iter=2).fit(
        X, y
    ),
    "cross_val_score": lambda X, y: cross_val_score(CLF, X, y),
    "cross_val_predict": lambda X, y: cross_val_predict(CLF, X, y),
    "learning_curve": lambda X, y: learning_curve(CLF, X, y),
    "learning_curve of partial_fit": lambda X, y: learning_curve(
        CLF, X, y, exploit_incremental_learning=True
    ),
    "validation_curve": lambda X, y: validation_curve(
        CLF, X, y, param_name="alpha", param_range=[1e-4, 1e-2]
    ),
    "Bagging": lambda X, y: BaggingClassifier(CLF).fit(X, y),
    "Bagging of regressors": lambda X, y: BaggingRegressor(REG).fit(X, y),
    "Voting": lambda X, y: VotingClassifier([("a", CLF), ("b", CLF)]).fit(X, y),
    "Stacking": lambda X, y: StackingClassifier([("a", CLF), ("b", CLF)]).fit(X, y),
    "OneVsRest": lambda X, y: OneVsRestClassifier(CLF).fit(X, y),
    "OneVsOne": lambda X, y: OneVsOneClassifier(CLF).fit(X, y),
    "MultiOutput": lambda X, y: MultiOutputClassifier(CLF).fit(X, np.c_[y, y]),
    "Chain": lambda X, y: ClassifierChain(CLF).fit(X, np.eye(3, dtype=int)[y]),
    "Calibrated": lambda X, y: CalibratedClassifierCV(CLF).fit(X, y),
    "RFE": lambda X, y: RFE(CLF, importance_getter=weigh, step=12).fit(X, y),
    "forward": lambda X, y: SequentialFeatureSelector(CLF, cv=2).fit(X, y),
    "search over a pipeline": in_pipeline,
    "Pipeline of a selector": lambda X, y: make_pipeline(
        RFE(CLF, importance_getter=weigh, step=12), CLF
    ).fit(X, y),
    "joblib": in_joblib(1),
    "threads": in_joblib(2),
    "GridSearchCV in threads": lambda X, y: _in_threads(
        GridSearchCV(CLF, MANY_ALPHAS, n_jobs=2), X, y
    ),
}


def _in_threads(search, X, y):
    with joblib.parallel_config("threading"):
        return search.fit(X, y)


@quiet
@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("strict", [False, True])
def test_a_caller_ends_with_its_fit(interrupt_second_fit, name, strict):
    X, y = data_for(MLPClassifier)
    n_threads = threading.active_count()
    with warnings.catch_warnings():
        if strict:  # a warning would become an error, which searches take for a score
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConvergenceWarning)
        with pytest.raises(KeyboardInterrupt):
            CALLERS[name](X, y)
    _wait_for_other_threads(n_threads)
    n_fits = len(interrupt_second_fit)
    assert n_fits < N_FITS if "thread" in name else n_fits <= 2


def _wait_for_other_threads(n_threads):
    deadline = time.monotonic() + 60
    while threading.active_count() > n_threads:
        assert time.monotonic() < deadline, "a thread did not end its fit"
        time.sleep(0.01)


@quiet
@every_estimator
@solvers
def test_a_pipeline_raises_and_its_last_step_keeps_its_model(interrupt_at, cls, solver):
    X, y = data_for(cls)
    network = make(cls, max_iter=20, solver=solver, batch_size=len(X))
    pipeline = Pipeline([("net", network)])
    interrupt_at(4)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with pytest.raises(KeyboardInterrupt):
            pipeline.fit(X, y)
    assert pipeline.predict(X).shape == y.shape
    assert np.isfinite(pipeline["net"].loss_)
    if solver != "lbfgs":
        assert len(pipeline["net"].loss_curve_) == 3


def frame_of(module):
    """Return a function, of a module of this name, that calls another function."""
    namespace = types.ModuleType(module)
    exec("def call(function): return function()", vars(namespace))
    return namespace.call


@pytest.mark.parametrize(
    ("module", "is_library"),
    [
        ("sklearn.model_selection._search", True),
        ("joblib.parallel", True),
        ("joblib", True),
        ("dask.threaded", True),
        ("distributed.worker", True),
        ("concurrent.futures.thread", True),
        ("multiprocessing.pool", True),
        ("multiprocessing.process", False),
        ("sklearnish", False),
        ("my.sklearn", False),
        ("__main__", False),
        ("skconvnet.extractor", False),
    ],
)
def test_callers_are_known_by_their_modules(module, is_library):
    call = frame_of(module)
    assert call(is_called_by_a_library) is is_library
    assert call(lambda: frame_of("other")(is_called_by_a_library)) is is_library


def test_a_frame_without_a_module_is_no_library():
    assert eval("f()", {"f": is_called_by_a_library}) is False


@quiet
def test_fit_in_a_function_that_a_library_calls(interrupt_at):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, max_iter=9)
    interrupt_at(3)
    with pytest.raises(KeyboardInterrupt):
        frame_of("distributed.worker")(lambda: model.fit(X, y))
    assert len(model.loss_curve_) == 2
