"""Weights that decay toward zero do not become subnormal, which would be slow."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skconvnet import MLPClassifier
from skconvnet.ops.chunking import CHUNK_SIZE
from skconvnet.training import subnormal

rng = np.random.default_rng(0)
X = rng.normal(size=(200, 10))
y = (X[:, 0] > 0).astype(int)
# The weights of these features have no gradient but that of the penalty.
DEAD = X.copy()
DEAD[:, 7:] = 0.0


def trained(X, **params):
    clf = MLPClassifier(
        (30,),
        alpha=5.0,
        batch_size=20,
        n_iter_no_change=np.inf,
        tol=0.0,
        random_state=0,
        **{"dtype": "float32", "max_iter": 1500, **params},
    )
    return clf.fit(X, y)


def n_subnormal(vector):
    tiny = np.finfo(vector.dtype).tiny
    return int(np.sum((vector != 0) & (np.abs(vector) < tiny)))


def state_of(clf):
    return vars(clf)["_state"].optimizer


def vectors_of(clf):
    return [clf.network_.vector, *state_of(clf).vectors]


SOLVERS = {
    "adam": {"learning_rate_init": 0.01},
    "sgd": {"learning_rate_init": 0.5, "nesterovs_momentum": False},
    "adamw": {},
    "rmsprop": {},
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("solver", SOLVERS)
def test_weights_and_moments_are_not_subnormal(solver, monkeypatch):
    clf = trained(DEAD, solver=solver, **SOLVERS[solver])
    assert sum(map(n_subnormal, vectors_of(clf))) == 0
    # They would be otherwise, and that changes no prediction.
    monkeypatch.setattr(subnormal, "_INTERVAL", 10**9)
    other = trained(DEAD, solver=solver, **SOLVERS[solver])
    assert sum(map(n_subnormal, vectors_of(other))) > 0
    assert_array_equal(clf.predict_proba(DEAD), other.predict_proba(DEAD))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_averages_are_not_subnormal(monkeypatch):
    def average(**params):
        params = {"solver": "sgd", "learning_rate_init": 0.5, **params}
        clf = trained(DEAD, averaging=0.9, nesterovs_momentum=False, **params)
        return clf.network_.vector

    assert n_subnormal(average()) == 0
    monkeypatch.setattr(subnormal, "_INTERVAL", 10**9)
    assert n_subnormal(average()) > 0


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_usual_training_keeps_its_bits(dtype, monkeypatch):
    clf = trained(X, dtype=dtype, max_iter=30)
    monkeypatch.setattr(subnormal, "_INTERVAL", 10**9)
    other = trained(X, dtype=dtype, max_iter=30)
    assert state_of(clf).n_steps > 200
    assert_array_equal(clf.network_.vector, other.network_.vector)


def test_other_values_are_left_as_they_are():
    values = np.array([0.0, -0.0, np.nan, np.inf, -np.inf, 1e-20, -1e-20], "f4")
    kept = values.copy()
    subnormal.clear_small_weights(kept)
    subnormal.clear_subnormal([kept])
    assert_array_equal(kept, values)


def test_large_vectors_are_cleared_as_a_whole():
    many = np.full(2 * CHUNK_SIZE + 7, 1e-40, "f4")
    subnormal.clear_subnormal([many])
    assert not many.any()
