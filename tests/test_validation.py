"""What the validation set is scored by, and early stopping from call to call."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimator_cases import CLASSIFIERS, ESTIMATORS, REGRESSORS, data_for, make
from sklearn.metrics import f1_score, log_loss, make_scorer, mean_squared_error

from skconvnet import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
every = pytest.mark.parametrize("cls", ESTIMATORS)


def both_sets(cls):
    return data_for(cls), data_for(cls, n=20, seed=1)


def fitted(cls, **params):
    (X, y), (X_val, y_val) = both_sets(cls)
    params = {"max_iter": 5, "dtype": "float64", **params}
    return make(cls, **params).fit(X, y, X_val=X_val, y_val=y_val), X_val, y_val


@every
def test_the_loss_curve_of_the_validation_set(cls):
    model, X_val, y_val = fitted(cls, alpha=0.5)
    loss, _ = model.set_params(alpha=0.0).loss_gradients(X_val, y_val)
    assert len(model.validation_loss_curve_) == 5
    assert model.validation_loss_curve_[-1] == pytest.approx(loss)
    assert not hasattr(make(cls, solver="lbfgs").fit(X_val, y_val), "stopped_")
    assert make(cls).fit(X_val, y_val).validation_loss_curve_ is None


@every
def test_the_loss_curve_weighs_samples(cls):
    (X, y), (X_val, y_val) = both_sets(cls)
    weights = np.arange(len(X_val)) % 3
    model = make(cls, alpha=0.0, dtype="float64")
    model.fit(X, y, X_val=X_val, y_val=y_val, sample_weight_val=weights)
    loss, _ = model.loss_gradients(X_val, y_val, weights)
    assert model.validation_loss_curve_[-1] == pytest.approx(loss)


@every
def test_scoring_by_the_loss(cls):
    model, *_ = fitted(cls, scoring="loss", early_stopping=True, max_iter=8)
    assert model.validation_scores_ == [-loss for loss in model.validation_loss_curve_]
    best = int(np.argmax(model.validation_scores_))
    params = {"max_iter": best + 1, "scoring": "loss"}
    short, *_ = fitted(cls, **params)
    np.testing.assert_array_equal(short.network_.vector, model.network_.vector)


@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_scoring_of_classifiers(cls):
    model, X_val, y_val = fitted(cls, scoring="neg_log_loss")
    expected = -log_loss(y_val, model.predict_proba(X_val))
    assert model.validation_scores_[-1] == pytest.approx(expected)
    model, X_val, y_val = fitted(cls, scoring=make_scorer(f1_score, average="macro"))
    expected = f1_score(y_val, model.predict(X_val), average="macro")
    assert model.validation_scores_[-1] == pytest.approx(expected)
    model, X_val, y_val = fitted(cls)
    assert model.validation_scores_[-1] == model.score(X_val, y_val)


@pytest.mark.parametrize("cls", REGRESSORS)
def test_scoring_of_regressors(cls):
    model, X_val, y_val = fitted(cls, scoring="neg_mean_squared_error")
    expected = -mean_squared_error(y_val, model.predict(X_val))
    assert model.validation_scores_[-1] == pytest.approx(expected)


@every
def test_scoring_by_a_callable_on_a_part_of_the_training_set(cls):
    X, y = data_for(cls)
    seen = []

    def scorer(estimator, X, y):
        assert estimator.network_.vector.any()
        seen.append((X, y))
        return float(len(seen))

    model = make(cls, scoring=scorer, early_stopping=True)
    if cls in CLASSIFIERS:  # weights that the scorer does not take
        model.set_params(class_weight="balanced")
    model.fit(X, y)
    assert model.validation_scores_ == [1.0, 2.0]
    rows = [np.flatnonzero((x == X).reshape(len(X), -1).all(1)) for x in seen[0][0]]
    np.testing.assert_array_equal(y[np.concatenate(rows)], seen[0][1])
    assert len(seen[0][0]) == 6


def test_scoring_sees_the_labels_and_weights_of_the_user():
    X, y = data_for(MLPClassifier)
    names = np.array(["x", "y", "z"])[y]
    seen = []

    def scorer(_estimator, _X, y, sample_weight=None):
        seen.append((set(y), sample_weight))
        return 0.0

    model = make(MLPClassifier, scoring=scorer)
    model.fit(X, names, X_val=X, y_val=names, sample_weight_val=np.ones(len(X)))
    labels, weights = seen[0]
    assert labels == {"x", "y", "z"}
    np.testing.assert_array_equal(weights, 1)


def test_scoring_with_column_names_does_not_warn():
    X, y = data_for(MLPRegressor)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    model = make(MLPRegressor, scoring="neg_max_error", early_stopping=True).fit(
        frame, y
    )
    assert len(model.feature_names_in_) == 36
    assert len(model.validation_scores_) == 2


@every
def test_wrong_scoring(cls):
    X, y = data_for(cls)
    with pytest.raises(ValueError, match=r"'scoring' parameter .* Got 'accurate'"):
        make(cls, scoring="accurate").fit(X, y)


@every
def test_partial_fit_stops_early_and_goes_back_to_the_best_call(cls):
    (X, y), (X_val, y_val) = both_sets(cls)
    params = {"scoring": "loss", "learning_rate_init": 0.05, "batch_size": len(X)}
    model = make(cls, early_stopping=True, n_iter_no_change=2, tol=0.0, **params)
    validation = {"X_val": X_val, "y_val": y_val}
    if cls in CLASSIFIERS:
        validation["classes"] = [0, 1, 2]
    vectors = []
    for _ in range(60):
        model.partial_fit(X, y, **validation)
        vectors.append(model.network_.vector.copy())
        if model.stopped_:
            break
    assert model.stopped_
    best = int(np.argmax(model.validation_scores_))
    assert len(vectors) == best + 4
    np.testing.assert_array_equal(vectors[-1], vectors[best])
    assert not np.array_equal(vectors[-2], vectors[best])
    assert model.best_validation_score_ == max(model.validation_scores_)
    # One more call that brings nothing better is undone as well.
    loaded = pickle.loads(pickle.dumps(model))
    loaded.set_params(learning_rate_init=0.05).partial_fit(X, y, **validation)
    if loaded.validation_scores_[-1] < model.best_validation_score_:
        np.testing.assert_array_equal(loaded.network_.vector, vectors[best])


@every
def test_partial_fit_with_early_stopping_trains_as_without(cls):
    (X, y), (X_val, y_val) = both_sets(cls)
    classes = {"classes": [0, 1, 2]} if cls in CLASSIFIERS else {}
    stopping, plain = make(cls, early_stopping=True), make(cls)
    for model in (stopping, plain):
        for _ in range(3):
            model.partial_fit(X, y, X_val=X_val, y_val=y_val, **classes)
    np.testing.assert_array_equal(stopping.network_.vector, plain.network_.vector)
    assert stopping.validation_scores_ == plain.validation_scores_
    assert not stopping.stopped_


@pytest.mark.parametrize(
    ("X_val", "message"),
    [
        (np.ones((5, 3)), "X has 3 features, but MLPClassifier is expecting 4"),
        (np.full((5, 4), np.nan), "contains NaN"),
        (pd.DataFrame(np.ones((5, 4)), columns=[*"abcd"]), "feature names"),
    ],
)
def test_errors_are_about_the_validation_set(X_val, message):
    X, y = pd.DataFrame(np.ones((20, 4)), columns=[*"dcba"]), np.arange(20) % 2
    X = X if hasattr(X_val, "columns") else X.to_numpy()
    with pytest.raises(ValueError, match=f"X_val and y_val cannot be .*{message}"):
        MLPClassifier((3,)).fit(X, y, X_val=X_val, y_val=y[:5])
