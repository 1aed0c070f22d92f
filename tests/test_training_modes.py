"""How the estimators train: batch modes, early stopping, warm start, threads."""

import warnings

import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, N, data_for, make
from sklearn.exceptions import ConvergenceWarning

from skconvnet import ConvNetClassifier, ConvNetRegressor
from skconvnet.engine.executor import Executor
from skconvnet.engine.micro_batches import MicroBatchLimits
from skconvnet.engine.network import Network

quiet = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every_estimator = pytest.mark.parametrize("cls", ESTIMATORS)


@quiet
@every_estimator
@pytest.mark.parametrize(
    ("params", "updates"),
    [
        ({"batch_mode": "bgd", "batch_size": 7}, 1),
        ({"batch_mode": "sgd"}, N),
        ({"batch_mode": "mbgd", "batch_size": 7}, -(-N // 7)),
        ({"batch_size": 7}, -(-N // 7)),
    ],
    ids=str,
)
def test_updates_an_epoch(monkeypatch, cls, params, updates):
    sizes = []
    original = Executor.loss_and_gradient

    def counted(self, samples, index, gradient, **keywords):
        sizes.append(len(np.arange(len(samples))[index]))
        return original(self, samples, index, gradient, **keywords)

    monkeypatch.setattr(Executor, "loss_and_gradient", counted)
    make(cls, max_iter=3, **params).fit(*data_for(cls))
    assert len(sizes) == 3 * updates
    assert sum(sizes) == 3 * N


@quiet
@every_estimator
def test_automatic_batch_sizes(monkeypatch, cls):
    # Few samples are one minibatch of a perceptron, but eight of a ConvNet.
    updates = 8 if cls.__name__.startswith("ConvNet") else 1
    test_updates_an_epoch(monkeypatch, cls, {}, updates)


@quiet
@every_estimator
def test_an_automatic_batch_size_leaves_out_a_validation_set(cls):
    for n in (20, 36):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)
            warnings.simplefilter("ignore", ConvergenceWarning)
            make(cls, early_stopping=True).fit(*data_for(cls, n))


@quiet
@every_estimator
@pytest.mark.parametrize("shuffle", [False, True])
def test_batch_modes_are_batch_sizes(cls, shuffle):
    X, y = data_for(cls)
    for mode, size in (("bgd", N), ("sgd", 1)):
        named = make(cls, batch_mode=mode, shuffle=shuffle).fit(X, y)
        sized = make(cls, batch_size=size, shuffle=shuffle).fit(X, y)
        np.testing.assert_array_equal(named.network_.vector, sized.network_.vector)


@quiet
@pytest.mark.parametrize(
    "params", [{}, {"dropout": 0.4}, {"batch_mode": "bgd"}], ids=str
)
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_same_bits_for_any_number_of_threads(monkeypatch, solver, params):
    monkeypatch.setattr(Network, "default_limits", MicroBatchLimits.fixed(16))
    X, y = data_for(ConvNetClassifier, n=200)
    params = {"solver": solver, "dtype": "float32", "max_iter": 3, **params}
    models = [
        make(ConvNetClassifier, n_jobs=n_jobs, **params).fit(X, y)
        for n_jobs in (1, 2, 3, None)
    ]
    for model in models[1:]:
        assert model.network_.vector.tobytes() == models[0].network_.vector.tobytes()
        assert model.loss_ == models[0].loss_
        assert model.predict_proba(X).tobytes() == models[0].predict_proba(X).tobytes()


@quiet
@every_estimator
def test_random_state(cls):
    X, y = data_for(cls)

    def weights(random_state):
        return (
            make(cls, random_state=random_state, batch_size=9).fit(X, y).network_.vector
        )

    np.testing.assert_array_equal(weights(3), weights(3))
    np.testing.assert_array_equal(weights(3), weights(np.random.RandomState(3)))
    assert (weights(3) != weights(4)).all()
    assert (weights(None) != weights(None)).any()


@every_estimator
def test_early_stopping_keeps_the_best_weights(cls):
    X, y = data_for(cls, n=100)
    model = make(
        cls,
        max_iter=200,
        early_stopping=True,
        learning_rate_init=0.02,
        n_iter_no_change=3,
    ).fit(X, y, X_val=X[:40], y_val=y[:40])
    assert model.n_iter_ < 200
    assert len(model.validation_scores_) == model.n_iter_ == len(model.loss_curve_)
    assert max(model.validation_scores_) == model.best_validation_score_
    assert model.score(X[:40], y[:40]) == pytest.approx(model.best_validation_score_)
    assert model.best_loss_ is None


@quiet
@every_estimator
def test_early_stopping_sets_a_part_aside(cls):
    X, y = data_for(cls)
    model = make(cls, early_stopping=True, validation_fraction=0.25, max_iter=4)
    model.fit(X, y)
    assert model.t_ == 4 * (N - N // 4)
    assert len(model.validation_scores_) == 4


@quiet
@every_estimator
def test_a_validation_set_is_scored_without_early_stopping(cls):
    X, y = data_for(cls)
    model = make(cls, max_iter=3).fit(X, y, X_val=X, y_val=y)
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))
    plain = make(cls, max_iter=3).fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, plain.network_.vector)
    assert plain.validation_scores_ is None


@every_estimator
def test_partial_fit_with_a_validation_set(cls):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    model = make(cls, early_stopping=True)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping"):
        model.partial_fit(X, y, **classes)
    for _ in range(3):
        model.partial_fit(X, y, **classes, X_val=X, y_val=y)
    assert len(model.validation_scores_) == 3
    assert model.validation_scores_[-1] == pytest.approx(model.score(X, y))


@quiet
@every_estimator
def test_warm_start_goes_on(cls):
    X, y = data_for(cls)
    model = make(cls, warm_start=True, max_iter=4).fit(X, y)
    first = model.network_.vector.copy()
    model.fit(X, y)
    assert len(model.loss_curve_) == 8
    assert model.t_ == 8 * N
    assert (model.network_.vector != first).any()
    cold = make(cls, max_iter=4).fit(X, y).fit(X, y)
    np.testing.assert_array_equal(cold.network_.vector, first)


@quiet
@every_estimator
def test_partial_fit_is_an_epoch(cls):
    X, y = data_for(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    params = {"shuffle": False, "batch_size": 9, "n_iter_no_change": np.inf}
    fitted = make(cls, max_iter=5, **params).fit(X, y)
    model = make(cls, **params)
    for _ in range(5):
        model.partial_fit(X, y, **classes)
    np.testing.assert_array_equal(model.network_.vector, fitted.network_.vector)
    assert model.loss_curve_ == fitted.loss_curve_
    assert model.n_iter_ == 1


@quiet
@every_estimator
def test_max_grad_norm_bounds_a_step(cls):
    X, y = data_for(cls)
    params = {"solver": "sgd", "momentum": 0.0, "learning_rate_init": 1.0}
    params |= {"batch_mode": "bgd", "max_iter": 1}
    start = make(cls).initialize(X, y).network_.vector
    free = make(cls, **params).fit(X, y).network_.vector - start
    held = make(cls, max_grad_norm=1e-3, **params).fit(X, y).network_.vector - start
    assert np.linalg.norm(held) == pytest.approx(1e-3)
    np.testing.assert_allclose(held / 1e-3, free / np.linalg.norm(free), atol=1e-8)


def test_dropout_is_for_training_alone():
    X, y = data_for(ConvNetRegressor)
    params = {"dropout": 0.5, "max_iter": 300, "learning_rate_init": 0.01}
    model = make(ConvNetRegressor, tol=1e-2, n_iter_no_change=5, **params).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict(X))
    whole, half = model.predict(X), model.predict(X[:7])
    np.testing.assert_allclose(half, whole[:7])


@every_estimator
def test_warning_when_max_iter_is_reached(cls):
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        make(cls).fit(*data_for(cls))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(cls, tol=10.0, max_iter=50).fit(*data_for(cls))
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge"):
        make(cls, solver="lbfgs").fit(*data_for(cls))


@every_estimator
def test_interrupted_training_keeps_what_it_has(monkeypatch, cls):
    original, calls = Executor.loss_and_gradient, []

    def interrupted(self, *args, **keywords):
        calls.append(None)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return original(self, *args, **keywords)

    monkeypatch.setattr(Executor, "loss_and_gradient", interrupted)
    X, y = data_for(cls)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        model = make(cls, max_iter=10, batch_size=N).fit(X, y)
    assert len(model.loss_curve_) == 2
    assert model.predict(X).shape == y.shape


def test_clipped_batch_size_is_told():
    X, y = data_for(ConvNetClassifier)
    with (
        pytest.warns(UserWarning, match="larger than sample size"),
        pytest.warns(ConvergenceWarning),
    ):
        make(ConvNetClassifier, batch_size=N + 1).fit(X, y)
