"""Global and pyramid pooling against plain loops and PyTorch."""

from itertools import product
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with

from skconvnet import SequentialClassifier
from skconvnet.layers import (
    Conv2D,
    Dense,
    GlobalAvgPool,
    GlobalMaxPool,
    SpatialPyramidPool,
)


def windows(spatial, n):
    """Return the positions of every window, row by row, as lists."""
    spans = [
        [range(floor(i * size / n), ceil((i + 1) * size / n)) for i in range(n)]
        for size in spatial
    ]
    return [list(product(*spans)) for spans in product(*spans)]


def pyramid(x, levels, pooling):
    """Features of (n, *spatial, channels), one window at a time."""
    features = []
    for n in levels:
        for positions in windows(x.shape[1:-1], n):
            values = np.stack([x[(slice(None), *position)] for position in positions])
            features.append(
                values.max(axis=0) if pooling == "max" else values.mean(axis=0)
            )
    return np.concatenate(features, axis=-1)


def pyramid_gradient(x, dy, levels, pooling):
    dx = np.zeros_like(x)
    parts = iter(np.split(dy, dy.shape[1] // x.shape[-1], axis=1))
    for n in levels:
        for positions in windows(x.shape[1:-1], n):
            values = np.stack([x[(slice(None), *position)] for position in positions])
            gradient, winner = next(parts), values.argmax(axis=0)
            for number, position in enumerate(positions):
                share = (
                    np.where(winner == number, gradient, 0)
                    if pooling == "max"
                    else gradient / len(positions)
                )
                dx[(slice(None), *position)] += share
    return dx


def assert_pools(spec, x, levels, pooling):
    compare_with(
        lambda x: pyramid(x, levels, pooling),
        Bench(spec, x.shape[1:]),
        x,
        lambda x, dy: [pyramid_gradient(x, dy, levels, pooling)],
        rtol=1e-12,
        atol=1e-15,
    )


def draw(shape, ties=False):
    rng = np.random.default_rng(0)
    return rng.integers(-2, 2, shape).astype(float) if ties else rng.normal(size=shape)


@settings(max_examples=80, deadline=None)
@given(
    spatial=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    levels=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    pooling=st.sampled_from(["max", "avg"]),
    ties=st.booleans(),
    batch=st.integers(1, 3),
    channels=st.integers(1, 3),
)
def test_pyramid_equals_plain_loops(spatial, levels, pooling, ties, batch, channels):
    x = draw((batch, *spatial, channels), ties)
    assert_pools(SpatialPyramidPool(levels, pooling), x, levels, pooling)


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("spatial", [(6,), (5, 7), (1, 1), (3, 4, 2)], ids=str)
def test_global_pools_are_a_pyramid_of_one_window(spatial, ties):
    x = draw((3, *spatial, 2), ties)
    assert_pools(GlobalMaxPool(), x, [1], "max")
    assert_pools(GlobalAvgPool(), x, [1], "avg")


@pytest.mark.parametrize("spatial", [(13, 13), (10, 7), (3, 2), (224, 1)], ids=str)
def test_number_of_features_does_not_depend_on_the_size(spatial):
    layer = SpatialPyramidPool((1, 2, 4)).build((*spatial, 256))
    assert layer.out_shape == (21 * 256,)


@pytest.mark.parametrize(
    "pool", [GlobalMaxPool(), GlobalAvgPool(), SpatialPyramidPool((1, 3))], ids=str
)
def test_weights_fit_images_of_another_size(pool):
    layers = [Conv2D(5, 3), pool, Dense(6, "relu")]
    y = np.arange(8) % 2
    large, small = draw((8, 12, 11, 2)), draw((8, 7, 9, 2))
    net = SequentialClassifier(layers, random_state=0).initialize(large, y)
    other = SequentialClassifier(layers, random_state=1).initialize(small, y)
    other.set_weights(net.get_weights())
    assert other.predict(small).shape == (8,)
    for name, values in net.get_weights().items():
        np.testing.assert_array_equal(other.get_weights()[name], values)


@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_no_row_or_column_is_left_out(pooling):
    """Every position counts: a greater value there raises a feature at each level."""
    spec, n_positions = SpatialPyramidPool((1, 2, 3, 4), pooling), 7 * 5
    bench = Bench(spec, (7, 5, 1))
    x = np.zeros((n_positions, 7, 5, 1))
    x.reshape(n_positions, n_positions)[np.diag_indices(n_positions)] = 1
    y = bench.forward(x)
    for level in np.split(y, np.cumsum([1, 4, 9]), axis=1):
        assert (level.max(axis=1) > 0).all()


@pytest.mark.parametrize("levels", [(1, 2, 4), (3,), (6, 1), (9,)], ids=str)
@pytest.mark.parametrize("spatial", [(8,), (8, 8), (7, 10), (5, 3, 6)], ids=str)
@pytest.mark.parametrize("pooling", ["max", "avg"])
def test_equals_torch(torch, pooling, spatial, levels):
    name = f"adaptive_{pooling}_pool{len(spatial)}d"
    pool = getattr(torch.nn.functional, name)
    x = draw((2, *spatial, 3), ties=True)
    theirs = torch.tensor(np.moveaxis(x, -1, 1), requires_grad=True)
    maps = [pool(theirs, n).movedim(1, -1).flatten(1) for n in levels]
    expected = torch.cat(maps, 1)
    dy = np.random.default_rng(1).normal(size=expected.shape)
    expected.backward(torch.tensor(dy))
    bench = Bench(SpatialPyramidPool(levels, pooling), x.shape[1:])
    y = bench.forward(x)
    dx, _, _ = bench.backward(dy)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    expected_dx = np.moveaxis(theirs.grad.numpy(), 1, -1)
    np.testing.assert_allclose(dx, expected_dx, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("pool", [GlobalMaxPool(), GlobalAvgPool()], ids=str)
def test_learns_whether_a_mark_is_anywhere_on_the_image(pool):
    rng = np.random.default_rng(0)
    X = rng.normal(scale=0.1, size=(200, 9, 8, 1))
    y = np.arange(200) % 2
    for i in np.flatnonzero(y):
        row, column = rng.integers(0, 8), rng.integers(0, 7)
        X[i, row : row + 2, column : column + 2, 0] += 3
    net = SequentialClassifier(
        layers=[Conv2D(8, 2, activation="relu"), pool, Dense(8, "relu")],
        learning_rate_init=0.03,
        batch_size=25,
        max_iter=60,
        tol=0,
        n_iter_no_change=100,
        random_state=0,
    )
    with pytest.warns(match="Maximum iterations"):
        net.fit(X[:150], y[:150])
    assert net.score(X[150:], y[150:]) > 0.95


@pytest.mark.parametrize(
    "spec", [GlobalMaxPool(), GlobalAvgPool(), SpatialPyramidPool()], ids=str
)
def test_flat_input_is_refused(spec):
    with pytest.raises(ValueError, match=rf"{type(spec).__name__}.*\(12,\).*Flatten"):
        spec.build((12,))


@pytest.mark.parametrize(
    ("levels", "error", "words"),
    [
        ((), ValueError, r"levels.*at least one.*\(\)"),
        ((1, 0), ValueError, r"levels.*at least 1.*0"),
        ((1, -2), ValueError, r"levels.*at least 1.*-2"),
        (0, ValueError, r"levels.*at least 1.*0"),
        ((1, 2.0), TypeError, r"levels.*int.*2\.0"),
        ((True,), TypeError, r"levels.*int.*True"),
        ("124", TypeError, r"levels.*\(1, 2, 4\).*'124'"),
        (None, TypeError, r"levels.*\(1, 2, 4\).*None"),
        (2.5, TypeError, r"levels.*\(1, 2, 4\).*2\.5"),
    ],
)
def test_bad_levels(levels, error, words):
    with pytest.raises(error, match=words):
        SpatialPyramidPool(levels).build((8, 8, 2))


@pytest.mark.parametrize("value", ["mean", "Max", None, 1, ("max",)])
def test_bad_pooling(value):
    with pytest.raises(ValueError, match=r"pooling must be one of 'max', 'avg'; got"):
        SpatialPyramidPool(pooling=value).build((8, 8, 2))
