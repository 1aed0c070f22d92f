"""The perceptrons end where scikit-learn's do, from the same random_state."""

import numpy as np
import pytest
import sklearn.neural_network
from scipy.sparse import csc_array, csr_array
from sklearn.datasets import load_digits, make_multilabel_classification

import skconvnet

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, DIGITS = load_digits(return_X_y=True)
X, DIGITS = X[:150] / 16, DIGITS[:150]
X_LABELS, LABELS = make_multilabel_classification(120, 10, random_state=0)

TARGETS = {
    "multiclass": ("MLPClassifier", X, DIGITS),
    "binary": ("MLPClassifier", X, DIGITS % 2),
    "strings": ("MLPClassifier", X, np.array(list("abcdefghij"))[DIGITS]),
    "multilabel": ("MLPClassifier", X_LABELS, LABELS),
    "numbers": ("MLPRegressor", X, DIGITS.astype(float)),
    "several numbers": ("MLPRegressor", X, np.stack([DIGITS, X[:, 20]], axis=1)),
}
SETTINGS = [
    {"solver": "sgd", "momentum": 0.0},
    {"solver": "sgd", "nesterovs_momentum": False},
    {"solver": "sgd"},
    {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 1},
    {"solver": "adam"},
    {"solver": "adam", "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    {"solver": "adam", "activation": "tanh"},
    {"solver": "adam", "activation": "logistic"},
    {"solver": "adam", "activation": "identity"},
    {"solver": "adam", "shuffle": False, "batch_size": 37},
    {"solver": "adam", "hidden_layer_sizes": (8, 6, 4), "alpha": 1.0},
    {"solver": "adam", "early_stopping": True, "n_iter_no_change": 2},
    {"solver": "sgd", "early_stopping": True, "validation_fraction": 0.3},
]


def pair(name, **params):
    params = {"hidden_layer_sizes": 9, "max_iter": 8, "random_state": 3, **params}
    return getattr(skconvnet, name)(**params), getattr(sklearn.neural_network, name)(
        **params
    )


def assert_same(ours, theirs, rtol=1e-6):
    for mine, other in zip(
        ours.coefs_ + ours.intercepts_,
        theirs.coefs_ + theirs.intercepts_,
        strict=True,
    ):
        np.testing.assert_allclose(mine, other, rtol=rtol, atol=rtol * 1e-3)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if ours.solver != "lbfgs":
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)
        for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
            mine, other = getattr(ours, name), getattr(theirs, name)
            assert (mine is None) == (other is None), name
            if mine is not None:
                np.testing.assert_allclose(mine, other, rtol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_fit(target, params):
    name, X, y = TARGETS[target]
    ours, theirs = (model.fit(X, y) for model in pair(name, **params))
    assert_same(ours, theirs)
    np.testing.assert_array_equal(
        ours.predict(X[:5]).shape, theirs.predict(X[:5]).shape
    )
    if name == "MLPClassifier":
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), rtol=1e-6, atol=1e-12
        )
    else:
        np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("target", TARGETS)
def test_lbfgs(target, activation):
    name, X, y = TARGETS[target]
    # A quasi-Newton search doubles rounding differences with each step: few steps.
    params = {"solver": "lbfgs", "activation": activation, "max_iter": 8}
    ours, theirs = (model.fit(X, y) for model in pair(name, **params))
    assert_same(ours, theirs)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_poisson(solver):
    params = {"solver": solver, "loss": "poisson", "learning_rate_init": 1e-3}
    ours, theirs = (m.fit(X, DIGITS) for m in pair("MLPRegressor", **params))
    assert_same(ours, theirs)


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("target", TARGETS)
def test_sample_weight(target, solver):
    name, X, y = TARGETS[target]
    weights = np.random.default_rng(0).uniform(size=len(X))
    for early_stopping in (False, True):
        params = {"solver": solver, "early_stopping": early_stopping}
        models = pair(name, **params)
        ours, theirs = (m.fit(X, y, sample_weight=weights) for m in models)
        assert_same(ours, theirs)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("target", TARGETS)
def test_partial_fit_streams(target, solver):
    name, X, y = TARGETS[target]
    models = pair(name, solver=solver, batch_size=20)
    first = {} if name == "MLPRegressor" or y.ndim > 1 else {"classes": np.unique(y)}
    for model in models:
        model.fit(X, y)
        if y.ndim == 1:
            model.__init__(**model.get_params())
        for start in range(0, len(X), 50):
            model.partial_fit(X[start : start + 50], y[start : start + 50], **first)
    assert_same(*models)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_warm_start(solver, early_stopping):
    params = {"solver": solver, "warm_start": True, "early_stopping": early_stopping}
    models = pair("MLPClassifier", **params)
    for model in models:
        model.fit(X, DIGITS).fit(X, DIGITS)
    assert_same(*models)


@pytest.mark.parametrize("container", [csr_array, csc_array])
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_sparse(container, solver):
    models = pair("MLPClassifier", solver=solver)
    ours, theirs = (model.fit(container(X), DIGITS) for model in models)
    assert_same(ours, theirs)
    np.testing.assert_array_equal(
        ours.predict(container(X)), theirs.predict(container(X))
    )
    dense = pair("MLPClassifier", solver=solver)[0].fit(X, DIGITS)
    assert_same(dense, theirs)


def test_parameters_and_defaults():
    for name in ("MLPClassifier", "MLPRegressor"):
        ours, theirs = (
            getattr(skconvnet, name)(),
            getattr(sklearn.neural_network, name)(),
        )
        assert theirs.get_params().items() <= ours.get_params().items()
