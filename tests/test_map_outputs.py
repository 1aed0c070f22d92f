"""Targets at each position: images, series and volumes out of a network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from map_tools import labels, layers_for, make, maps
from scipy.special import log_softmax
from sklearn.metrics import accuracy_score, r2_score

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.layers import (
    Conv2D,
    Flatten,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


# Shapes of predictions


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("channels", [1, 2])
def test_regression_returns_the_shape_of_y(ndim, channels):
    X = maps(ndim=ndim)
    y = np.concatenate([X**2, -X], axis=-1)[..., :channels]
    reg = make(SequentialRegressor, layers_for(ndim)).fit(X, y)
    assert reg.predict(X).shape == y.shape
    assert reg.n_outputs_ == channels
    kernel = reg.get_weights()["output/kernel"]
    assert kernel.shape == (channels, 4, *(1,) * ndim)
    expected = r2_score(y.reshape(-1, channels), reg.predict(X).reshape(-1, channels))
    assert reg.score(X, y) == pytest.approx(expected)
    if channels == 1 and ndim > 1:  # for a series, (n, length) is a flat y
        plain = make(SequentialRegressor, layers_for(ndim)).fit(X, y[..., 0])
        np.testing.assert_array_equal(plain.predict(X), reg.predict(X)[..., 0])


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("names", [[0, 1], [-1, 5, 7], ["cell", "dirt", "edge"]])
def test_segmentation_returns_labels_per_position(ndim, names):
    X = maps(ndim=ndim)
    y = np.array(names)[labels(X, len(names))]
    y = y[..., np.newaxis] if ndim == 1 else y
    clf = make(SequentialClassifier, layers_for(ndim)).fit(X, y)
    positions = y.shape[: ndim + 1]
    assert clf.classes_.tolist() == sorted(names)
    predicted = clf.predict(X)
    assert predicted.shape == y.shape
    assert predicted.dtype == y.dtype
    probabilities = clf.predict_proba(X)
    assert probabilities.shape == (*positions, len(names))
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1)
    np.testing.assert_allclose(np.exp(clf.predict_log_proba(X)), probabilities)
    scores = clf.decision_function(X)
    if len(names) == 2:
        assert scores.shape == positions
        np.testing.assert_array_equal(
            predicted.reshape(positions) == names[1], scores > 0
        )
    else:
        assert scores.shape == (*positions, len(names))
        chosen = clf.classes_[scores.argmax(axis=-1)]
        np.testing.assert_array_equal(predicted.reshape(positions), chosen)
    assert clf.score(X, y) == np.mean(predicted == y)


def test_several_labels_per_position():
    X = maps()
    y = np.concatenate([X > 0, X > 0.5], axis=-1).astype(int)
    clf = make(SequentialClassifier, max_iter=30).fit(X, y)
    assert clf.predict(X).shape == y.shape
    assert clf.predict_proba(X).shape == y.shape
    assert clf.score(X, y) == np.mean((clf.predict(X) == y).all(axis=-1))
    with pytest.raises(ValueError, match=r"y has 2 values per position.*one label"):
        make(SequentialClassifier).fit(X, 2 * y + X.astype(int))


# Numbers


def test_maps_of_one_position_are_the_flat_network():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 1, 1, 3))
    for cls, y in (
        (SequentialRegressor, rng.normal(size=(40, 2))),
        (SequentialClassifier, rng.integers(3, size=40)),
        (SequentialClassifier, rng.integers(2, size=40)),
    ):
        weights = rng.integers(1, 4, size=40).astype(float)
        hidden = ("conv", Conv2D(4, 1, activation="tanh"))
        flat = make(cls, [hidden, Flatten()]).fit(X, y, sample_weight=weights)
        own = y.reshape(40, 1, 1, *y.shape[1:])
        own_maps = make(cls, [hidden]).fit(X, own, sample_weight=weights)
        np.testing.assert_allclose(own_maps.loss_curve_, flat.loss_curve_, rtol=1e-12)
        for name, array in flat.get_weights().items():
            other = own_maps.get_weights()[name]
            if name == "output/kernel":
                other = other[:, :, 0, 0].T
            np.testing.assert_allclose(other, array, rtol=1e-9)
        name = "predict" if cls is SequentialRegressor else "predict_proba"
        np.testing.assert_allclose(
            getattr(own_maps, name)(X)[:, 0, 0], getattr(flat, name)(X), rtol=1e-9
        )


@settings(max_examples=20, deadline=None)
@given(
    ndim=st.integers(1, 3),
    n_classes=st.integers(2, 4),
    kind=st.sampled_from(["none", "samples", "positions"]),
    seed=st.integers(0, 1000),
)
def test_loss_is_the_weighted_mean_over_positions(ndim, n_classes, kind, seed):
    rng = np.random.default_rng(seed)
    X = maps(5, ndim, seed=seed)
    y = rng.integers(n_classes, size=X.shape[:-1])
    y.flat[:n_classes] = range(n_classes)
    own = y[..., np.newaxis] if ndim == 1 else y
    clf = make(SequentialClassifier, layers_for(ndim), alpha=0.0).initialize(X, own)
    weights = {
        "none": None,
        "samples": rng.uniform(0.1, 2, size=5),
        "positions": rng.uniform(0, 2, size=y.shape),
    }[kind]
    loss, gradients = clf.loss_gradients(X, own, weights)
    scores = clf.decision_function(X)
    if n_classes == 2:
        scores = np.stack([np.zeros_like(scores), scores], axis=-1)
    logs = np.take_along_axis(log_softmax(scores, axis=-1), y[..., np.newaxis], -1)
    flat = np.ones(y.shape)
    if weights is not None:
        flat = flat * weights.reshape(*weights.shape, *(1,) * (y.ndim - weights.ndim))
    assert loss == pytest.approx(-np.average(logs[..., 0], weights=flat), rel=1e-6)
    # The gradient follows the loss in a random direction.
    direction = {name: rng.normal(size=g.shape) for name, g in gradients.items()}
    values = []
    start = clf.get_weights()
    for step in (1e-5, -1e-5):
        clf.set_weights({k: w + step * direction[k] for k, w in start.items()})
        values.append(clf.loss_gradients(X, own, weights)[0])
    slope = sum(np.vdot(gradients[k], direction[k]) for k in gradients)
    assert (values[0] - values[1]) / 2e-5 == pytest.approx(slope, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("n_outputs", [1, 3])
def test_gradient_of_the_squared_error(n_outputs):
    X = maps(6)
    y = np.random.default_rng(1).normal(size=(*X.shape[:-1], n_outputs))
    reg = make(SequentialRegressor, alpha=0.0).initialize(X, y)
    loss, gradients = reg.loss_gradients(X, y)
    error = reg.predict(X) - y
    assert loss == pytest.approx((error**2).sum(axis=-1).mean() / 2)
    bias = error.reshape(-1, n_outputs).mean(axis=0)
    np.testing.assert_allclose(gradients["output/bias"], bias)
    kernel = np.einsum("nhwo,nhwc->oc", error, reg.activations(X, "conv"))
    kernel /= error[..., 0].size
    np.testing.assert_allclose(gradients["output/kernel"][:, :, 0, 0], kernel)


@pytest.mark.parametrize("weighted", ["classes", "positions", "ignored"])
def test_cross_entropy_as_in_torch(torch, weighted):
    rng = np.random.default_rng(0)
    X, n_classes = maps(7), 4
    y = rng.integers(n_classes, size=X.shape[:-1])
    layers = [("conv", Conv2D(5, 3, padding="same", activation="relu"))]
    by_class = [1.0, 0.5, 3.0, 2.0]
    params, weights, ignored = {}, None, np.zeros(y.shape, dtype=bool)
    if weighted == "classes":
        params["class_weight"] = dict(enumerate(by_class))
    elif weighted == "positions":
        weights = rng.uniform(size=y.shape)
    else:
        ignored = rng.random(y.shape) < 0.4
        weights = (~ignored).astype(float)
    clf = make(SequentialClassifier, layers, alpha=0.0, **params).initialize(X, y)
    loss, gradients = clf.loss_gradients(X, y, weights)

    arrays = {
        name: torch.tensor(array, requires_grad=True)
        for name, array in clf.get_weights().items()
    }
    x = torch.tensor(X.transpose(0, 3, 1, 2))
    functional = torch.nn.functional
    hidden = functional.conv2d(
        x, arrays["conv/kernel"], arrays["conv/bias"], padding="same"
    )
    scores = functional.conv2d(
        torch.relu(hidden), arrays["output/kernel"], arrays["output/bias"]
    )
    if weighted == "positions":
        losses = functional.cross_entropy(scores, torch.tensor(y), reduction="none")
        w = torch.tensor(weights)
        expected = (losses * w).sum() / w.sum()
    else:
        target = torch.tensor(np.where(ignored, -100, y))
        given = torch.tensor(by_class).double() if weighted == "classes" else None
        expected = functional.cross_entropy(
            scores, target, weight=given, ignore_index=-100
        )
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-10)
    for name, array in arrays.items():
        np.testing.assert_allclose(gradients[name], array.grad, rtol=1e-8, atol=1e-12)


def test_a_weight_of_a_sample_is_that_of_its_positions():
    X, rng = maps(), np.random.default_rng(0)
    y, per_sample = labels(X), rng.uniform(size=20)
    every = np.broadcast_to(per_sample[:, None, None], y.shape)
    first = make(SequentialClassifier).fit(X, y, sample_weight=per_sample)
    second = make(SequentialClassifier).fit(X, y, sample_weight=every)
    np.testing.assert_allclose(first.loss_curve_, second.loss_curve_, rtol=1e-9)
    scores = [first.score(X, y, sample_weight=w) for w in (per_sample, every)]
    assert scores[0] == pytest.approx(scores[1])
    predicted = first.predict(X)
    expected = accuracy_score(y.ravel(), predicted.ravel(), sample_weight=every.ravel())
    assert scores[0] == pytest.approx(expected)


def test_positions_of_no_weight_teach_nothing():
    X = maps()
    y = labels(X)
    weights = (np.random.default_rng(0).random(y.shape) < 0.5).astype(float)
    junk = np.where(weights > 0, y, 0)
    junk.flat[0] = 2
    fits = [
        make(SequentialClassifier).fit(X, own, sample_weight=weights)
        for own in (y, junk)
    ]
    np.testing.assert_array_equal(fits[0].network_.vector, fits[1].network_.vector)


def test_class_weight_is_per_position():
    X = maps()
    y = labels(X, 2)
    y[0, 0, 0] = 1
    counts = np.bincount(y.ravel())
    balanced = {i: y.size / (2 * n) for i, n in enumerate(counts)}
    first = make(SequentialClassifier, class_weight="balanced").fit(X, y)
    second = make(SequentialClassifier, class_weight=balanced).fit(X, y)
    by_hand = make(SequentialClassifier).fit(
        X, y, sample_weight=np.vectorize(balanced.get)(y)
    )
    for other in (second, by_hand):
        np.testing.assert_allclose(first.loss_curve_, other.loss_curve_, rtol=1e-9)
