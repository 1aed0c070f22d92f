"""Training networks that predict maps."""

import pickle

import numpy as np
import pytest
from map_tools import labels, layers_for, make, maps
from sklearn.base import clone
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    BatchNorm,
    Conv2D,
    Conv2DTranspose,
    Dropout,
    MaxPool2D,
    Parallel,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def u_net(depth=2, filters=4):
    """Recursion: a skip beside down, the rest, and up, joined along the channels."""

    def block(n):
        return Conv2D(n, 3, padding="same", activation="relu")

    if depth == 0:
        return [block(filters)]
    inner = u_net(depth - 1, 2 * filters)
    down_and_up = [MaxPool2D(2), *inner, Conv2DTranspose(filters, 2, 2)]
    skip = Parallel([("skip", []), ("deeper", down_and_up)])
    return [block(filters), skip, block(filters)]


def test_a_u_net_learns_where_a_pixel_alone_says_nothing():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 8, 8, 1))
    # The sign of the mean of each quarter of the image.
    means = X.reshape(60, 2, 4, 2, 4).mean(axis=(2, 4))
    y = np.repeat(np.repeat(means > 0, 4, axis=1), 4, axis=2)
    clf = make(SequentialClassifier, u_net(), max_iter=60).fit(X, y)
    assert clf.score(X, y) > 0.9
    by_pixel = make(SequentialClassifier, [Conv2D(8, 1, activation="relu")])
    assert by_pixel.set_params(max_iter=60).fit(X, y).score(X, y) < 0.7
    assert clf.predict(rng.normal(size=(3, 16, 12, 1))).shape == (3, 16, 12)
    with pytest.raises(ValueError, match=r"multiples of the product of all strides"):
        clf.predict(rng.normal(size=(3, 9, 8, 1)))


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_threads_give_the_same_bits(cls):
    X = maps(50)
    y = labels(X) if cls is SequentialClassifier else X**2
    layers = [*layers_for(2), Dropout(0.2), BatchNorm(), Conv2D(3, 3, padding="same")]
    weights = np.random.default_rng(0).uniform(size=X.shape[:-1])
    fits = [
        make(cls, layers, n_jobs=n, batch_size=50).fit(X, y, sample_weight=weights)
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(fits[0].network_.vector, fits[1].network_.vector)
    np.testing.assert_array_equal(fits[0].predict(X), fits[1].predict(X))


def test_float32_and_uint8_images():
    X = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    y = X[..., 0] > 127
    clf = make(SequentialClassifier, dtype="auto").fit(X / np.float32(255), y)
    assert clf.network_.dtype == np.float32
    assert clf.predict(X / np.float32(255)).dtype == bool


def test_lbfgs():
    X = maps()
    y = labels(X)
    clf = make(SequentialClassifier, solver="lbfgs", max_iter=50).fit(X, y)
    assert clf.score(X, y) > 0.8


@pytest.mark.parametrize(
    "loss", ["log_loss", "squared_error", "hinge", "squared_hinge", "perceptron"]
)
def test_losses_of_classes(loss):
    X = maps()
    for y in (labels(X), labels(X, 2)):
        clf = make(SequentialClassifier, loss=loss, max_iter=60).fit(X, y)
        assert clf.score(X, y) > 0.6


@pytest.mark.parametrize(
    "loss", ["squared_error", "absolute_error", "huber", "quantile", "poisson"]
)
def test_losses_of_numbers(loss):
    X = maps()
    y = np.exp(0.5 * X)
    reg = make(SequentialRegressor, loss=loss, max_iter=60).fit(X, y)
    assert reg.score(X, y) > 0.5


@pytest.mark.parametrize(
    "scoring", [None, "loss", "accuracy", "f1_macro", "roc_auc_ovr"]
)
@pytest.mark.parametrize("given_set", [False, True])
def test_early_stopping(scoring, given_set):
    X = maps(30)
    y = labels(X)
    validation = {"X_val": X[:10], "y_val": y[:10]} if given_set else {}
    clf = make(SequentialClassifier, early_stopping=True, scoring=scoring)
    clf.fit(X, y, **validation)
    assert len(clf.validation_scores_) == clf.n_iter_ == 3
    assert np.isfinite(clf.validation_loss_curve_).all()
    if given_set and scoring in (None, "accuracy"):
        assert clf.best_validation_score_ == pytest.approx(clf.score(X[:10], y[:10]))
    if given_set and scoring == "f1_macro":
        predicted = clf.predict(X[:10])
        expected = f1_score(y[:10].ravel(), predicted.ravel(), average="macro")
        assert clf.best_validation_score_ == pytest.approx(expected)


def test_scorers_get_positions_and_functions_get_maps():
    X = maps(30)
    seen = []

    def own(estimator, X, y, sample_weight=None):
        seen.append((y.shape, estimator.predict(X).shape, sample_weight.shape))
        return 0.0

    weights = np.random.default_rng(0).uniform(size=X.shape[:-1])
    reg = make(SequentialRegressor, scoring=own, early_stopping=True)
    reg.fit(X, X**2, sample_weight=weights)
    assert seen[0] == ((3, 6, 5, 1), (3, 6, 5, 1), (3, 6, 5))
    by_name = make(SequentialRegressor, scoring="r2", early_stopping=True)
    usual = make(SequentialRegressor, early_stopping=True)
    curves = [m.fit(X, X**2, weights).validation_scores_ for m in (by_name, usual)]
    np.testing.assert_allclose(*curves, rtol=1e-6)


def test_partial_fit_and_warm_start():
    X = maps()
    y = np.array(["a", "b", "c"])[labels(X)]
    clf = make(SequentialClassifier)
    clf.partial_fit(X[:10], np.where(y == "c", "a", y)[:10], classes=["a", "b", "c"])
    clf.partial_fit(X[10:], y[10:])
    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert clf.predict(X).shape == y.shape
    with pytest.raises(ValueError, match="classes not in"):
        clf.partial_fit(X, np.where(y == "a", "d", y))
    with pytest.raises(ValueError, match=r"y has shape \(n, 5\), but the network was"):
        clf.partial_fit(X, y[:, 0])
    warm = make(SequentialRegressor, warm_start=True, max_iter=1)
    losses = [warm.fit(X, X**2).loss_ for _ in range(4)]
    assert losses[-1] < losses[0]
    with pytest.raises(ValueError, match="and a last axis of 1"):
        warm.fit(X, X[..., 0])


def test_flat_and_map_targets_do_not_mix():
    X = maps()
    flat = make(SequentialRegressor, warm_start=True).fit(X, X.reshape(20, -1))
    with pytest.raises(ValueError, match="was fitted on flat targets"):
        flat.fit(X, X)


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_clone_pickle_and_searches(cls):
    X = maps(24)
    y = labels(X) if cls is SequentialClassifier else X**2
    model = make(cls).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(
        clone(model).fit(X, y).network_.vector, model.network_.vector
    )
    assert len(cross_val_score(make(cls), X, y, cv=3)) == 3
    search = GridSearchCV(make(cls), {"conv__filters": [2, 3]}, cv=2).fit(X, y)
    assert search.predict(X).shape == y.shape


def test_set_weights_starts_from_them():
    X = maps()
    model = make(SequentialRegressor, max_iter=1).initialize(X, X)
    model.set_weights({"output/bias": [2.0]}).fit(X, X)
    assert model.get_weights()["output/bias"][0] > 1.5
