"""The moments of all windows, and the kernels that whiten them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layer_tools import batch_last
from whitening_tools import covariance_of, images, windows_of

from skconvnet.ops.whitening import whitening_rows, window_moments
from skconvnet.ops.windows import sliding_windows


@st.composite
def geometries(draw):
    ndim = draw(st.integers(1, 3))

    def per_axis(low, high):
        return tuple(draw(st.integers(low, high)) for _ in range(ndim))

    sizes = per_axis(3, 6)
    kernel, pads = per_axis(1, 2), per_axis(0, 2)
    channels, n_samples = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    geometry = {
        "kernel": kernel,
        "strides": per_axis(1, 2),
        "pads": pads,
        "dilation": per_axis(1, 2),
    }
    return (n_samples, *sizes, channels), geometry


@settings(max_examples=60, deadline=None)
@given(geometries(), st.booleans(), st.sampled_from([1, 700, 5000, 2**24]))
def test_moments_are_those_of_all_windows(case, weighted, block_bytes):
    shape, geometry = case
    rng = np.random.default_rng(0)
    X = rng.normal(size=shape) + 100 * rng.normal(size=shape[-1])
    weights = rng.uniform(0, 3, len(X)) if weighted else None
    own = {name: value for name, value in geometry.items() if name != "pads"}
    windows = sliding_windows(
        shape[1:-1], padding=[(p, p) for p in geometry["pads"]], **own
    )
    total, mean, products = window_moments(
        batch_last(X), windows, weights, block_bytes=block_bytes
    )
    views = windows_of(X, **geometry)
    n_positions = np.prod(views.shape[1:-1])
    sample_weights = np.ones(len(X)) if weights is None else weights
    all_weights = np.repeat(sample_weights, n_positions)
    rows = views.reshape(-1, views.shape[-1])
    assert total == pytest.approx(all_weights.sum(), rel=1e-12)
    np.testing.assert_allclose(mean, np.average(rows, axis=0, weights=all_weights))
    deviations = rows - mean
    expected = (deviations * all_weights[:, None]).T @ deviations
    scale = max(np.abs(expected).max(), 1)
    np.testing.assert_allclose(products, expected, atol=1e-11 * scale)


def test_moments_of_float32_are_computed_in_double_precision():
    X = (images() + 1000).astype("float32")
    windows = sliding_windows((6, 7), 2)
    *_, products = window_moments(batch_last(X), windows)
    expected = covariance_of(X.astype(float), kernel=2) * 40 * 5 * 6
    np.testing.assert_allclose(products, expected, rtol=1e-9, atol=1e-9)


def test_rows_do_not_depend_on_the_sign_of_eigenvectors(monkeypatch):
    covariance = covariance_of(images(), kernel=2)
    expected = whitening_rows(covariance, 12, 0.1, 0.0)
    eigh = np.linalg.eigh

    def negative(matrix):
        values, vectors = eigh(matrix)
        return values, -vectors

    monkeypatch.setattr(np.linalg, "eigh", negative)
    np.testing.assert_array_equal(whitening_rows(covariance, 12, 0.1, 0.0), expected)
