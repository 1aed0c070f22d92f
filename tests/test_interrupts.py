"""Ctrl-C in one fit: the model so far is kept, and consistent."""

import pickle
import warnings

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from interrupt_tools import interrupt_at, told, weights
from sklearn.exceptions import ConvergenceWarning

from skconvnet import MLPRegressor
from skconvnet.losses import LogLoss
from skconvnet.optimizers import LBFGS, Optimizer

__all__ = ["interrupt_at"]

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)
solvers = pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])


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
