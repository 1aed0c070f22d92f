"""Convolution in both layouts of the columns, cut into any number of blocks."""

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import batch_first, batch_last, in_blocks
from test_convolution import KINDS, assert_convolves

from skconvnet.engine.network import Network
from skconvnet.layers import Conv1D, Conv2D, Conv3D

BLOCK_BYTES = [1, 3000, 10**9]

# Large maps and small kernels have little row padding, and get the wide layout; the
# others would have much, or are strided.
CASES = [
    (Conv1D(3, 4), (40, 2)),
    (Conv1D(3, 4, strides=3, padding="same"), (40, 2)),
    (Conv1D(4, 3, padding="full", dilation=4, groups=2), (40, 4)),
    (Conv2D(3, 3), (20, 26, 2)),
    (Conv2D(3, (2, 4), padding="same"), (21, 26, 2)),
    (Conv2D(3, 3, dilation=2), (24, 25, 2)),
    (Conv2D(3, (3, 2), padding="full", dilation=(2, 3)), (20, 25, 2)),
    (Conv2D(4, 3, padding=((0, 3), (1, 0)), groups=2), (20, 26, 4)),
    (Conv2D(3, 2, strides=2, padding="same"), (9, 12, 2)),
    (Conv2D(3, (2, 3), strides=(3, 2), padding="full", dilation=2), (11, 9, 2)),
    (Conv2D(4, 3, strides=2, padding=((2, 0), 1), groups=4), (9, 10, 4)),
    (Conv2D(3, 1), (9, 7, 2)),
    (Conv2D(3, 1, strides=2), (9, 7, 2)),
    (Conv3D(2, (2, 3, 2)), (6, 12, 16, 2)),
    (Conv3D(2, 2, padding="full", dilation=(1, 1, 2)), (4, 12, 16, 1)),
    (Conv3D(2, 3, strides=(2, 1, 3), padding="same"), (7, 5, 6, 2)),
]


@pytest.mark.parametrize("block_bytes", BLOCK_BYTES)
@pytest.mark.parametrize(
    ("spec", "in_shape"),
    CASES,
    ids=[" ".join(f"{spec}-{shape}".split()) for spec, shape in CASES],
)
def test_equals_oracles_however_it_is_cut(spec, in_shape, block_bytes):
    assert_convolves(in_shape, in_blocks(spec, block_bytes))


@st.composite
def convolutions(draw):
    ndim = draw(st.integers(1, 3))

    def per_axis(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * ndim))

    size = per_axis(1, (40, 20, 9)[ndim - 1])
    kernel, dilation = per_axis(1, 4), per_axis(1, 3)
    strides = draw(st.sampled_from([(1,) * ndim, per_axis(1, 3)]))
    explicit = st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * ndim)
    padding = draw(st.sampled_from(["valid", "same", "full"]) | explicit)
    pads = oracles.pad_amounts(size, kernel, strides, padding, dilation)
    for n, (before, after), d, k in zip(size, pads, dilation, kernel, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    groups = draw(st.integers(1, 3))
    spec = KINDS[ndim](
        groups * draw(st.integers(1, 2)), kernel, strides, padding, dilation, groups
    )
    return (*size, groups * draw(st.integers(1, 2))), spec


@settings(max_examples=80, deadline=None)
@given(
    case=convolutions(), n=st.integers(1, 3), block_bytes=st.sampled_from(BLOCK_BYTES)
)
def test_any_convolution(case, n, block_bytes):
    in_shape, spec = case
    assert_convolves(in_shape, in_blocks(spec, block_bytes), n)


def test_convolutions_in_a_row():
    """The output of one is a view into its columns, which the next has to take."""
    specs = [(f"conv{i}", Conv2D(2, 3, dilation=i)) for i in (1, 2)]
    network = Network(specs, (22, 23, 2), "float64")
    network.initialize(np.random.RandomState(0))
    x = np.random.default_rng(0).normal(size=(2, 22, 23, 2))
    y, _ = network.forward(batch_last(x), network.workspaces())
    for i in (1, 2):
        kernel = network.weights[f"conv{i}/kernel"]
        x = oracles.convolve(x, kernel, np.zeros(2), (1, 1), "valid", (i, i), 1)
    np.testing.assert_allclose(batch_first(y), x, rtol=1e-10, atol=1e-12)
