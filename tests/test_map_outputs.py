"""Targets at each position: images, series and volumes out of a network."""

import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score, f1_score, r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score

from skconvnet import SequentialClassifier, SequentialRegressor
from skconvnet.augmentation import Brightness, Flip, Mixup, Rotation, Shift
from skconvnet.layers import (
    AvgPool2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    Parallel,
    Upsample,
)

CONVOLUTIONS = {1: Conv1D, 2: Conv2D, 3: Conv3D}
SIZES = {1: (9,), 2: (6, 5), 3: (4, 3, 5)}

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def layers_for(ndim, filters=4):
    conv = CONVOLUTIONS[ndim](filters, 3, padding="same", activation="tanh")
    return [("conv", conv)]


def make(cls, layers=None, **params):
    params = {
        "max_iter": 3,
        "batch_size": 4,
        "random_state": 0,
        "dtype": "float64",
        "learning_rate_init": 0.01,
        **params,
    }
    return cls(layers_for(2) if layers is None else layers, **params)


def maps(n=20, ndim=2, channels=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *SIZES[ndim], channels))


def labels(X, n_classes=3):
    bounds = np.linspace(-0.5, 0.5, n_classes - 1) if n_classes > 2 else [0.0]
    return np.digitize(X[..., 0], bounds)


def ragged(n=12, seed=0):
    rng = np.random.default_rng(seed)
    sizes = [(6, 5), (4, 7), (6, 5), (8, 8)]
    return [rng.normal(size=(*sizes[i % 4], 1)) for i in range(n)]


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


# Training


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


# Sizes


@pytest.mark.parametrize("cls", [SequentialClassifier, SequentialRegressor])
def test_samples_of_different_sizes(cls):
    X = ragged()
    y = [labels(x) if cls is SequentialClassifier else x**2 for x in X]
    weights = [np.full(x.shape[:-1], 0.5) for x in X]
    model = make(cls, early_stopping=True).fit(X, y, sample_weight=weights)
    predicted = model.predict(X)
    assert [p.shape for p in predicted] == [own.shape for own in y]
    for i in (0, 1, 3):
        alone = model.predict(X[i][np.newaxis])
        np.testing.assert_allclose(alone[0], predicted[i], rtol=1e-12)
    flat = [np.concatenate([np.ravel(m) for m in maps]) for maps in (y, predicted)]
    metric = accuracy_score if cls is SequentialClassifier else r2_score
    assert model.score(X, y) == pytest.approx(metric(*flat))
    assert model.score(X, y, sample_weight=weights) == pytest.approx(metric(*flat))
    model.set_params(early_stopping=False).partial_fit(X, y)
    wrong = [*y[:-1], y[-1][:-1]]
    with pytest.raises(ValueError, match=r"y\[11\] has shape \(7, 8.*maps of 8x8"):
        model.fit(X, wrong)


def test_equal_samples_in_a_list_are_an_array():
    X = maps()
    y = labels(X)
    first = make(SequentialClassifier).fit(list(X), list(y))
    second = make(SequentialClassifier).fit(X, y)
    np.testing.assert_array_equal(first.network_.vector, second.network_.vector)


def test_a_sample_of_a_list_weighs_as_much_as_any_other():
    X = ragged()
    y = [x**2 for x in X]
    reg = make(SequentialRegressor, alpha=0.0).initialize(X, y)
    losses = [
        ((p - own) ** 2).mean() / 2 for p, own in zip(reg.predict(X), y, strict=True)
    ]
    assert reg.loss_gradients(X, y)[0] == pytest.approx(np.mean(losses))


def test_other_sizes_than_in_fit():
    X = maps()
    reg = make(SequentialRegressor).fit(X, X**2)
    larger = np.random.default_rng(1).normal(size=(4, 9, 10, 1))
    predicted = reg.predict(larger)
    assert predicted.shape == (4, 9, 10, 1)
    # Far from the edges, a position does not see the size.
    np.testing.assert_allclose(
        reg.predict(larger[:, :6, :5])[:, :4, :3], predicted[:, :4, :3]
    )
    assert reg.score(larger, larger**2) == pytest.approx(
        r2_score((larger**2).ravel(), predicted.ravel())
    )
    assert reg.loss_gradients(larger, larger)[0] > 0
    reg.partial_fit(larger, larger**2)
    with pytest.raises(ValueError, match="fitted on samples of shape"):
        reg.predict(np.zeros((4, 9, 10, 2)))


def test_rows_with_an_input_shape():
    X = maps()
    reg = make(SequentialRegressor, input_shape=(6, 5, 1)).fit(X.reshape(20, -1), X)
    np.testing.assert_array_equal(
        reg.predict(X.reshape(20, -1)), make(SequentialRegressor).fit(X, X).predict(X)
    )


# Augmentation


@pytest.mark.parametrize("augmentation", [Flip(vertical=True), Shift(2)])
def test_targets_move_with_their_samples(augmentation):
    X = maps(channels=1)
    moved, targets = augmentation.augment(X, 3 * X, random_state=0)
    assert not np.array_equal(moved, X)
    np.testing.assert_allclose(targets, 3 * moved)


def test_rotated_targets_are_those_of_rotated_samples():
    X = maps()
    moved, targets = Rotation(40).augment(X, 3 * X, random_state=0)
    has_target = targets != 0  # others come from outside, and weigh nothing
    # Positions at the edge are a mean of fewer pixels.
    inside = has_target[:, 2:-2, 2:-2]
    np.testing.assert_allclose(
        targets[:, 2:-2, 2:-2][inside], 3 * moved[:, 2:-2, 2:-2][inside], rtol=1e-6
    )


@pytest.mark.parametrize(
    "augmentation", [Flip(), Shift(1), Rotation(20), Brightness(0.1), Mixup()]
)
@pytest.mark.parametrize("weighted", [False, True])
def test_training_with_augmentation(augmentation, weighted):
    X = maps(40)
    y = labels(X)
    weights = np.random.default_rng(0).uniform(size=y.shape) if weighted else None
    for own in (y, labels(X, 2)):
        clf = make(SequentialClassifier, augmentation=augmentation, max_iter=40)
        assert clf.fit(X, own, sample_weight=weights).score(X, own) > 0.6
    reg = make(SequentialRegressor, augmentation=augmentation, max_iter=40)
    assert reg.fit(X, X, sample_weight=weights).score(X, X) > 0.6


def test_augmentation_that_cannot_move_targets():
    X = maps()
    pooled = [Conv2D(3, 3, padding="same"), AvgPool2D((2, 1))]
    reg = make(SequentialRegressor, pooled, augmentation=Flip())
    with pytest.raises(ValueError, match=r"moves the pixels.*6x5.*of 3x5"):
        reg.fit(X, X[:, ::2])
    clf = make(SequentialClassifier, augmentation=Rotation(9), loss="hinge")
    with pytest.raises(ValueError, match=r"loss='hinge'.*interpolates the labels"):
        clf.fit(X, labels(X))


# Errors

SAME = Conv2D(3, 3, padding="same")


@pytest.mark.parametrize(
    ("layers", "shape", "message"),
    [
        (
            [SAME, MaxPool2D((2, 1))],
            (6, 5),
            r"y has shape \(n, 6, 5\).*'maxpool2d'.*3x5: add Upsample\(\(2, 1\)\)",
        ),
        ([SAME, Upsample(2)], (6, 5), "gives maps of 12x10: leave out an Upsample"),
        ([Conv2D(3, 3)], (6, 5), "gives maps of 4x3: set padding='same'"),
        ([SAME], (6, 5, 1, 1), "A target at each position has 2 axes per sample, or 3"),
        ([SAME, Flatten()], (6, 5), "gives 90 flat features. For a target at each"),
        ([SAME, Flatten(), Dense(4)], (6, 5), "gives 4 flat features"),
        ([SAME], (6, 0), "every axis of a target"),
    ],
)
def test_y_of_another_shape(layers, shape, message):
    X = maps()
    reg = make(SequentialRegressor, layers)
    with pytest.raises(ValueError, match=message):
        reg.fit(X, np.zeros((20, *shape)))
    assert not hasattr(reg, "network_")


def test_values_of_y_that_are_wrong():
    X = maps()
    y = X.copy()
    y[1, 2, 3] = np.nan
    with pytest.raises(ValueError, match=r"y has missing values: y\[1, 2, 3, 0\]"):
        make(SequentialRegressor).fit(X, y)
    y[1, 2, 3] = np.inf
    with pytest.raises(ValueError, match="y contains infinity"):
        make(SequentialRegressor).fit(X, y)
    y[1, 2, 3] = 1e300
    with pytest.raises(ValueError, match=r"y\[1, 2, 3, 0\] is 1e\+300.*too large"):
        make(SequentialRegressor, dtype="float32").fit(X, y)
    with pytest.raises(ValueError, match="y must consist of numbers"):
        make(SequentialRegressor).fit(X, np.full(X.shape, "a"))
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        make(SequentialClassifier).fit(X, X)
    with pytest.raises(ValueError, match="y has only one class"):
        make(SequentialClassifier).fit(X, np.ones(X.shape))
    with pytest.raises(ValueError, match="requires y >= 0"):
        make(SequentialRegressor, loss="poisson").fit(X, X)
    with pytest.raises(ValueError, match=r"\[20, 19\]: X has 20 samples and y has 19"):
        make(SequentialRegressor).fit(X, X[:-1])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((20, 6)), r"sample_weight has shape \(20, 6\), but y has targets for"),
        (np.ones((20, 6, 5, 1)), "sample_weight has shape"),
        (np.ones((19, 6, 5)), "sample_weight has 19 maps of weights"),
        (-np.ones((20, 6, 5)), "finite numbers of at least 0; it contains -1.0"),
        (np.full((20, 6, 5), np.nan), "it contains nan"),
        (np.zeros((20, 6, 5)), "at least one position with a weight above 0"),
        (np.full((20, 6, 5), "a"), "sample_weight must be arrays of numbers"),
    ],
)
def test_weights_of_positions_that_are_wrong(weights, message):
    X = maps()
    reg = make(SequentialRegressor).fit(X, X)
    before = reg.network_.vector.copy()
    with pytest.raises(ValueError, match=message):
        reg.fit(X, X, sample_weight=weights)
    np.testing.assert_array_equal(reg.network_.vector, before)


def test_score_with_a_y_of_another_shape():
    X = maps()
    reg = make(SequentialRegressor).fit(X, X)
    with pytest.raises(ValueError, match="fitted on targets with 2 spatial axes"):
        reg.score(X, X[..., 0])
    with pytest.raises(ValueError, match=r"y has \(5, 5, 1\) where predict returns"):
        reg.score(X, X[:, :-1])


def test_targets_far_from_the_outputs_are_told():
    X = maps()
    with pytest.warns(UserWarning, match=r"far above.*scale y, .* as \(y - y.mean"):
        make(SequentialRegressor).fit(X, 1000 + X)
    with pytest.warns(ConvergenceWarning, match="has learned nothing in 6 epochs"):
        make(SequentialRegressor, alpha=1e6, max_iter=6).fit(X, X)


def test_series_of_different_lengths():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in (7, 9, 7, 12) * 5]
    y = [np.where(x[:, 0] > 0, "up", "down") for x in X]
    clf = make(SequentialClassifier, layers_for(1), max_iter=40).fit(X, y)
    assert [p.shape for p in clf.predict(X)] == [own.shape for own in y]
    assert clf.score(X, y) > 0.95
    assert clf.score(np.stack(X[::4]), np.stack(y[::4])) > 0.9


def test_a_second_output_layer_is_told():
    X = maps()
    layers = [*layers_for(2), ("scores", Conv2D(3, 1))]
    with pytest.warns(UserWarning, match="'scores' with filters=3, looks like an out"):
        make(SequentialClassifier, layers).fit(X, labels(X))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ConvergenceWarning)
        make(SequentialClassifier, layers).fit(X, labels(X, 4))
