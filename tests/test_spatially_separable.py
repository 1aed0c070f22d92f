"""Convolution by columns and rows, against SciPy and full kernels."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench
from scipy.signal import correlate2d
from test_depthwise import n_weights

from skconvnet.layers import Conv2D, SpatiallySeparableConv2D


def in_turn(x, first, second, bias, parameters):
    """SciPy's convolution with the columns, then with the rows."""
    size, kernel = x.shape[1:-1], parameters["kernel_size"]
    strides, dilation = parameters["strides"], parameters["dilation"]
    pads = oracles.pad_amounts(size, kernel, strides, parameters["padding"], dilation)
    (s1, s2), (d1, d2) = strides, dilation
    none = (0, 0)
    no_bias = np.zeros(len(first))
    between = oracles.convolve(x, first, no_bias, (s1, 1), [pads[0], none], (d1, 1), 1)
    return oracles.convolve(between, second, bias, (1, s2), [none, pads[1]], (1, d2), 1)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_equals_scipy_twice(data):
    def pairs(low, high):
        return data.draw(st.tuples(st.integers(low, high), st.integers(low, high)))

    size, kernel, strides, dilation = (
        pairs(1, 24),
        pairs(1, 5),
        pairs(1, 3),
        pairs(1, 2),
    )
    sides = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = data.draw(
        st.sampled_from(["valid", "same", "full"]) | st.tuples(sides, sides)
    )
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    for n, (before, after), d, k in zip(size, pads, dilation, kernel, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    parameters = {
        "kernel_size": kernel,
        "strides": strides,
        "padding": padding,
        "dilation": dilation,
    }
    in_shape = (*size, data.draw(st.integers(1, 3)))
    spec = SpatiallySeparableConv2D(data.draw(st.integers(1, 3)), **parameters)
    bench = Bench(spec, in_shape)
    x = np.random.default_rng(0).normal(size=(2, *in_shape))
    weights = bench.weights
    expected = in_turn(
        x, weights["vertical"], weights["horizontal"], weights["bias"], parameters
    )
    y = bench.forward(x)
    assert y.shape == expected.shape == (2, *bench.layer.out_shape)
    np.testing.assert_allclose(y, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("padding", ["valid", "same", "full", 2])
def test_kernel_of_rank_one_is_its_column_and_its_row(padding):
    """Sobel's filter: smoothing down the column, a difference along the row."""
    column, row = np.array([1.0, 2.0, 1.0]), np.array([1.0, 0.0, -1.0])
    image = np.random.default_rng(0).normal(size=(9, 11))
    ours = Bench(SpatiallySeparableConv2D(1, 3, padding=padding), (9, 11, 1))
    ours.weights["vertical"][0, 0, :, 0] = column
    ours.weights["horizontal"][0, 0, 0] = row
    full = Bench(Conv2D(1, 3, padding=padding), (9, 11, 1))
    full.weights["kernel"][0, 0] = np.outer(column, row)
    for bench in (ours, full):
        bench.weights["bias"][:] = 0
    x = image[None, ..., None]
    y = ours.forward(x)
    np.testing.assert_allclose(y, full.forward(x), atol=1e-12)
    if padding == "valid":
        sobel = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
        expected = correlate2d(image, sobel, mode="valid")
        np.testing.assert_allclose(y[0, ..., 0], expected, atol=1e-12)


def test_number_of_weights():
    assert n_weights(SpatiallySeparableConv2D(8, 5), (9, 9, 8)) == 2 * 5 * 8 * 8
    assert n_weights(Conv2D(8, 5), (9, 9, 8)) == 25 * 8 * 8


def test_both_kernels_start_within_their_bounds():
    layer = SpatiallySeparableConv2D(32, (3, 5)).build((9, 9, 16))
    assert layer.penalized == ("vertical", "horizontal")
    weights = layer.initialize(np.random.RandomState(0))
    for name, fans in (("vertical", 3 * (16 + 32)), ("horizontal", 5 * (32 + 32))):
        bound = np.sqrt(6 / fans)
        assert 0.99 * bound < np.abs(weights[name]).max() <= bound
    assert not weights["bias"].any()
