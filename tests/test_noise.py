"""GaussianNoise, SpatialDropout and StochasticDepth: what they draw, and when."""

import numpy as np
import pytest
from layer_tools import Bench
from scipy import stats

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    Dense,
    Flatten,
    GaussianNoise,
    Residual,
    SpatialDropout,
    StochasticDepth,
)
from skconvnet.ops.random_normal import fill_normal
from skconvnet.ops.workspace import Workspace


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(20_001,), (20, 1000), (5, 40, 99)], ids=str)
def test_normal_numbers_are_normal(shape, dtype):
    out = np.full(shape, np.nan, dtype)
    fill_normal(np.random.default_rng(3), 2.5, out, Workspace())
    values = out.ravel()
    assert stats.kstest(values / 2.5, "norm").pvalue > 0.01
    # Neighbors, and the two made from the same pair, do not depend on each other.
    half = -(-values.size // 2)
    for other in (1, half):
        correlation, _ = stats.spearmanr(values[:-other], values[other:])
        assert abs(correlation) < 4 / np.sqrt(values.size - other)
    # Nor do their sizes.
    correlation, _ = stats.spearmanr(np.abs(values[:-half]), np.abs(values[half:]))
    assert abs(correlation) < 4 / np.sqrt(half)


@pytest.mark.parametrize("in_shape", [(6,), (5, 4), (4, 3, 5)], ids=str)
def test_noise_has_its_standard_deviation(in_shape):
    bench = Bench(GaussianNoise(0.3), in_shape)
    x = np.random.default_rng(0).normal(size=(2000, *in_shape))
    noise = bench.forward(x, train=True, seed=1) - x
    assert abs(noise.std() - 0.3) < 0.01
    assert abs(noise.mean()) < 0.01
    dy = np.random.default_rng(2).normal(size=x.shape)
    dx, _, _ = bench.backward(dy.copy())
    np.testing.assert_array_equal(dx, dy)


@pytest.mark.parametrize(
    "spec", [GaussianNoise(0.5), SpatialDropout(0.5), StochasticDepth(0.5)], ids=str
)
def test_nothing_is_random_at_prediction(spec):
    bench = Bench(spec, (4, 3, 2))
    x = np.random.default_rng(0).normal(size=(20, 4, 3, 2))
    np.testing.assert_array_equal(bench.forward(x), x)
    assert bench.layer.is_random
    other = bench.forward(x, train=True, seed=1)
    assert (bench.forward(x, train=True, seed=2) != other).any()
    np.testing.assert_array_equal(bench.forward(x, train=True, seed=1), other)


@pytest.mark.parametrize(
    "spec", [GaussianNoise(0), SpatialDropout(0), StochasticDepth(0)], ids=str
)
def test_a_rate_of_0_is_not_random(spec):
    bench = Bench(spec, (4, 3))
    assert not bench.layer.is_random
    x = np.random.default_rng(0).normal(size=(3, 4, 3))
    np.testing.assert_array_equal(bench.forward(x, train=True), x)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("spatial", [(), (5,), (3, 4), (2, 3, 2)], ids=str)
def test_whole_channels_are_dropped(spatial, rate):
    bench = Bench(SpatialDropout(rate), (*spatial, 20))
    x = np.random.default_rng(0).normal(size=(100, *spatial, 20))
    y = bench.forward(x, train=True, seed=3)
    kept = (y != 0).reshape(100, -1, 20)
    assert (kept.all(axis=1) | ~kept.any(axis=1)).all()
    share = kept.any(axis=1).mean()
    assert abs(share - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / 2000)
    np.testing.assert_allclose(y[y != 0], (x / (1 - rate))[y != 0], rtol=1e-12)
    dy = np.random.default_rng(2).normal(size=y.shape)
    dx, _, _ = bench.backward(dy.copy())
    np.testing.assert_allclose(dx, np.where(y != 0, dy / (1 - rate), 0), rtol=1e-12)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
@pytest.mark.parametrize("in_shape", [(6,), (5, 2), (3, 4, 2), (2, 3, 2, 2)], ids=str)
def test_whole_samples_are_dropped(in_shape, rate):
    bench = Bench(StochasticDepth(rate), in_shape)
    x = np.random.default_rng(0).normal(size=(2000, *in_shape))
    y = bench.forward(x, train=True, seed=3)
    kept = (y != 0).reshape(len(x), -1)
    assert (kept.all(axis=1) | ~kept.any(axis=1)).all()
    kept = kept[:, 0]
    assert abs(kept.mean() - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / len(x))
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=1e-12)
    dy = np.random.default_rng(2).normal(size=y.shape)
    dx, _, _ = bench.backward(dy.copy())
    np.testing.assert_allclose(dx[kept], dy[kept] / (1 - rate), rtol=1e-12)
    assert not dx[~kept].any()


def test_a_residual_leaves_dropped_samples_the_shortcut_alone():
    rate = 0.4
    layers = [("conv", Conv2D(2, 3, padding="same", activation="tanh"))]
    bench = Bench(Residual([*layers, StochasticDepth(rate)]), (4, 5, 2))
    plain = Bench(Residual(layers), (4, 5, 2))
    plain.network.vector[:] = bench.network.vector
    x = np.random.default_rng(0).normal(size=(40, 4, 5, 2))
    branch = plain.forward(x) - x
    np.testing.assert_array_equal(bench.forward(x), plain.forward(x))
    y = bench.forward(x, train=True, seed=1)
    kept = (y != x).any(axis=(1, 2, 3))
    assert 0 < kept.sum() < len(x)
    np.testing.assert_allclose(y, x + branch * (kept / (1 - rate))[:, None, None, None])
    # The weights learn from the other samples alone.
    dy = np.random.default_rng(2).normal(size=y.shape)
    dx, _, gradient = bench.backward(dy.copy())
    np.testing.assert_array_equal(dx[~kept], dy[~kept])
    plain.forward(x[kept], train=True)
    _, _, expected = plain.backward(dy[kept] / (1 - rate))
    np.testing.assert_allclose(gradient, expected, rtol=1e-9)


@pytest.mark.parametrize("norm", [[], [BatchNorm()]], ids=["plain", "batch_norm"])
def test_depth_repeats_with_any_number_of_threads(norm):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 8, 8, 16)), np.arange(90) % 2
    block = Residual([Conv2D(16, 3, padding="same"), *norm, StochasticDepth(0.5)])
    vectors = set()
    for n_jobs in (1, 2, 3):
        net = SequentialClassifier(
            [block, Activation("relu"), block, Flatten()],
            max_iter=2,
            random_state=0,
            n_jobs=n_jobs,
            batch_size=64,
        )
        with pytest.warns(match="Maximum iterations"):
            net.fit(X, y)
        vectors.add(net.network_.state.tobytes())
    assert len(vectors) == 1


@pytest.mark.parametrize(
    "spec", [GaussianNoise(0.2), SpatialDropout(0.2), StochasticDepth(0.2)], ids=str
)
def test_training_repeats_with_any_number_of_threads(spec):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 4, 4, 3)), np.arange(90) % 2
    weights = []
    for n_jobs in (1, 2):
        net = SequentialClassifier(
            [spec, Flatten(), Dense(4)],
            max_iter=2,
            random_state=0,
            n_jobs=n_jobs,
            batch_size=64,
        )
        with pytest.warns(match="Maximum iterations"):
            net.fit(X, y)
        weights.append(net.get_weights())
    for name, values in weights[0].items():
        np.testing.assert_array_equal(values, weights[1][name])


@pytest.mark.parametrize("value", [-0.1, np.nan, np.inf, "0.1", None, True])
def test_bad_stddev(value):
    with pytest.raises((TypeError, ValueError), match=r"stddev must be .* at least 0;"):
        GaussianNoise(value).build((4,))


@pytest.mark.parametrize("value", [1, 1.5, -0.1, np.nan, np.inf, "0.5", None, True])
def test_bad_rate(value):
    for spec in (SpatialDropout(value), StochasticDepth(value)):
        with pytest.raises((TypeError, ValueError), match=r"rate must be .* \[0, 1\);"):
            spec.build((4, 2))
