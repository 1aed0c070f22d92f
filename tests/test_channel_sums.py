"""Sums over each channel of maps, with and without row padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skconvnet.ops.blas_kernels import as_runs, channel_products, channel_sums


@st.composite
def padded_maps(draw):
    """Two maps of the same shape, as views of larger arrays."""
    ndim = draw(st.integers(0, 3))
    shape = draw(st.tuples(*[st.integers(1, 4)] * (ndim + 2)))
    padding = draw(st.tuples(*[st.integers(0, 2)] * ndim))
    stored = (shape[0], *map(sum, zip(shape[1:-1], padding, strict=True)), shape[-1])
    inside = (slice(None), *(slice(n) for n in shape[1:-1]))
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, *stored))
    # The second one may be contiguous, or stored in another order of the axes.
    others = b[inside], b[inside].copy(), np.asfortranarray(b[inside])
    return a[inside], draw(st.sampled_from(others))


@given(maps=padded_maps())
def test_equal_to_numpys_sums(maps):
    a, b = maps
    axes, out = tuple(range(1, a.ndim)), np.empty(len(a))
    channel_sums(a, out)
    np.testing.assert_allclose(out, a.sum(axis=axes), atol=1e-13)
    products = channel_products(a, b)
    np.testing.assert_allclose(products, (a * b).sum(axis=axes), atol=1e-13)


@pytest.mark.parametrize("shape", [(2, 5, 6, 3), (2, 6, 3), (2, 3, 5, 6, 3)])
def test_runs_are_a_view(shape):
    stored = np.zeros((*shape[:-2], shape[-2] + 2, shape[-1]))
    x = stored[..., : shape[-2], :]
    assert as_runs(x).shape == (*shape[:-2], shape[-2] * shape[-1])
    assert np.shares_memory(as_runs(x), stored)
    assert as_runs(x.swapaxes(0, -2)).shape == x.swapaxes(0, -2).shape
