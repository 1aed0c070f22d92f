"""Worked examples of textbooks: edges, sizes, and errors that are handed back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layer_tools import Bench
from scipy.signal import convolve2d, correlate2d

from skconvnet.layers import AvgPool2D, Conv2D, MaxPool2D
from skconvnet.ops.windows import sliding_windows


def convolution(kernel, in_shape, **params):
    """Return a bench of one filter for each leading axis of `kernel`."""
    bench = Bench(Conv2D(len(kernel), kernel.shape[2:], **params), in_shape)
    bench.weights["kernel"][...] = kernel
    bench.weights["bias"][:] = 0
    return bench


def test_a_vertical_edge_is_found():
    image = np.tile([10.0, 10, 10, 0, 0, 0], (6, 1))
    kernel = np.array([[[[1.0, 0, -1]] * 3]])
    y = convolution(kernel, (6, 6, 1)).forward(image[None, ..., None])
    np.testing.assert_array_equal(y[0, ..., 0], np.tile([0.0, 30, 30, 0], (4, 1)))
    turned = convolution(kernel.swapaxes(2, 3), (6, 6, 1))
    np.testing.assert_array_equal(turned.forward(image[None, ..., None]), 0)


def test_the_upper_left_window_of_the_six_by_six_image_gives_minus_five():
    image = np.array(
        [
            [3, 0, 1, 2, 7, 4],
            [1, 5, 8, 9, 3, 1],
            [2, 7, 2, 5, 1, 3],
            [0, 1, 3, 1, 7, 8],
            [4, 2, 1, 6, 2, 8],
            [2, 4, 5, 2, 3, 9],
        ]
    )
    kernel = np.array([[[[1.0, 0, -1]] * 3]])
    y = convolution(kernel, (6, 6, 1)).forward(image[None, ..., None].astype(float))
    assert y.shape == (1, 4, 4, 1)
    assert y[0, 0, 0, 0] == -5
    np.testing.assert_array_equal(
        y[0, ..., 0], correlate2d(image, kernel[0, 0], mode="valid")
    )


@given(n=st.integers(1, 40), k=st.integers(1, 12), s=st.integers(1, 6))
def test_sizes_of_outputs(n, k, s):
    def size(padding):
        return sliding_windows((n,), k, s, padding).out_shape[0]

    assert size("same") == -(-n // s)
    assert size("full") == (n + 2 * (k - 1) - k) // s + 1
    if s == 1:
        assert size("full") == n + k - 1
    if k <= n:
        assert size("valid") == (n - k) // s + 1


def test_errors_of_a_3x3_input_before_a_2x2_filter():
    rng = np.random.default_rng(0)
    x, w, delta = rng.normal(size=(3, 3)), rng.normal(size=(2, 2)), rng.normal(size=4)
    bench = convolution(w[None, None], (3, 3, 1))
    bench.forward(x[None, ..., None], train=True)
    delta = delta.reshape(2, 2)
    dx, views, _ = bench.backward(delta[None, ..., None])
    dx = dx[0, ..., 0]
    assert dx[0, 0] == pytest.approx(delta[0, 0] * w[0, 0])
    assert dx[0, 1] == pytest.approx(delta[0, 0] * w[0, 1] + delta[0, 1] * w[0, 0])
    assert dx[1, 1] == pytest.approx(
        delta[0, 0] * w[1, 1]
        + delta[0, 1] * w[1, 0]
        + delta[1, 0] * w[0, 1]
        + delta[1, 1] * w[0, 0]
    )
    # The errors with a ring of zeros, convolved: with the filter turned half round.
    np.testing.assert_allclose(dx, convolve2d(delta, w, mode="full"))
    # The filter's gradient: the input correlated with the errors.
    np.testing.assert_allclose(
        views["kernel"][0, 0], correlate2d(x, delta, mode="valid")
    )
    assert views["bias"][0] == pytest.approx(delta.sum())


@pytest.mark.parametrize("stride", [2, 3])
def test_with_strides_zeros_are_put_between_the_errors(stride):
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(8, 8)), rng.normal(size=(3, 3))
    bench = convolution(w[None, None], (8, 8, 1), strides=stride)
    y = bench.forward(x[None, ..., None], train=True)
    delta = rng.normal(size=y.shape)
    dx, views, _ = bench.backward(delta)
    restored = np.zeros((6, 6))
    restored[::stride, ::stride] = delta[0, ..., 0]
    np.testing.assert_allclose(dx[0, ..., 0], convolve2d(restored, w, mode="full"))
    np.testing.assert_allclose(
        views["kernel"][0, 0], correlate2d(x, restored, mode="valid")
    )


def test_with_depth_and_filters_errors_are_added_up():
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=(3, 2, 2, 2)), rng.normal(size=(1, 4, 5, 2))
    bench = convolution(w, (4, 5, 2))
    delta = rng.normal(size=bench.forward(x, train=True).shape)
    dx, views, _ = bench.backward(delta)
    for depth in range(2):
        expected = sum(
            convolve2d(delta[0, ..., f], w[f, depth], mode="full") for f in range(3)
        )
        np.testing.assert_allclose(dx[0, ..., depth], expected)
        for f in range(3):
            np.testing.assert_allclose(
                views["kernel"][f, depth],
                correlate2d(x[0, ..., depth], delta[0, ..., f], mode="valid"),
            )


def test_where_pooling_windows_overlap_gradients_add_up():
    x = np.array([[1.0, 2, 3], [4, 9, 5], [6, 7, 8]])[None, ..., None]
    delta = np.array([[1.0, 10], [100, 1000]])[None, ..., None]
    largest = Bench(MaxPool2D(2, 1), (3, 3, 1))
    np.testing.assert_array_equal(largest.forward(x, train=True), 9 + 0 * delta)
    dx, _, _ = largest.backward(delta)
    assert dx[0, 1, 1, 0] == 1111
    assert dx.sum() == 1111
    mean = Bench(AvgPool2D(2, 1), (3, 3, 1))
    mean.forward(x, train=True)
    dx, _, _ = mean.backward(delta)
    expected = [[1, 11, 10], [101, 1111, 1010], [100, 1100, 1000]]
    np.testing.assert_array_equal(dx[0, ..., 0], np.array(expected) / 4)
