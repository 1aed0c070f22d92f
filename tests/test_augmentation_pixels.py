"""Where pixels go, by slow oracles: slices, numpy.rot90, and scipy.ndimage."""

import numpy as np
import pytest
from augmentation_tools import images, moved_by_hand, run
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import batch_first, batch_last
from scipy import ndimage

from skconvnet.augmentation import (
    Affine,
    Crop,
    Cutout,
    Elastic,
    Flip,
    Rotation,
    Scaling,
    Shear,
    Shift,
)
from skconvnet.augmentation.affine import inverse_affine, transformed
from skconvnet.augmentation.shift import shifted
from skconvnet.ops.resampling import bilinear, gather
from skconvnet.ops.workspace import Workspace

FILLS = ["constant", "nearest", "reflect"]
SCIPY_MODES = {"constant": "grid-constant", "nearest": "nearest", "reflect": "mirror"}


@given(
    st.data(),
    st.lists(st.integers(1, 6), min_size=1, max_size=3),
    st.integers(1, 4),
    st.integers(1, 3),
    st.sampled_from(["nearest", "reflect", 0.0, -2.5]),
)
@settings(max_examples=60, deadline=None)
def test_shifted_equals_slices_of_padded_samples(data, spatial, n, channels, fill):
    X = images(n, (*spatial, channels))
    pixels = [
        np.array(data.draw(st.lists(st.integers(-7, 7), min_size=n, max_size=n)))
        for _ in spatial
    ]
    y = batch_first(shifted(batch_last(X), pixels, fill, Workspace()))
    for i, sample in enumerate(X):
        expected = moved_by_hand(sample, [int(p[i]) for p in pixels], fill)
        np.testing.assert_array_equal(y[i], expected)


@pytest.mark.parametrize("shape", [(7, 2), (6, 5, 1), (3, 4, 5, 2)])
@pytest.mark.parametrize("kind", [Shift, Crop])
def test_reflect_up_to_the_largest_shift_equals_numpy_pad(kind, shape):
    X = images(1, shape).repeat(300, axis=0)
    most = tuple(n - 1 for n in shape[:-1])
    y, *_ = run(kind(most, fill="reflect"), X)
    padded = np.pad(X[0], [(m, m) for m in most] + [(0, 0)], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, shape)
    expected = {window.tobytes() for window in windows.reshape(-1, *shape)}
    seen = {np.ascontiguousarray(sample).tobytes() for sample in y}
    assert seen <= expected
    assert len(seen) > 0.5 * min(len(expected), len(X))


def test_shifted_equals_numpy_roll_where_nothing_comes_in():
    X = np.zeros((3, 9, 8, 2))
    X[:, 3:6, 3:5] = images(3, (3, 2, 2))
    pixels = [np.array([2, -3, 0]), np.array([-3, 1, 3])]
    y = batch_first(shifted(batch_last(X), pixels, 0.0, Workspace()))
    for i in range(3):
        rolled = np.roll(X[i], (pixels[0][i], pixels[1][i]), axis=(0, 1))
        np.testing.assert_array_equal(y[i], rolled)


@pytest.mark.parametrize("kind", [Shift, Crop])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(7, 2), (6, 5, 1), (3, 4, 5, 2)])
def test_every_shift_up_to_the_largest_is_drawn(kind, fill, shape):
    X = images(1, shape).repeat(400, axis=0)
    y, *_ = run(kind(1, fill=fill, fill_value=7.0), X)
    value = 7.0 if fill == "constant" else fill
    expected = {
        moved_by_hand(X[0], np.array(pixels) - 1, value).tobytes()
        for pixels in np.ndindex(*(3,) * (len(shape) - 1))
    }
    assert {np.ascontiguousarray(sample).tobytes() for sample in y} == expected


def test_shift_by_a_pair_and_by_a_fraction():
    X = images(300, (10, 20, 1))
    for case in (Shift((0, 2)), Shift(fraction=(0.09, 0.14))):
        assert case.build((10, 20, 1)).max_pixels == [0, 2]
    y, *_ = run(Shift((0, 2)), X)
    moves = [
        [p for p in range(-2, 3) if np.array_equal(moved_by_hand(a, [0, p], 0), b)]
        for a, b in zip(X, y, strict=True)
    ]
    assert {p[0] for p in moves} == {-2, -1, 0, 1, 2}
    assert all(map(len, moves))


@pytest.mark.parametrize("shape", [(7, 2), (6, 5, 1), (3, 4, 5, 2)])
def test_flip_reverses_axes(shape):
    X = images(200, shape)
    certain, *_ = run(Flip(probability=1.0), X)
    np.testing.assert_array_equal(certain, X[..., ::-1, :])
    if len(shape) > 2:
        upside, *_ = run(Flip(False, True, probability=1.0), X)
        np.testing.assert_array_equal(upside, X[..., ::-1, :, :])
        both, *_ = run(Flip(True, True, probability=1.0), X)
        np.testing.assert_array_equal(both, X[..., ::-1, ::-1, :])
    some, *_ = run(Flip(probability=0.3), X)
    kept = [np.array_equal(a, b) for a, b in zip(some, X, strict=True)]
    np.testing.assert_array_equal(some[kept], X[kept])
    turned = ~np.array(kept)
    np.testing.assert_array_equal(some[turned], X[turned][..., ::-1, :])
    assert 0.2 < turned.mean() < 0.4


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("turns", [-1, 1, 2, 3])
@pytest.mark.parametrize("side", [5, 6])
def test_quarter_turns_equal_rot90(turns, side, fill):
    X = images(3, (side, side, 2))
    y, *_ = run(Rotation((90 * turns, 90 * turns), fill=fill), X)
    expected = np.rot90(X, turns, axes=(1, 2))
    np.testing.assert_allclose(y, expected, rtol=0, atol=1e-13)


def test_half_a_turn_of_an_oblong_image():
    X = images(3, (6, 9, 1))
    y, *_ = run(Rotation((180, 180)), X)
    np.testing.assert_allclose(y, X[:, ::-1, ::-1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "case",
    [
        Rotation((0, 0)),
        Rotation(0),
        Scaling(0),
        Scaling((1, 1)),
        Shear(0),
        Affine(),
        Elastic(0),
        Shift(0),
        Shift(fraction=0),
        Crop(0),
        Cutout(0),
        Flip(False, False),
        Flip(probability=0),
    ],
    ids=repr,
)
def test_what_changes_nothing_is_left_out(case, dtype):
    assert case.build((6, 5, 2)) is None
    X = images().astype(dtype)
    assert case.augment(X).tobytes() == X.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fill", [0.0, "nearest", "reflect"])
def test_engines_at_the_identity_keep_every_bit(dtype, fill):
    x = batch_last(images(5, (6, 5, 2)).astype(dtype))
    still, one = np.zeros(5), np.ones(5)
    matrix = inverse_affine(still, one, still)
    y = transformed(x, matrix, np.zeros((2, 5)), fill, Workspace())
    assert y.dtype == x.dtype
    assert y.tobytes() == x.tobytes()
    zero = np.zeros(5, dtype=int)
    y = shifted(x, [zero, zero], fill, Workspace())
    assert y.dtype == x.dtype
    assert y.tobytes() == x.tobytes()


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 3),
    st.sampled_from(FILLS),
    st.floats(-3, 3),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_bilinear_equals_map_coordinates(height, width, channels, fill, value, seed):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(3, height, width, channels))
    points = rng.uniform(-3, 12, size=(2, height, width, 3))
    # Some of them at pixels and right at the border.
    points[:, rng.random(points.shape[1:]) < 0.2] = rng.integers(-2, 10)
    outside = value if fill == "constant" else fill
    y = batch_first(bilinear(batch_last(X), *points.copy(), outside, Workspace()))
    for i, sample in enumerate(X):
        for channel in range(channels):
            expected = ndimage.map_coordinates(
                sample[..., channel],
                points[..., i],
                order=1,
                mode=SCIPY_MODES[fill],
                cval=value,
            )
            np.testing.assert_allclose(y[i, ..., channel], expected, atol=1e-12)


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shape", [(6, 5, 2), (1, 8, 1), (9, 9, 1)])
def test_affine_equals_affine_transform(shape, fill):
    rng = np.random.default_rng(1)
    X = images(8, shape)
    angle, slant = rng.uniform(-1, 1, (2, 8))
    factor = rng.uniform(0.5, 2, 8)
    shift = rng.uniform(-2, 2, (2, 8))
    matrices = inverse_affine(angle, factor, slant)
    outside = 0.25 if fill == "constant" else fill
    y = batch_first(transformed(batch_last(X), matrices, shift, outside, Workspace()))
    center = (np.array(shape[:2]) - 1) / 2
    for i, sample in enumerate(X):
        # As the docstring says it, on (row, column): scaled, sheared, turned, moved.
        turn = np.array(
            [
                [np.cos(angle[i]), -np.sin(angle[i])],
                [np.sin(angle[i]), np.cos(angle[i])],
            ]
        )
        slanted = np.array([[1, 0], [-np.tan(slant[i]), 1]])
        inverse = np.linalg.inv(turn @ slanted * factor[i])
        for channel in range(shape[2]):
            expected = ndimage.affine_transform(
                sample[..., channel],
                inverse,
                offset=center - inverse @ (center + shift[:, i]),
                order=1,
                mode=SCIPY_MODES[fill],
                cval=0.25,
            )
            np.testing.assert_allclose(y[i, ..., channel], expected, atol=1e-12)


def test_the_single_ones_are_parts_of_affine():
    X = images(5, (8, 9, 2))
    for single, affine in [
        (Rotation((20, 20)), Affine(rotation=(20, 20))),
        (Scaling((1.3, 1.3), fill="nearest"), Affine(scaling=(1.3, 1.3))),
        (Shear((-15, -15), fill_value=2.0), Affine(shear=(-15, -15))),
    ]:
        affine.set_params(fill=single.fill, fill_value=single.fill_value)
        np.testing.assert_array_equal(run(single, X)[0], run(affine, X)[0])
    # Alone it is a shift of 2 and 3 pixels at most, to both sides.
    bump = np.zeros((2000, 9, 9, 1))
    bump[:, 4, 4] = 1
    y, *_ = run(Affine(shift=(2, 3)), bump)
    offset = np.arange(9) - 4
    down, right = y.sum((2, 3)) @ offset, y.sum((1, 3)) @ offset
    for distance, most in ((down, 2), (right, 3)):
        assert -most <= distance.min() < -0.9 * most
        assert 0.9 * most < distance.max() <= most


def test_directions_of_shear_and_scaling():
    X = np.zeros((1, 7, 7, 1))
    X[:, :, 3] = 1
    slanted = run(Shear((45, 45)), X)[0][0, ..., 0]
    np.testing.assert_allclose(slanted, np.fliplr(np.eye(7)), atol=1e-12)
    ramp = np.arange(7.0).reshape(1, 7, 1, 1).repeat(7, axis=2)
    grown = run(Scaling((2, 2)), ramp)[0]
    np.testing.assert_allclose(grown, 3 + (ramp - 3) / 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize(
    ("shape", "alpha", "sigma"),
    [
        ((28, 28, 1), 34, 4),
        ((9, 14, 2), 5, 1.3),
        ((1, 6, 1), 2, 0.0),
        ((3, 3, 1), 9, 8),
    ],
)
def test_elastic_equals_gaussian_filter_and_map_coordinates(
    shape, alpha, sigma, fill, dtype
):
    X = images(3, shape)
    augmenter = Elastic(alpha, sigma, fill=fill, fill_value=0.5).build(shape)
    field = np.random.default_rng(1).uniform(-1, 1, size=(2, *shape[:2], 3))
    y = augmenter.distorted(
        batch_last(X.astype(dtype)), field.astype(dtype), Workspace()
    )
    assert y.dtype == dtype
    # float32 knows a point among 28 pixels to 2e-6.
    tolerance = 1e-4 if dtype == "float32" else 1e-12
    grid = np.mgrid[: shape[0], : shape[1]]
    for i, sample in enumerate(X):
        smooth = [
            ndimage.gaussian_filter(component, sigma, mode="constant")
            for component in field[..., i]
        ]
        for channel in range(shape[2]):
            expected = ndimage.map_coordinates(
                sample[..., channel],
                grid + alpha * np.array(smooth),
                order=1,
                mode=SCIPY_MODES[fill],
                cval=0.5,
            )
            actual = batch_first(y)[i, ..., channel]
            np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def test_elastic_strength_is_what_its_docstring_says():
    rng = np.random.default_rng(0)
    ramp = np.arange(60.0).reshape(1, 60, 1, 1).repeat(60, axis=2).repeat(8, axis=0)
    y, *_ = run(Elastic(alpha=34, sigma=4), ramp, seed=rng)
    inner = (y - ramp)[:, 20:40, 20:40]
    assert inner.std() == pytest.approx(0.04 * 34, rel=0.15)
    assert abs(inner.mean()) < 0.5


@pytest.mark.parametrize("shape", [(7, 2), (6, 5, 1), (3, 4, 5, 2)])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_cutout_fills_the_square_around_each_center(shape, size):
    spatial = shape[:-1]
    centers = np.array(list(np.ndindex(*spatial)))
    X = images(len(centers), shape)
    augmenter = Cutout(size, fill_value=-1.0).build(shape)
    x = batch_last(X)
    y = batch_first(augmenter.masked(x, list(centers.T), Workspace()))
    for i, center in enumerate(centers):
        expected = X[i].copy()
        square = [slice(max(c - size // 2, 0), c - size // 2 + size) for c in center]
        expected[tuple(square)] = -1.0
        np.testing.assert_array_equal(y[i], expected)


def test_cutout_draws_every_center():
    X = np.ones((500, 4, 5, 1))
    y, *_ = run(Cutout(1), X)
    np.testing.assert_array_equal((y == 0).sum(axis=(1, 2, 3)), 1)
    assert (y == 0).any(axis=0).all()
    y, *_ = run(Cutout((4, 1)), X)
    assert ((y == 0).sum(axis=(1, 2, 3)) <= 4).all()
    assert ((y == 0).any(axis=1).sum(axis=1) == 1).all()


@given(
    st.integers(0, 10**6),
    st.sampled_from([1.0, 1e-3, 1e-7]),
    st.sampled_from(["nearest", "reflect"]),
)
@settings(max_examples=40, deadline=None)
def test_rounding_does_not_lead_out_of_the_range(seed, spread, fill):
    rng = np.random.default_rng(seed)
    shape = (1, 6, 6, 50)
    values = -1 + spread * rng.uniform(size=shape)
    values[rng.random(shape) < 0.5] *= -1e-3
    # As near to a pixel as float32 can tell, on either side of it.
    points = rng.integers(-1, 7, (2, *shape[1:])) + rng.integers(-1, 2) * 2.0**-24
    x, points = values.astype(np.float32), points.astype(np.float32)
    y = bilinear(x, *points, fill, Workspace())
    assert x.min() <= y.min()
    assert y.max() <= x.max()


def test_points_far_outside_read_the_border():
    x = np.arange(6.0).reshape(1, 6, 1)
    far = [np.array([[-(10**9)], [-1], [0], [5], [6], [10**9]])]
    workspace = Workspace()
    np.testing.assert_array_equal(
        gather(x, far, -7.0, workspace).ravel(), [-7, -7, 0, 5, -7, -7]
    )
    np.testing.assert_array_equal(
        gather(x, far, "nearest", workspace).ravel(), [0, 0, 0, 5, 5, 5]
    )
    # 10**9 is a multiple of 10, after which the mirrored line repeats.
    np.testing.assert_array_equal(
        gather(x, far, "reflect", workspace).ravel(), [0, 1, 0, 5, 4, 0]
    )


def test_bilinear_on_an_image_of_more_pixels_than_float32_counts():
    height, width = 2, 6_000_001
    x = np.zeros((1, height, width, 1), dtype=np.float32)
    x[0, -1, -3:, 0] = [1, 2, 3]
    rows = np.zeros((height, width, 1), dtype=np.float32)
    columns = np.zeros_like(rows)
    rows[-1, -3:, 0] = height - 1
    columns[-1, -3:, 0] = [width - 1, width - 2, width - 3]
    y = bilinear(x, rows, columns, 0.0, Workspace())
    np.testing.assert_array_equal(y[0, -1, -3:, 0], [3, 2, 1])
