"""Losses of the estimators: weights, probabilities, decisions, searches."""

import joblib
import numpy as np
import pytest
from estimator_cases import CLASSIFIERS, REGRESSORS, data_for, make
from scipy.special import expit
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import StandardScaler

from skconvnet import MLPClassifier, MLPRegressor
from skconvnet.losses import (
    CLASSIFICATION_LOSSES,
    REGRESSION_LOSSES,
    Hinge,
    Huber,
    LogLoss,
    Perceptron,
    PoissonDeviance,
    Quantile,
    SquaredError,
    SquaredHinge,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

every_loss = pytest.mark.parametrize("loss", CLASSIFICATION_LOSSES)
ON_MARGINS = ["hinge", "squared_hinge", "perceptron"]


def targets(kind, n=200):
    if kind == "multilabel":
        X, y = make_multilabel_classification(n, 8, n_classes=3, random_state=0)
    else:
        n_classes = {"binary": 2, "multiclass": 3, "strings": 3}[kind]
        X, y = make_classification(
            n, 8, n_informative=5, n_classes=n_classes, class_sep=2, random_state=0
        )
        if kind == "strings":
            y = np.array(["fig", "nut", "pea"])[y]
    return StandardScaler().fit_transform(X), y


def mlp(loss, **params):
    params = {
        "learning_rate_init": 0.01,
        "batch_size": 20,
        "max_iter": 60,
        **params,
    }
    return MLPClassifier((20,), loss=loss, random_state=0, **params)


@every_loss
@pytest.mark.parametrize("kind", ["binary", "multiclass", "strings", "multilabel"])
def test_every_loss_learns_every_kind_of_classes(kind, loss):
    X, y = targets(kind)
    model = mlp(loss).fit(X, y)
    assert model.score(X, y) > (0.7 if kind == "multilabel" else 0.9)
    assert model.loss_curve_[-1] < 0.5 * model.loss_curve_[0]
    scores = model.decision_function(X)
    if kind in ("multiclass", "strings"):
        np.testing.assert_array_equal(
            model.predict(X), model.classes_[scores.argmax(axis=1)]
        )
    else:
        np.testing.assert_array_equal(model.predict(X), scores > 0)


@every_loss
@pytest.mark.parametrize("cls", CLASSIFIERS)
def test_every_classifier_takes_every_loss(cls, loss):
    X, y = data_for(cls)
    model = make(cls, loss=loss).fit(X, y)
    assert model.predict(X).shape == y.shape
    given = CLASSIFICATION_LOSSES[loss]()
    same = make(cls, loss=given).fit(X, y)
    np.testing.assert_array_equal(model.network_.vector, same.network_.vector)
    assert vars(given) == vars(CLASSIFICATION_LOSSES[loss]())
    model.partial_fit(X, y)
    assert np.isfinite(model.loss_)


@every_loss
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_weights_repeat_samples(kind, loss):
    X, y = targets(kind, 30)
    model = mlp(loss, dtype="float64", alpha=0.0, max_iter=3).fit(X, y)
    times = np.random.default_rng(0).integers(0, 4, size=30)
    value, gradients = model.loss_gradients(X, y, times)
    X_long, y_long = np.repeat(X, times, axis=0), np.repeat(y, times, axis=0)
    expected, expected_gradients = model.loss_gradients(X_long, y_long)
    assert value == pytest.approx(expected)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, expected_gradients[name], atol=1e-12)
    if kind == "multilabel":
        return
    weighted = clone(model).set_params(class_weight={0: 3.0}).fit(X, y)
    by_hand = clone(model).fit(X, y, np.where(y == 0, 3.0, 1.0))
    np.testing.assert_array_equal(weighted.network_.vector, by_hand.network_.vector)
    balanced = clone(model).set_params(class_weight="balanced").fit(X, y)
    assert np.isfinite(balanced.network_.vector).all()


@pytest.mark.parametrize("loss", ["log_loss", "squared_error", LogLoss(0.1)])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_probabilities_of_losses_that_have_some(kind, loss):
    X, y = targets(kind)
    model = mlp(loss, max_iter=10)
    assert hasattr(model, "predict_proba")
    probabilities = model.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(probabilities))
    scores = model.decision_function(X)
    if kind == "binary":
        np.testing.assert_allclose(probabilities[:, 1], expit(scores), rtol=1e-12)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    elif kind == "multilabel":
        np.testing.assert_allclose(probabilities, expit(scores), rtol=1e-12)
    else:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)
        np.testing.assert_array_equal(
            model.predict(X), model.classes_[probabilities.argmax(axis=1)]
        )
    is_logistic = loss == "squared_error" or kind != "multiclass"
    assert model.out_activation_ == ("logistic" if is_logistic else "softmax")
    if is_logistic and kind != "binary":
        outputs = model.activations(X, "output")
        np.testing.assert_allclose(outputs, expit(scores), rtol=1e-12)


def test_squared_error_finds_the_probabilities_of_noisy_classes():
    rng = np.random.default_rng(0)
    X = np.repeat(np.eye(4), 2000, axis=0)
    shares = rng.dirichlet(np.ones(3), size=4)
    y = np.concatenate([rng.choice(3, size=2000, p=share) for share in shares])
    counts = [np.bincount(y[i * 2000 : (i + 1) * 2000], minlength=3) for i in range(4)]
    params = {"solver": "lbfgs", "alpha": 0.0, "max_iter": 500, "tol": 1e-7}
    for loss in ("squared_error", "log_loss"):
        model = MLPClassifier((), loss=loss, random_state=0, **params).fit(X, y)
        np.testing.assert_allclose(
            model.predict_proba(np.eye(4)), np.array(counts) / 2000, atol=2e-3
        )


@pytest.mark.parametrize("loss", [*ON_MARGINS, Hinge(), SquaredHinge(), Perceptron()])
def test_margins_are_no_probabilities(loss):
    X, y = targets("multiclass")
    model = mlp(loss, max_iter=2)
    for method in ("predict_proba", "predict_log_proba"):
        for estimator in (model, clone(model).fit(X, y)):
            assert not hasattr(estimator, method)
            with pytest.raises(AttributeError) as caught:
                getattr(estimator, method)
            reason = str(caught.value.__cause__)
            assert "are not probabilities" in reason
            assert "set loss to 'log_loss' or 'squared_error'" in reason
    # What counts is the loss that the network was fitted with.
    fitted = clone(model).fit(X, y).set_params(loss="log_loss")
    assert not hasattr(fitted, "predict_proba")
    assert hasattr(fitted.fit(X, y), "predict_proba")
    assert hasattr(fitted.set_params(loss=loss), "predict_proba")


def test_margins_can_be_calibrated():
    X, y = targets("multiclass")
    model = CalibratedClassifierCV(mlp("hinge"), cv=2).fit(X, y)
    assert model.predict_proba(X).shape == (len(X), 3)
    assert model.score(X, y) > 0.9


def test_label_smoothing():
    X, y = np.eye(3), np.arange(3)
    params = {"solver": "lbfgs", "alpha": 0.0, "tol": 1e-7, "random_state": 0}
    for smoothing in (0.1, 0.3):
        loss = LogLoss(label_smoothing=smoothing)
        model = MLPClassifier((), loss=loss, **params).fit(X, y)
        expected = (1 - smoothing) * np.eye(3) + smoothing / 3
        np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-3)
    X, y = targets("binary")
    smooth = mlp(LogLoss(label_smoothing=0.3), alpha=0.0).fit(X, y)
    assert smooth.get_params()["loss__label_smoothing"] == 0.3
    value = smooth.loss_gradients(X, y)[0]
    p = smooth.predict_proba(X)
    q = np.where(y == 1, 0.85, 0.15)
    expected = -(q * np.log(p[:, 1]) + (1 - q) * np.log(p[:, 0])).mean()
    assert value == pytest.approx(expected)


def test_a_search_reaches_losses_and_their_parameters(tmp_path):
    X, y = targets("multiclass")
    loss = LogLoss()
    grid = [{"loss__label_smoothing": [0.0, 0.2]}, {"loss": ["hinge", Perceptron()]}]
    search = GridSearchCV(mlp(loss, max_iter=10), grid, cv=2, error_score="raise")
    assert len(search.fit(X, y).cv_results_["params"]) == 4
    assert loss.label_smoothing == 0.0
    regressor = MLPRegressor(loss=Quantile(), max_iter=5)
    search = GridSearchCV(regressor, {"loss__quantile": [0.1, 0.9]}, cv=2).fit(X, y)
    joblib.dump(search, tmp_path / "search.joblib")
    loaded = joblib.load(tmp_path / "search.joblib")
    np.testing.assert_array_equal(loaded.predict(X), search.predict(X))


def test_the_loss_may_change_between_warm_starts():
    X, y = targets("binary")
    model = mlp("log_loss", warm_start=True, max_iter=1, solver="sgd").fit(X, y)
    after_hinge = clone(model).fit(X, y).set_params(loss="hinge").fit(X, y)
    assert after_hinge.out_activation_ == "identity"
    assert not hasattr(after_hinge, "predict_proba")
    other = clone(model).fit(X, y).fit(X, y)
    assert not np.array_equal(after_hinge.network_.vector, other.network_.vector)


@pytest.mark.parametrize("loss", REGRESSION_LOSSES)
@pytest.mark.parametrize("cls", REGRESSORS)
def test_every_regressor_takes_every_loss_by_name_or_as_an_object(cls, loss):
    X, y = data_for(cls)
    y = np.stack([y, y / 2], axis=1)
    named = make(cls, loss=loss).fit(X, y)
    given = make(cls, loss=REGRESSION_LOSSES[loss]()).fit(X, y)
    np.testing.assert_array_equal(named.network_.vector, given.network_.vector)
    assert named.loss_ == given.loss_


def test_quantiles_of_the_targets():
    rng = np.random.default_rng(0)
    X, y = np.zeros((2000, 1)), rng.exponential(size=2000)
    params = {"batch_mode": "bgd", "learning_rate_init": 0.02, "alpha": 0.0}
    for quantile in (0.1, 0.5, 0.9):
        model = MLPRegressor(
            Quantile(quantile), (), **params, tol=0.0, max_iter=500, random_state=0
        )
        found = model.fit(X, y).predict(X[:1])[0]
        assert found == pytest.approx(np.quantile(y, quantile), abs=0.05)


@pytest.mark.parametrize(
    ("cls", "loss", "message"),
    [
        (MLPRegressor, Quantile(1.0), r"'quantile' parameter of Quantile .* Got 1.0"),
        (MLPRegressor, Huber(0), "'delta' parameter of Huber .* Got 0"),
        (MLPRegressor, Hinge(), "'loss' parameter of MLPRegressor .* Got Hinge"),
        (MLPRegressor, "hinge", "'loss' parameter of MLPRegressor .* Got 'hinge'"),
        (MLPClassifier, LogLoss(1.0), r"'label_smoothing' parameter of LogLoss .* 1.0"),
        (MLPClassifier, "huber", "'loss' parameter of MLPClassifier .* Got 'huber'"),
        (MLPClassifier, Huber(), "'loss' parameter of MLPClassifier .* Got Huber"),
        (MLPClassifier, Hinge, "'loss' parameter of MLPClassifier"),
        (MLPRegressor, PoissonDeviance(), r"loss=PoissonDeviance\(\) requires y >= 0"),
        (
            MLPRegressor,
            "poisson",
            "loss='poisson' requires y >= 0; the smallest y is -1",
        ),
    ],
)
def test_wrong_losses(cls, loss, message):
    X, y = targets("binary")
    y = np.where(y == 0, -1, 1)
    with pytest.raises(ValueError, match=message):
        make(cls, loss=loss).fit(X, y)


def test_squared_error_as_an_object_is_reported_alike():
    X, y = data_for(MLPRegressor)
    y = np.stack([y, y], axis=1)
    named, given = (
        make(MLPRegressor, loss=loss).fit(X, y)
        for loss in ("squared_error", SquaredError())
    )
    assert named.loss_curve_ == given.loss_curve_
