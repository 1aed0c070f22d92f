"""Convolution layers against SciPy and plain loops."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with, in_blocks

from skconvnet.layers import Conv1D, Conv2D, Conv3D

KINDS = {1: Conv1D, 2: Conv2D, 3: Conv3D}


def assert_convolves(in_shape, spec, n=2):
    """Compare with SciPy, and with plain loops if the shapes are small."""
    ndim = len(in_shape) - 1
    bench = Bench(spec, in_shape)
    x = np.random.default_rng(0).normal(size=(n, *in_shape))

    def per_axis(value):
        return (value,) * ndim if isinstance(value, int) else value

    def by_scipy(x, kernel, bias):
        strides, dilation = per_axis(spec.strides), per_axis(spec.dilation)
        return oracles.convolve(
            x, kernel, bias, strides, spec.padding, dilation, spec.groups
        )

    compare_with(by_scipy, bench, x)
    loops = oracles.Loops(bench.layer.windows, spec.groups)
    if loops.is_quick(x, bench.weights["kernel"]):
        compare_with(loops.forward, bench, x, loops.gradients)


@pytest.mark.parametrize("padding", ["valid", "same", "full", 2])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 5])
@pytest.mark.parametrize("ndim", [1, 2])
def test_equals_oracles(ndim, kernel_size, strides, padding):
    in_shape = ((9,), (8, 7))[ndim - 1]
    assert_convolves((*in_shape, 3), KINDS[ndim](4, kernel_size, strides, padding))


@pytest.mark.parametrize("padding", ["valid", "same", "full"])
@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel_size", [(2, 1, 3), 3])
def test_equals_oracles_in_three_dimensions(kernel_size, strides, padding):
    assert_convolves((5, 4, 6, 2), Conv3D(3, kernel_size, strides, padding))


@pytest.mark.parametrize(
    "padding", [1, (2, 0), ((1, 2), (0, 3)), ((0, 1), 2), ((3, 0), (0, 0))]
)
@pytest.mark.parametrize("strides", [1, (2, 1), (1, 3)])
def test_explicit_padding(padding, strides):
    assert_convolves((6, 7, 2), Conv2D(3, (3, 2), strides, padding))


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("dilation", [2, (1, 3), (3, 2)])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_dilation(dilation, padding, strides):
    assert_convolves((10, 11, 2), Conv2D(3, 3, strides, padding, dilation))


def test_dilated_kernel_covers_five_positions_with_three_taps_per_axis():
    bench = Bench(Conv2D(1, 3, dilation=2), (5, 5, 1))
    assert bench.layer.out_shape == (1, 1, 1)
    assert bench.weights["kernel"].size == 9


@pytest.mark.parametrize(("channels", "filters", "groups"), [(4, 6, 2), (6, 6, 6)])
@pytest.mark.parametrize("kernel_size", [1, 3])
def test_groups(channels, filters, groups, kernel_size):
    assert_convolves((5, 6, channels), Conv2D(filters, kernel_size, groups=groups))


@pytest.mark.parametrize("size", [(28, 28), (8, 8), (4, 5), (1, 9)])
@pytest.mark.parametrize("block_bytes", [1, 10_000])
def test_many_blocks(size, block_bytes):
    assert_convolves(
        (*size, 2), in_blocks(Conv2D(3, (1, 3), padding="same"), block_bytes)
    )
    assert_convolves((*size, 2), in_blocks(Conv2D(3, 3, padding="same"), block_bytes))


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)),
    padding=st.sampled_from(["valid", "same", "full", 1, ((0, 2), (1, 0))]),
    channels=st.integers(1, 3),
    filters=st.integers(1, 4),
    n=st.integers(1, 4),
)
def test_any_parameters(size, kernel, strides, dilation, padding, channels, filters, n):
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    room = [
        s + sum(p) - d * (k - 1) - 1
        for s, p, d, k in zip(size, pads, dilation, kernel, strict=True)
    ]
    assume(min(room) >= 0)
    assert_convolves(
        (*size, channels), Conv2D(filters, kernel, strides, padding, dilation), n
    )


def test_printed_feature_map():
    image = np.array(
        [
            [1, 1, 1, 0, 0],
            [0, 1, 1, 1, 0],
            [0, 0, 1, 1, 1],
            [0, 0, 1, 1, 0],
            [0, 1, 1, 0, 0],
        ]
    )
    kernel = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]])
    bench = Bench(Conv2D(1, 3), (5, 5, 1))
    bench.weights["kernel"][0, 0] = kernel
    bench.weights["bias"][:] = 0
    y = bench.forward(image[None, ..., None].astype(float))
    np.testing.assert_allclose(y[0, ..., 0], [[4, 3, 4], [2, 4, 3], [2, 3, 4]])
