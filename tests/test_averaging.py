"""Averages of the weights: what they are, and where they are used."""

import pickle

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.datasets import load_digits
from training_tools import N, Problem, Scores, Steps

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.layers import BatchNorm, Dense, Flatten
from skconvnet.optimizers import SGD, Lookahead, ScheduleFreeAdamW
from skconvnet.training.averaging import (
    EpochAverage,
    ExponentialAverage,
    OptimizersAverage,
)
from skconvnet.training.state import History

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every = pytest.mark.parametrize("cls", ESTIMATORS)
KINDS = [
    {"averaging": 0.9},
    {"averaging": "swa"},
    {"solver": "schedule_free_adamw", "learning_rate_init": 0.01},
    {"solver": Lookahead(SGD(), every=3), "learning_rate_init": 0.05},
]
kinds = pytest.mark.parametrize("params", KINDS, ids=str)


class Recorded(Steps):
    """Keeps the weights after each step."""

    def __init__(self):
        super().__init__()
        self.path = []

    def step(self, weights, gradient, rate, run=None, regularizer=None):
        super().step(weights, gradient, rate, run, regularizer)
        self.path.append(weights.copy())


def test_exponential_average_of_the_weights_after_each_update():
    problem, optimizer = Problem(), Recorded()
    problem.train(optimizer, rate=0.1, average=ExponentialAverage(0.7), max_iter=3)
    path = np.array(optimizer.path)
    shares = 0.7 ** np.arange(len(path))[::-1]
    expected = shares @ path / shares.sum()
    np.testing.assert_allclose(problem.network.vector, expected, rtol=1e-12)


@pytest.mark.parametrize(("n_epochs", "n_averaged"), [(8, 2), (4, 1), (1, 1), (10, 3)])
def test_mean_over_the_last_quarter_of_the_epochs(n_epochs, n_averaged):
    problem, optimizer = Problem(), Recorded()
    average = EpochAverage(n_epochs)
    problem.train(optimizer, rate=0.1, average=average, max_iter=n_epochs, batch_size=N)
    expected = np.mean(optimizer.path[-n_averaged:], axis=0)
    np.testing.assert_allclose(problem.network.vector, expected, rtol=1e-12)


def test_training_itself_is_not_changed():
    plain, averaged = Recorded(), Recorded()
    Problem().train(plain, max_iter=4)
    problem = Problem()
    validate = Scores(problem, [0.4, 0.3, 0.2, 0.1])
    problem.train(
        averaged, max_iter=4, average=ExponentialAverage(0.9), validate=validate
    )
    np.testing.assert_array_equal(plain.path, averaged.path)
    # The last validation is of the weights that training ends with.
    np.testing.assert_array_equal(validate.seen[-1], problem.network.vector)
    assert not np.array_equal(validate.seen[-1], averaged.path[-1])


def test_early_stopping_keeps_the_average_of_the_best_score():
    problem = Problem()
    problem.history = History.with_early_stopping()
    validate = Scores(problem, [0.1, 0.5, 0.4, 0.3])
    problem.train(
        Steps(),
        max_iter=4,
        average=ExponentialAverage(0.9),
        validate=validate,
        early_stopping=True,
    )
    np.testing.assert_array_equal(problem.network.vector, validate.seen[1])


@pytest.mark.parametrize("make_average", [ExponentialAverage, None])
def test_other_weights_between_calls_begin_a_new_average(make_average):
    problem = Problem()
    optimizer = Recorded() if make_average else ScheduleFreeAdamW()
    average = make_average(0.9) if make_average else OptimizersAverage(optimizer, 8)
    problem.train(optimizer, average=average, rate=0.1)
    start = np.linspace(-1, 1, problem.network.vector.size)
    problem.network.vector[:] = start
    problem.train(optimizer, average=average, rate=0.1)
    fresh = Problem()
    fresh.network.vector[:] = start
    other = Recorded() if make_average else ScheduleFreeAdamW()
    average = make_average(0.9) if make_average else OptimizersAverage(other, 8)
    fresh.train(other, average=average, rate=0.1)
    np.testing.assert_array_equal(problem.network.vector, fresh.network.vector)


@every
@kinds
def test_calls_of_partial_fit_are_epochs(cls, params):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    shared = {"max_iter": 4, "batch_size": 9, "shuffle": False, **params}
    whole = make(cls, n_iter_no_change=np.inf, **shared).fit(X, y)
    parts = make(cls, **shared)
    for _ in range(4):
        parts = pickle.loads(pickle.dumps(parts)).partial_fit(X, y, **classes)
    np.testing.assert_array_equal(parts.network_.vector, whole.network_.vector)
    assert parts.loss_curve_ == whole.loss_curve_


@pytest.mark.filterwarnings("ignore:averaging='swa' had no effect")
@every
@kinds
def test_validation_and_prediction_use_the_average(cls, params):
    X, y = data_for(cls)
    fit = {"X_val": X, "y_val": y}
    model = make(cls, max_iter=4, **params).fit(X, y, **fit)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))
    if "averaging" in params:
        plain = make(cls, max_iter=4).fit(X, y, **fit)
        assert model.loss_curve_ == plain.loss_curve_
        # Of four epochs, "swa" averages the last alone.
        same = np.array_equal(model.network_.vector, plain.network_.vector)
        assert same == (params["averaging"] == "swa")
    stopped = make(cls, max_iter=30, early_stopping=True, n_iter_no_change=2, **params)
    stopped.fit(X, y, **fit)
    assert stopped.score(X, y) == pytest.approx(stopped.best_validation_score_)


@every
@kinds
def test_warm_start_goes_on_from_the_average(cls, params):
    X, y = data_for(cls)
    model = make(cls, max_iter=4, warm_start=True, **params).fit(X, y)
    other = make(cls, max_iter=4, warm_start=True, **params)
    other.initialize(X, y).set_weights(model.get_weights())
    model.random_state = other.random_state = 5
    np.testing.assert_array_equal(
        model.fit(X, y).network_.vector, other.fit(X, y).network_.vector
    )


@kinds
def test_early_stopping_from_call_to_call(params):
    X, y = data_for(MLPClassifier)
    X_val, y_val = data_for(MLPClassifier, n=20, seed=1)
    model = make(
        MLPClassifier,
        early_stopping=True,
        scoring="loss",
        n_iter_no_change=2,
        tol=0.0,
        max_iter=20,
        **{"learning_rate_init": 0.05, **params},
    )
    vectors = []
    for _ in range(200):
        model.partial_fit(X, y, classes=[0, 1, 2], X_val=X_val, y_val=y_val)
        vectors.append(model.network_.vector.copy())
        if model.stopped_:
            break
    assert model.stopped_
    best = int(np.argmax(model.validation_scores_))
    np.testing.assert_array_equal(vectors[-1], vectors[best])
    model.partial_fit(X, y, X_val=X_val, y_val=y_val)
    assert np.isfinite(model.network_.vector).all()


def test_averaging_steadies_a_rate_that_is_too_large():
    X, y = load_digits(return_X_y=True)
    X = X / 16
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 0.5}
    params |= {"batch_size": 8, "max_iter": 12, "n_iter_no_change": np.inf}
    for averaging in (0.99, "swa"):
        losses = []
        for kind in (None, averaging):
            model = make(MLPClassifier, averaging=kind, **params)
            model.fit(X[:600], y[:600], X_val=X[600:], y_val=y[600:])
            losses.append(model.validation_loss_curve_[-1])
        assert losses[1] < losses[0]


@kinds
def test_buffers_go_with_the_weights(params):
    X, y = data_for(SequentialClassifier)
    layers = [Flatten(), Dense(5), BatchNorm()]
    shared = {"layers": layers, "max_iter": 8, "batch_size": 20}
    fit = {"X_val": X, "y_val": y}
    model = make(SequentialClassifier, **shared, **params).fit(X, y, **fit)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))
    plain = {**shared, **params, "averaging": None}
    mean = make(SequentialClassifier, **plain).fit(X, y).get_weights()
    name = "batchnorm/moving_mean"
    same = np.array_equal(model.get_weights()[name], mean[name])
    # What an optimizer averages by itself are the weights alone.
    assert same == ("averaging" not in params)
    parts = make(SequentialClassifier, **shared, **params, shuffle=False)
    whole = clone(parts).set_params(n_iter_no_change=np.inf).fit(X, y)
    for _ in range(8):
        parts = pickle.loads(pickle.dumps(parts))
        parts.partial_fit(X, y, classes=[0, 1, 2])
    np.testing.assert_array_equal(parts.network_.state, whole.network_.state)


def test_swa_that_never_began_is_told():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, averaging="swa", max_iter=40, tol=10.0)
    with pytest.warns(UserWarning, match="'swa' had no effect: training ended after"):
        model.fit(X, y)


def test_wrong_averaging():
    X, y = data_for(MLPClassifier)
    for wrong in (1.0, 0, "ema"):
        with pytest.raises(ValueError, match=f"'averaging' parameter .* Got {wrong!r}"):
            make(MLPClassifier, averaging=wrong).fit(X, y)
    solver = ScheduleFreeAdamW()
    with pytest.raises(ValueError, match=r"averaging=0.9 must be None with ScheduleF"):
        make(MLPClassifier, solver=solver, averaging=0.9).fit(X, y)
    with pytest.raises(ValueError, match="'beta_1' parameter of ScheduleFree"):
        make(MLPClassifier, solver="schedule_free_adamw", beta_1=0.0).fit(X, y)


def test_an_average_is_no_part_of_a_fitted_file():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, averaging=0.9).fit(X, y)
    plain = make(MLPClassifier).fit(X, y)
    sizes = [len(pickle.dumps(each)) for each in (model, plain)]
    assert abs(sizes[0] - sizes[1]) < 100
    assert clone(model).averaging == 0.9
