"""Every algorithm against plain loops, and the plain loops against SciPy."""

from dataclasses import dataclass

import numpy as np
import oracles
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from layer_tools import batch_first

from skconvnet.ops.convolution import reference
from skconvnet.ops.convolution.depthwise import DepthwiseConvolution
from skconvnet.ops.convolution.fft import FFTConvolution
from skconvnet.ops.convolution.im2col import Im2colConvolution
from skconvnet.ops.convolution.interleaved import InterleavedConvolution
from skconvnet.ops.convolution.transposed import transposed_windows
from skconvnet.ops.convolution.winograd import MAX_KERNEL, WinogradConvolution
from skconvnet.ops.windows import Windows, sliding_windows
from skconvnet.ops.workspace import Workspace


@dataclass
class Case:
    """A convolution with its arrays, batch last."""

    windows: Windows
    padding: object
    groups: int
    x: np.ndarray
    kernel: np.ndarray

    @property
    def gradient(self):
        """Some gradient of the sums."""
        filters, batch = len(self.kernel), self.x.shape[-1]
        shape = (filters, *self.windows.out_shape, batch)
        return np.random.default_rng(1).normal(size=shape)


@st.composite
def cases(
    draw,
    largest_ndim=3,
    largest_stride=3,
    largest_dilation=2,
    depthwise=False,
    largest_kernel=4,
):
    ndim = draw(st.integers(1, largest_ndim))
    largest_kernel = min(largest_kernel, MAX_KERNEL[ndim])

    def per_axis(low, high):
        return draw(st.tuples(*[st.integers(low, high)] * ndim))

    in_shape = per_axis(1, (16, 7, 4)[ndim - 1])
    kernel = per_axis(1, largest_kernel)
    strides, dilation = per_axis(1, largest_stride), per_axis(1, largest_dilation)
    explicit = st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * ndim)
    padding = draw(st.sampled_from(["valid", "same", "full"]) | explicit)
    pads = oracles.pad_amounts(in_shape, kernel, strides, padding, dilation)
    for n, (before, after), k, d in zip(in_shape, pads, kernel, dilation, strict=True):
        assume(n + before + after >= d * (k - 1) + 1)
    windows = sliding_windows(in_shape, kernel, strides, padding, dilation)
    groups = draw(st.integers(1, 3))
    group_channels = 1 if depthwise else draw(st.integers(1, 2))
    filters, batch = groups * draw(st.integers(1, 2)), draw(st.integers(1, 2))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(groups * group_channels, *in_shape, batch))
    return Case(
        windows,
        padding,
        groups,
        x,
        rng.normal(size=(filters, group_channels, *kernel)),
    )


def assert_equals_reference(make, case, block_bytes, train):
    x, kernel, windows, groups = case.x, case.kernel, case.windows, case.groups
    algorithm = make(windows, len(x), len(kernel), groups, block_bytes=block_bytes)
    workspace = Workspace()
    z, cache = algorithm.forward(x, kernel, workspace, train=train)
    assert z.shape == (len(kernel), *algorithm.stored_shape, x.shape[-1])
    outputs = algorithm.crop_row_padding(z)
    expected = reference.convolve(x, kernel, windows, groups)
    np.testing.assert_allclose(outputs, expected, atol=1e-10)
    # What is flat covers all outputs.
    algorithm.flat_outputs(z)[...] = np.pi
    np.testing.assert_array_equal(outputs, np.pi)

    dz = case.gradient
    dkernel = np.full(kernel.shape, np.nan)
    stored = algorithm.add_row_padding(dz, workspace)
    dx = algorithm.backward(stored, cache, kernel, dkernel, workspace, need_dx=True)
    expected = reference.gradient_of_input(dz, x, kernel, windows, groups)
    np.testing.assert_allclose(dx, expected, atol=1e-10)
    expected = reference.gradient_of_kernel(dz, x, kernel, windows, groups)
    np.testing.assert_allclose(dkernel, expected, atol=1e-10)

    dkernel.fill(np.nan)
    stored = algorithm.add_row_padding(dz, workspace)
    dx = algorithm.backward(stored, cache, kernel, dkernel, workspace, need_dx=False)
    assert dx is None
    np.testing.assert_allclose(dkernel, expected, atol=1e-10)


BLOCK_BYTES = st.sampled_from([1, 2000, None])


@settings(max_examples=200, deadline=None)
@given(case=cases(), block_bytes=BLOCK_BYTES, train=st.booleans())
def test_im2col(case, block_bytes, train):
    assert_equals_reference(Im2colConvolution, case, block_bytes, train)


@settings(max_examples=200, deadline=None)
@given(
    case=cases(largest_stride=1, largest_dilation=1, largest_kernel=5),
    block_bytes=BLOCK_BYTES,
    smallest_part=st.sampled_from([1, 16]),
    train=st.booleans(),
)
def test_winograd(case, block_bytes, smallest_part, train):
    assert WinogradConvolution.supports(case.windows)

    class InParts(WinogradConvolution):
        pass

    InParts.smallest_part = smallest_part
    assert_equals_reference(InParts, case, block_bytes, train)


@settings(max_examples=200, deadline=None)
@given(
    case=cases(largest_stride=1, largest_dilation=3),
    block_bytes=BLOCK_BYTES,
    train=st.booleans(),
)
def test_interleaved(case, block_bytes, train):
    assume(InterleavedConvolution.supports(case.windows))
    assert_equals_reference(InterleavedConvolution, case, block_bytes, train)


@settings(max_examples=200, deadline=None)
@given(case=cases(), block_bytes=BLOCK_BYTES, train=st.booleans())
def test_fft(case, block_bytes, train):
    assert_equals_reference(FFTConvolution, case, block_bytes, train)


@settings(max_examples=200, deadline=None)
@given(
    case=cases(largest_ndim=2, depthwise=True),
    block_bytes=BLOCK_BYTES,
    train=st.booleans(),
)
def test_depthwise(case, block_bytes, train):
    assert_equals_reference(DepthwiseConvolution, case, block_bytes, train)


@settings(max_examples=100, deadline=None)
@given(case=cases())
def test_loops_equal_scipy(case):
    windows, groups = case.windows, case.groups
    steps = windows.strides, case.padding, windows.dilation, groups

    def convolve(x, kernel):
        no_bias = np.zeros(len(kernel))
        return oracles.convolve(batch_first(x), kernel, no_bias, *steps)

    z = reference.convolve(case.x, case.kernel, windows, groups)
    expected = convolve(case.x, case.kernel)
    np.testing.assert_allclose(batch_first(z), expected, atol=1e-12)
    # <dz, convolve(u)> = <dx, u> for every u, as a convolution is linear in both.
    dz, rng = case.gradient, np.random.default_rng(2)
    arrays = dz, case.x, case.kernel, windows, groups
    u, v = rng.normal(size=case.x.shape), rng.normal(size=case.kernel.shape)
    np.testing.assert_allclose(
        np.vdot(reference.gradient_of_input(*arrays), u),
        np.vdot(batch_first(dz), convolve(u, case.kernel)),
    )
    np.testing.assert_allclose(
        np.vdot(reference.gradient_of_kernel(*arrays), v),
        np.vdot(batch_first(dz), convolve(case.x, v)),
    )


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same", "full"])
@pytest.mark.parametrize("strides", [(1, 1), (2, 3)])
def test_transposed_loops_equal_scipy(strides, padding, groups):
    in_shape, kernel_size, added, dilation = (4, 3), (3, 2), (0, 1), (1, 2)
    windows = transposed_windows(
        in_shape, kernel_size, strides, padding, dilation, added
    )
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2 * groups, *in_shape, 2))
    kernel = rng.normal(size=(2 * groups, 3, *kernel_size))
    z = reference.transposed_convolve(x, kernel, windows, groups)
    expected = oracles.transpose_convolve(
        batch_first(x),
        kernel,
        np.zeros(3 * groups),
        strides,
        padding,
        dilation,
        groups,
        added,
    )
    np.testing.assert_allclose(batch_first(z), expected, atol=1e-12)
