"""Lookahead, against a plain loop over two sets of weights."""

import pickle
import warnings

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, data_for, make
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skconvnet import MLPClassifier, SequentialClassifier
from skconvnet.layers import Conv2D, Dense, Flatten
from skconvnet.optimizers import (
    OPTIMIZERS,
    SGD,
    Adam,
    AdamW,
    Lookahead,
    Muon,
    ScheduleFreeAdamW,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_WEIGHTS, N_STEPS, RATE = 11, 23, 0.05
INNER = [cls() for cls in OPTIMIZERS.values() if not cls.predicts_by_average]
every_inner = pytest.mark.parametrize("inner", INNER, ids=repr)


def gradient_at(weights, t):
    """Return a gradient that depends on the weights, so that no step is lost."""
    return np.sin(3 * weights + t)


def run(optimizer, n_steps=N_STEPS, rate=RATE):
    weights = np.linspace(-1, 1, N_WEIGHTS)
    for t in range(n_steps):
        optimizer.step(weights, gradient_at(weights, t), rate)
    return weights


def by_hand(inner, share, every, n_steps):
    """Return the fast and the slow weights after some steps."""
    fast = np.linspace(-1, 1, N_WEIGHTS)
    slow, optimizer = fast.copy(), clone(inner)
    for t in range(n_steps):
        optimizer.step(fast, gradient_at(fast, t), RATE)
        if (t + 1) % every == 0:
            slow = slow + share * (fast - slow)
            fast[:] = slow
    return fast, slow


@pytest.mark.parametrize("chunk_size", [3, 10**6])
@pytest.mark.parametrize(("share", "every"), [(0.5, 5), (0.8, 4), (0.3, 1)])
@every_inner
def test_as_a_loop_over_two_sets_of_weights(inner, share, every, chunk_size):
    for n_steps in (1, every, N_STEPS):
        optimizer = Lookahead(clone(inner), share, every)
        optimizer.chunk_size = chunk_size
        fast, slow = by_hand(inner, share, every, n_steps)
        weights, shown = run(optimizer, n_steps), np.full(N_WEIGHTS, np.nan)
        np.testing.assert_allclose(weights, fast, rtol=1e-10, atol=1e-13)
        if optimizer.average(weights, shown):
            np.testing.assert_allclose(shown, slow, rtol=1e-10, atol=1e-13)
        else:
            np.testing.assert_array_equal(fast, slow)


@every_inner
def test_a_share_of_1_is_the_optimizer_itself(inner):
    weights = run(Lookahead(clone(inner), share=1.0, every=3))
    np.testing.assert_allclose(weights, run(clone(inner)), rtol=1e-12)


@every_inner
def test_a_clone_and_a_restart_start_anew(inner):
    used = Lookahead(clone(inner))
    first = run(used)
    np.testing.assert_array_equal(run(clone(used)), first)
    used.restart()
    np.testing.assert_array_equal(run(used), first)


@every_inner
def test_a_pickle_continues(inner):
    optimizer = Lookahead(clone(inner))
    weights = run(optimizer, 7)
    other, copied = pickle.loads(pickle.dumps(optimizer)), weights.copy()
    for t in range(7, 12):
        optimizer.step(weights, gradient_at(weights, t), RATE)
        other.step(copied, gradient_at(copied, t), RATE)
    np.testing.assert_array_equal(copied, weights)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_network_ends_with_the_slow_weights(cls):
    X, y = data_for(cls)
    plain = {"batch_mode": "bgd", "learning_rate_init": 0.05, "alpha": 0.0}

    def after(n_epochs, solver):
        model = make(cls, solver=solver, max_iter=n_epochs, **plain)
        return model.fit(X, y).network_.vector

    start = make(cls, **plain).initialize(X, y).network_.vector
    with pytest.warns(UserWarning, match=r"made 2 updates, and Lookahead\(every=3\)"):
        unchanged = after(2, Lookahead(SGD(), every=3))
    np.testing.assert_array_equal(unchanged, start)
    slow = start + 0.5 * (after(3, SGD()) - start)
    for n_epochs in (3, 4, 5):
        solver = Lookahead(SGD(), every=3)
        np.testing.assert_allclose(after(n_epochs, solver), slow, rtol=1e-9, atol=1e-12)


def warnings_of(train, *args, **kwargs):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(*args, **kwargs)
    return [w for w in caught if not issubclass(w.category, ConvergenceWarning)]


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_fit_that_changes_no_predictions_warns(early_stopping):
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, solver=Lookahead(Adam(), every=1000), max_iter=3)
    model.set_params(early_stopping=early_stopping, batch_size=10)
    (own,) = warnings_of(model.fit, X, y)
    n_updates = 3 * -(-model.t_ // 30)
    assert str(own.message) == (
        "Predictions use the weights that training started from: training made "
        f"{n_updates} updates, and Lookahead(every=1000) first changes the weights for "
        "prediction after 1000 of them. Lower every, or train for more epochs."
    )
    assert own.filename == __file__
    for every in (n_updates - 1, n_updates):
        assert warnings_of(model.set_params(solver__every=every).fit, X, y) == []
    (own,) = warnings_of(model.set_params(solver__every=n_updates + 1).fit, X, y)


def test_a_warm_start_counts_its_own_updates():
    X, y = data_for(MLPClassifier)
    plain = {"batch_mode": "bgd", "max_iter": 2, "warm_start": True}
    model = make(MLPClassifier, solver=Lookahead(Adam(), every=3), **plain)
    for _ in range(2):
        assert len(warnings_of(model.fit, X, y)) == 1
    assert warnings_of(model.set_params(max_iter=3).fit, X, y) == []


def test_partial_fit_does_not_warn():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, solver=Lookahead(Adam(), every=3), batch_mode="bgd")
    start = model.initialize(X, y).network_.vector.copy()
    for number in range(1, 5):
        assert warnings_of(model.partial_fit, X, y, classes=np.unique(y)) == []
        changed = (model.network_.vector != start).any()
        assert changed == (number >= 3)


def test_a_fit_without_updates_does_not_warn():
    X, y = data_for(MLPClassifier)
    optimizer = Lookahead(SGD())
    assert optimizer.why_unchanged() is None
    assert SGD().why_unchanged() is None
    model = make(MLPClassifier, solver="lbfgs")
    assert warnings_of(model.fit, X, y) == []


def test_parameters_are_nested():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, solver=Lookahead(SGD(0.5)))
    assert model.get_params()["solver__optimizer__momentum"] == 0.5
    grid = {"solver__optimizer__momentum": [0.0, 0.9], "solver__every": [2]}
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    assert model.solver.optimizer.momentum == 0.5
    model.set_params(solver__optimizer=Adam(), solver__optimizer__beta_1=0.8)
    assert repr(model.solver) == "Lookahead(optimizer=Adam(beta_1=0.8))"
    with pytest.raises(ValueError, match="'solver__optimizer__beta_1'"):
        model.set_params(solver__optimizer__beta1=0.8)


def test_the_object_is_left_alone():
    X, y = data_for(MLPClassifier)
    inner = SGD()
    make(MLPClassifier, solver=Lookahead(inner, every=2)).fit(X, y)
    assert vars(inner) == vars(SGD())


@pytest.mark.parametrize("inner", [SGD(), AdamW(), Muon()], ids=repr)
def test_the_same_bits_for_any_number_of_threads(inner):
    X, y = data_for(CLASSIFIERS[1])

    def vector(n_jobs):
        layers = [Conv2D(16, 3, padding="same"), Flatten(), Dense(300), Dense(200)]
        model = SequentialClassifier(layers, solver=Lookahead(inner, every=3))
        model.set_params(max_iter=2, batch_size=20, random_state=0, n_jobs=n_jobs)
        return model.fit(X, y).network_.vector

    one, two = vector(1), vector(2)
    assert one.size > 200_000  # more than one chunk
    np.testing.assert_array_equal(two, one)


@pytest.mark.parametrize("inner", [SGD(), Adam(), Muon()], ids=repr)
def test_zeros_of_an_l1_penalty_stay(inner):
    X, y = data_for(MLPClassifier, n=200)
    model = make(
        MLPClassifier,
        solver=Lookahead(inner, every=3),
        hidden_layer_sizes=(10, 10),
        alpha=10.0,
        l1_ratio=1.0,
        learning_rate_init=0.01,
        max_iter=20,
        batch_size=50,
    ).fit(X, y)
    n_zeros = sum((coefs == 0).sum() for coefs in model.coefs_)
    assert n_zeros > 0.5 * sum(coefs.size for coefs in model.coefs_)


@pytest.mark.parametrize(
    ("solver", "message"),
    [
        (Lookahead("sgd"), "'optimizer' parameter of Lookahead must be an object of"),
        (Lookahead(SGD), r"Pass an object of this class, optimizer=SGD\(\)"),
        (Lookahead(SGD(), share=0.0), r"'share' parameter .* \(0.0, 1.0\]. Got 0.0"),
        (Lookahead(SGD(), every=0), "'every' parameter of Lookahead"),
        (Lookahead(SGD(momentum=2)), "'momentum' parameter of SGD"),
        (
            Lookahead(ScheduleFreeAdamW()),
            r"must not average the weights itself, as ScheduleFreeAdamW does; got",
        ),
        (Lookahead(Lookahead(SGD())), "as Lookahead does"),
    ],
    ids=str,
)
def test_wrong_parameters(solver, message):
    X, y = data_for(MLPClassifier)
    with pytest.raises(ValueError, match=message):
        make(MLPClassifier, solver=solver).fit(X, y)


def test_an_average_of_its_own_excludes_another():
    X, y = data_for(MLPClassifier)
    model = make(MLPClassifier, solver=Lookahead(SGD()), averaging="swa")
    with pytest.raises(ValueError, match="averaging='swa' must be None with Lookahead"):
        model.fit(X, y)
    with pytest.raises(ValueError, match=r"Use solver=Lookahead\(Adam\(\)\)"):
        make(MLPClassifier, solver="lookahead").fit(X, y)
