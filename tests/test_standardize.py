"""Standardize: statistics of the training set, read block by block."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from skconvnet import SequentialClassifier
from skconvnet.layers import Conv2D, GlobalAvgPool, Parallel, Standardize

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:700], y[:700]


def model(layers, **params):
    return SequentialClassifier(layers, max_iter=1, random_state=0, **params)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_per_pixel_is_scikit_learns_scaler(digits, solver):
    X, y = digits
    fitted = model([("scale", Standardize("pixel"))], solver=solver).fit(X, y)
    expected = StandardScaler().fit_transform(X)
    scaled = fitted.activations(X, "scale")
    np.testing.assert_allclose(scaled, expected, rtol=1e-9, atol=1e-12)
    mean = fitted.get_weights()["scale/mean"]
    np.testing.assert_allclose(mean, X.mean(axis=0), rtol=1e-12)


def test_per_channel_over_images_of_bytes():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 255, size=(600, 5, 4, 3)).astype("uint8")
    X[..., 1] = 7
    layers = [("scale", Standardize()), ("conv", Conv2D(2, 3))]
    fitted = model(layers).fit(X, np.arange(600) % 2)
    channels = X.reshape(-1, 3).astype(float)
    deviation = channels.std(axis=0)
    deviation[1] = 1
    kept = fitted.get_weights()
    np.testing.assert_allclose(kept["scale/mean"], channels.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(kept["scale/deviation"], deviation, rtol=1e-6)
    out = fitted.activations(X, "scale")
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out[..., 1], 0)


def test_validation_samples_do_not_count(digits):
    X, y = digits
    layers = [("scale", Standardize("pixel"))]
    held_out = model(layers, early_stopping=True).fit(X, y)
    assert not np.allclose(held_out.get_weights()["scale/mean"], X.mean(axis=0))
    shifted = model(layers).fit(X, y, X_val=X + 100, y_val=y)
    np.testing.assert_allclose(shifted.get_weights()["scale/mean"], X.mean(axis=0))


def test_later_calls_keep_the_statistics(digits):
    X, y = digits
    fitted = model([("scale", Standardize())]).partial_fit(X, y, classes=range(10))
    before = fitted.get_weights()["scale/mean"]
    fitted.partial_fit(X + 5, y)
    np.testing.assert_array_equal(fitted.get_weights()["scale/mean"], before)
    fitted.set_params(warm_start=True).fit(X + 5, y)
    np.testing.assert_array_equal(fitted.get_weights()["scale/mean"], before)
    fitted.set_params(warm_start=False).fit(X + 5, y)
    np.testing.assert_allclose(fitted.get_weights()["scale/mean"], before + 5)


def test_after_other_layers_and_for_images_of_different_sizes():
    rng = np.random.default_rng(0)
    X = [rng.normal(3, 2, size=(n, 5, 2)) for n in (4, 6, 4, 5)]
    layers = [("conv", Conv2D(3, 1)), ("scale", Standardize()), GlobalAvgPool()]
    fitted = model(layers).initialize(X, [0, 1, 0, 1])
    weights = fitted.get_weights()
    kernel = weights["conv/kernel"].reshape(3, 2)
    z = np.concatenate([x.reshape(-1, 2) @ kernel.T for x in X]) + weights["conv/bias"]
    np.testing.assert_allclose(weights["scale/mean"], z.mean(axis=0))
    np.testing.assert_allclose(weights["scale/deviation"], z.std(axis=0))


def test_samples_count_by_their_weights(digits):
    X, y = digits
    rng = np.random.default_rng(0)
    times = rng.integers(0, 3, size=len(X))
    for per in ("pixel", "channel"):
        layers = [("scale", Standardize(per)), ("conv", Conv2D(2, 3))]
        weighted = model(layers).fit(X, y, times).get_weights()
        repeated = model(layers).fit(np.repeat(X, times, 0), np.repeat(y, times))
        for name in ("scale/mean", "scale/deviation"):
            np.testing.assert_allclose(
                weighted[name], repeated.get_weights()[name], rtol=1e-9, atol=1e-12
            )


def test_errors():
    with pytest.raises(
        ValueError, match="per must be one of 'channel', 'pixel'; got 'x'"
    ):
        Standardize("x").build((3,))
    with pytest.raises(ValueError, match="network's own list"):
        Parallel([("a", Standardize())]).build((3,))
    maps = [np.zeros((4, 4, 1)), np.zeros((5, 4, 1))]
    ragged = model([("scale", Standardize("pixel")), Conv2D(2, 1), GlobalAvgPool()])
    with pytest.raises(ValueError, match="'scale/mean' would have shape"):
        ragged.fit(maps, [0, 1])
