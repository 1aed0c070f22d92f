"""Pooling layers against plain loops."""

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import Bench, compare_with

from skconvnet import layers

CASES = [
    ((8,), (2,), (2,), "valid"),
    ((9,), (3,), (2,), "same"),
    ((8, 8), (2, 2), (2, 2), "valid"),
    ((9, 7), (2, 2), (2, 2), "valid"),
    ((9, 7), (2, 2), (2, 2), "same"),
    ((9, 7), (3, 3), (2, 2), "valid"),
    ((9, 7), (3, 2), (1, 1), "same"),
    ((6, 9), (2, 3), (3, 4), "valid"),
    ((6, 9), (3, 3), (2, 2), (1, (0, 2))),
    ((1, 5), (1, 2), (1, 2), "valid"),
    ((4, 5, 6), (2, 2, 2), (2, 2, 2), "valid"),
    ((4, 5, 6), (3, 2, 2), (1, 2, 1), "same"),
]


def assert_pools(kind, size, strides, padding, values):
    spec = getattr(layers, f"{kind.title()}Pool{len(size)}D")(size, strides, padding)
    window = size, strides, padding, kind
    compare_with(
        lambda x: oracles.pool(x, *window),
        Bench(spec, values.shape[1:]),
        values,
        lambda x, dy: [oracles.pool_gradient(x, dy, *window)],
        rtol=1e-12,
        atol=1e-15,
    )


@pytest.mark.parametrize("ties", [False, True], ids=["distinct", "ties"])
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_equals_plain_loops(kind, case, ties):
    rng = np.random.default_rng(0)
    shape = (3, *case[0], 2)
    values = (
        rng.integers(-2, 2, shape).astype(float) if ties else rng.normal(size=shape)
    )
    assert_pools(kind, *case[1:], values)


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["max", "avg"]),
    shape=st.tuples(st.integers(4, 9), st.integers(4, 9)),
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    padding=st.sampled_from(["valid", "same"]),
)
def test_any_parameters(kind, shape, size, strides, padding):
    values = np.random.default_rng(0).normal(size=(2, *shape, 2))
    assert_pools(kind, size, strides, padding, values)


def test_negative_values_beat_the_padding():
    y = Bench(layers.MaxPool2D(3, 1, "same"), (4, 4, 1)).forward(-np.ones((1, 4, 4, 1)))
    np.testing.assert_array_equal(y, -np.ones((1, 4, 4, 1)))


def test_a_window_of_padding_alone_is_refused():
    with pytest.raises(ValueError, match=r"padding must be smaller than pool_size"):
        layers.MaxPool2D(2, padding=2).build((6, 6, 1))
