"""Images of different sizes in one data set."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skconvnet import ConvNetClassifier, SequentialClassifier, SequentialRegressor
from skconvnet.engine.network import Network
from skconvnet.engine.ragged import MapList, RaggedInputs
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    SpatialPyramidPool,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

LAYERS = [
    ("conv", Conv2D(12, 3, padding="same", activation="relu")),
    ("pyramid", SpatialPyramidPool((1, 2))),
    ("dense", Dense(32, activation="relu")),
]


@pytest.fixture(scope="module")
def digits():
    """Return digits with padding of different widths, and their labels."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    pads = rng.integers(0, 2, size=(400, 2, 2))
    images = [
        np.pad(x.reshape(8, 8) / 16, pad) for x, pad in zip(X[:400], pads, strict=True)
    ]
    return images, y[:400]


def model(layers=LAYERS, **params):
    fixed = {"random_state": 0, "learning_rate_init": 0.01, "batch_size": 50}
    return SequentialClassifier(layers, **{**fixed, "max_iter": 15, **params})


def test_learns_and_predicts_in_the_order_of_the_samples(digits):
    X, y = digits
    fitted = model(max_iter=25).fit(X[:300], y[:300])
    assert fitted.score(X[300:], y[300:]) > 0.7
    proba = fitted.predict_proba(X[300:])
    for i in (0, 17, 99):
        alone = fitted.predict_proba([X[300 + i]])
        np.testing.assert_allclose(alone[0], proba[i], rtol=1e-9)
    array = np.empty(100, dtype=object)
    array[:] = X[300:]
    np.testing.assert_array_equal(fitted.predict_proba(array), proba)
    # A size that was not in training, as an array of images of one size.
    larger = np.pad(np.stack([x[:8, :8] for x in X[:5]]), ((0, 0), (3, 4), (2, 5)))
    assert fitted.predict(larger).shape == (5,)


def test_gradient_is_the_sum_over_single_images(digits):
    X, y = digits
    X, y = X[:30], y[:30]
    fitted = model(alpha=0.0).initialize(X, y)
    weight = np.arange(1.0, 31.0)
    loss, gradients = fitted.loss_gradients(X, y, weight)
    losses, sums = 0.0, dict.fromkeys(gradients, 0.0)
    for x, label, w in zip(X, y, weight, strict=True):
        one, own = fitted.loss_gradients([x], [label])
        losses += w * one / weight.sum()
        for name, gradient in own.items():
            sums[name] = sums[name] + w * gradient / weight.sum()
    assert loss == pytest.approx(losses, rel=1e-12)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, sums[name], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "layers",
    [
        LAYERS,
        [
            Conv2D(4, 3, padding="same"),
            BatchNorm(momentum=0.5),
            Activation("relu"),
            GlobalAvgPool(),
            Dropout(0.2),
        ],
    ],
    ids=["pyramid", "batch_norm"],
)
def test_same_bits_for_every_n_jobs(digits, layers):
    X, y = digits
    fits = [model(layers, n_jobs=n, max_iter=2).fit(X, y) for n in (1, 2, 3)]
    states = [fit.network_.state.tobytes() for fit in fits]
    assert states[0] == states[1] == states[2]


def test_batch_norm_takes_the_statistics_of_all_sizes(digits):
    X, y = digits
    X, y = X[:20], y[:20]
    layers = [("norm", BatchNorm(momentum=0.0)), Conv2D(1, 1), GlobalAvgPool()]
    fitted = model(layers, max_iter=1, batch_size=20).fit(X, y)
    pixels = np.concatenate([x.ravel() for x in X])
    kept = fitted.get_weights()
    np.testing.assert_allclose(kept["norm/moving_mean"], pixels.mean())
    np.testing.assert_allclose(kept["norm/moving_variance"], pixels.var(ddof=1))


def test_works_in_scikit_learn(digits):
    X, y = digits
    doubled = FunctionTransformer(lambda images: [2 * x for x in images])
    scores = cross_val_score(make_pipeline(doubled, model(max_iter=20)), X, y, cv=2)
    assert scores.min() > 0.4
    fitted = model(max_iter=3, early_stopping=True).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    fitted.set_params(scoring="f1_macro").fit(X, y)
    held_out = {"X_val": X[:20], "y_val": y[:20]}
    fitted.fit(X, y, **held_out).partial_fit(X[:50], y[:50], **held_out)
    assert not hasattr(fitted, "n_features_in_")
    stack = ConvNetClassifier(4, global_pooling="avg", max_iter=2).fit(X, y)
    assert stack.predict(X).shape == y.shape
    regressor = SequentialRegressor(LAYERS, solver="lbfgs", max_iter=3)
    assert regressor.fit(X, y.astype(float)).predict(X).shape == y.shape


def test_images_with_channels_and_other_dtypes():
    rng = np.random.default_rng(0)
    X = [
        rng.integers(0, 255, (n, m, 3)).astype("uint8")
        for n, m in [(5, 7), (6, 6), (5, 7), (9, 4)]
    ]
    y = [0, 1, 0, 1]
    with pytest.warns(UserWarning, match=r"far above 0\.693.*begin layers with Stan"):
        fitted = model(max_iter=1, batch_size=4).fit(X, y)
    assert fitted.network_.dtype == np.float32
    assert fitted.network_.in_shape == (9, 7, 3)
    assert fitted.activations(X, "dense").shape == (4, 32)


def test_networks_of_each_size_share_their_weights():
    network = Network(LAYERS, (8, 8, 1), "float32")
    other = network.for_shape((9, 5, 1))
    assert other.vector.base is network.state
    assert other.chain is not network.chain
    assert network.for_shape((9, 5, 1)) is other
    assert network.for_shape((8, 8, 1)) is network


@pytest.mark.parametrize("size", [(5, 8), (10, 9)])
def test_activations_of_one_size_that_training_did_not_end_with(digits, size):
    X, y = digits
    fitted = model(max_iter=1).initialize(X, y)
    x = np.random.default_rng(0).uniform(size=(*size, 1))
    name = next(iter(fitted.network_.layers))
    maps = fitted.activations([x], name)
    shape = fitted.network_.for_shape(x.shape).layers[name].out_shape
    assert maps.shape == (1, *shape)
    np.testing.assert_array_equal(fitted.activations(x[np.newaxis], name), maps)


def test_errors(digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"kernel'.*SpatialPyramidPool.*Flatten\(\)"):
        model([Conv2D(2, 3), Flatten(), Dense(3)]).fit(X, y)
    with pytest.raises(
        ValueError, match=r"input_shape=\(8, 8, 1\) requires samples of one shape"
    ):
        model(input_shape=(8, 8, 1)).fit(X, y)
    with pytest.raises(ValueError, match=r"1 spatial axes.*\(length, channels\)"):
        model([Conv1D(2, 3), GlobalAvgPool()]).fit([x[..., None] for x in X], y)
    with pytest.raises(ValueError, match="Dense needs flat input"):
        model([Dense(3)]).fit(X, y)
    with pytest.raises(ValueError, match="kernel_size"):
        model([Conv2D(2, 9), GlobalAvgPool()]).fit(X, y)
    spoilt = [*X[:3], X[3] * np.nan]
    with pytest.raises(ValueError, match="contains NaN"):
        model().fit(spoilt, y[:4])
    with pytest.raises(ValueError, match="same number of axes"):
        model().fit([X[0], X[1][..., None]], y[:2])
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model().fit(X, y[:-1])
    fitted = model(max_iter=1).fit(X, y)
    colors = [np.zeros((5, 5, 3)), np.zeros((6, 5, 3))]
    with pytest.raises(ValueError, match=r"\(5, 5, 3\).*3 channels instead of 1"):
        fitted.predict(colors)
    with pytest.raises(ValueError, match="samples of one size at a time"):
        fitted.activations(X, "conv")


def test_a_list_of_maps_is_indexed_like_an_array():
    maps = [np.full((n, 4 - n, 1), n) for n in (1, 2, 3)]
    given = MapList(maps)
    assert len(given) == 3
    assert given[1] is given[np.int64(1)] is given[1, ...] is maps[1]
    for index in (slice(1, 3), [1, 2], np.array([False, True, True])):
        assert given[index].maps == maps[1:]
        assert given[index, ...].maps == maps[1:]


def test_samples_of_one_size_are_read_together():
    inputs = RaggedInputs(MapList([np.ones((2, 3, 1))] * 2), (2, 3, 1), "float64")
    assert inputs.shapes == {(2, 3, 1)}
    assert inputs.shape_of(slice(0, 2)) == inputs.shape_of(np.array([1])) == (2, 3, 1)
