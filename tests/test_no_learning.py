"""A network that learned nothing is told, if a hyperparameter explains it."""

import warnings

import numpy as np
import pytest
from estimator_cases import PLAIN
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skconvnet import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.estimators._no_learning import _MIN_EPOCHS
from skconvnet.layers import Conv2D, Dense, Flatten

pytestmark = [
    pytest.mark.filterwarnings("ignore:Stochastic Optimizer"),
    pytest.mark.filterwarnings("ignore:Training started with a loss"),
]
CLASSIFIERS = [ConvNetClassifier, SequentialClassifier]
REGRESSORS = [ConvNetRegressor, SequentialRegressor]
DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = DIGITS[:300].reshape(-1, 8, 8) / 16


def make(cls, **params):
    params = {"max_iter": 20, "random_state": 0, "batch_size": 16, **params}
    if cls.__name__.startswith("ConvNet"):
        return cls(filters=4, hidden_layer_sizes=16, **params)
    layers = [Conv2D(4, 3, activation="relu"), Flatten(), Dense(16, activation="relu")]
    return cls(layers, **params)


def targets_for(cls):
    return LABELS[:300] if cls in CLASSIFIERS else DIGITS.sum(axis=(1, 2)) / 20


def told(model, X, y, **arguments):
    """Return the messages about a network that learned nothing, and how many others."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y, **arguments)
    own = [w for w in caught if "has learned nothing" in str(w.message)]
    assert all(w.category is ConvergenceWarning for w in own)
    assert all(w.filename == __file__ for w in own)
    assert not own or not any("The loss " in str(w.message) for w in caught)
    return [str(w.message) for w in own]


ALPHAS = {
    ConvNetClassifier: (30.0, "1"),
    ConvNetRegressor: (100.0, "1"),
    SequentialClassifier: (1e4, "0.0001"),
    SequentialRegressor: (1e4, "0.0001"),
}


@pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
def test_a_large_alpha(cls):
    alpha, usual = ALPHAS[cls]
    y = targets_for(cls)
    (text,) = told(make(cls, alpha=alpha, learning_rate_init=0.01), DIGITS, y)
    assert f". alpha={alpha!r} is probably too large: lower it, for" in text
    assert text.endswith(f"example to {usual}.")
    model = make(cls)
    assert told(model, DIGITS, y) == []
    assert model.score(DIGITS, y) > 0.3


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_what_is_told_is_true(cls):
    model, y = make(cls, alpha=ALPHAS[cls][0], learning_rate_init=0.01), LABELS[:300]
    (text,) = told(model, DIGITS[:100], y[:100])
    loss, _ = model.set_params(alpha=0.0).loss_gradients(DIGITS[:100], y[:100])
    assert f"in {model.n_iter_} epochs: its loss is {loss:.3g} without" in text
    assert model.score(DIGITS, y) < 0.2


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("rate", [1.0, 100.0])
def test_a_large_learning_rate(cls, rate):
    (text,) = told(make(cls, learning_rate_init=rate), DIGITS, LABELS[:300])
    assert f"learning_rate_init={rate!r} is probably too large: lower it" in text


@pytest.mark.parametrize("cls", CLASSIFIERS)
@pytest.mark.parametrize("rate", [1e-6, 1e-9])
def test_a_small_learning_rate(cls, rate):
    (text,) = told(make(cls, learning_rate_init=rate), DIGITS, LABELS[:300])
    assert f"learning_rate_init={rate!r} is probably too small: raise it" in text


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_in_early_stopping_and_with_weights(cls):
    y, params = LABELS[:300], {"alpha": 1e4, "learning_rate_init": 0.01}
    stopping = {"early_stopping": True, "n_iter_no_change": 20, "scoring": "loss"}
    assert len(told(make(cls, **stopping, **params), DIGITS, y)) == 1
    weights = np.where(np.arange(300) % 5, 1.0, 0.0)
    assert len(told(make(cls, **params), DIGITS, y, sample_weight=weights)) == 1


@pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
def test_a_few_epochs_may_learn_nothing(cls):
    params = {"alpha": ALPHAS[cls][0], "learning_rate_init": 0.01}
    model = make(cls, max_iter=_MIN_EPOCHS - 1, **params)
    assert told(model, DIGITS, targets_for(cls)) == []
    model = make(cls, max_iter=1, warm_start=True, **params)
    for _ in range(2 * _MIN_EPOCHS):
        assert told(model, DIGITS, targets_for(cls)) == []


USUAL = [
    {},
    {"alpha": 0.01},
    {"alpha": 0.5},
    {"learning_rate_init": 0.03},
    {"learning_rate_init": 1e-4},
    {"solver": "sgd", "learning_rate_init": 0.1},
]


@pytest.mark.parametrize("n", [10, 300])
@pytest.mark.parametrize("n_features", [2, 36])
@pytest.mark.parametrize("cls", CLASSIFIERS + REGRESSORS)
def test_targets_at_random_are_not_told(cls, n_features, n):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_features))
    y = rng.integers(0, 3, n) if cls in CLASSIFIERS else rng.normal(size=n)
    for params in USUAL:
        model = make(cls, max_iter=10, **params)
        if cls in (SequentialClassifier, SequentialRegressor):
            model.set_params(layers=[Dense(3, activation="relu")])
        assert told(model, X, y) == [], params


def test_a_constant_X_is_not_told():
    X, y = np.ones((40, 6, 6)), np.arange(40) % 2
    for cls in CLASSIFIERS:
        assert told(make(cls), X, y) == []


def test_rare_classes_are_not_told():
    y = (np.arange(300) % 50 == 0).astype(int)
    for alpha in (1.0, 5.0):
        assert told(make(ConvNetClassifier, alpha=alpha), DIGITS, y) == []


def test_perceptrons_are_as_in_scikit_learn():
    rows = DIGITS.reshape(300, -1)
    for params in ({"alpha": 1e4}, {"learning_rate_init": 1e-9}):
        assert told(MLPClassifier(max_iter=20, **params), rows, LABELS[:300]) == []


def test_the_warning_is_of_the_call_of_a_search():
    search = GridSearchCV(
        make(ConvNetClassifier, **{**PLAIN, "learning_rate_init": 0.01}),
        {"alpha": [0.1, 1e4]},
        cv=2,
        refit=False,
    )
    assert len(told(search, DIGITS, LABELS[:300])) == 2
