"""Copies of short runs, and the taps of pooling windows that are made with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skconvnet.ops import pooling
from skconvnet.ops.short_runs import copy_runs, has_short_runs
from skconvnet.ops.windows import sliding_windows
from skconvnet.ops.workspace import Workspace


@settings(max_examples=60, deadline=None)
@given(
    channels=st.integers(1, 9),
    size=st.integers(1, 40),
    batch=st.integers(1, 70),
    step=st.integers(1, 3),
    dtype=st.sampled_from(["float32", "float64"]),
    source_dtype=st.sampled_from(["float32", "float64"]),
)
def test_copies_equal_numpys(channels, size, batch, step, dtype, source_dtype):
    rng = np.random.default_rng(0)
    source = rng.normal(size=(size, channels, batch)).astype(source_dtype)
    source = source.transpose(1, 0, 2)
    target = np.zeros((channels, step * size, batch), dtype)
    expected = target.copy()
    expected[:, ::step] = source
    copy_runs(target[:, ::step], source)
    np.testing.assert_array_equal(target, expected)


def test_samples_apart_in_memory():
    x = np.arange(9000.0).reshape(30, 100, 3)[..., ::2]
    assert not has_short_runs(x)
    target = np.zeros(x.shape)
    copy_runs(target, x)
    np.testing.assert_array_equal(target, x)


@pytest.mark.parametrize("batch", [1, 2, 16, 200])
@pytest.mark.parametrize(
    ("size", "pool"), [((24, 24), 2), ((25, 20), (2, 3)), ((301,), 2), ((9, 8, 7), 2)]
)
def test_taps_of_windows(size, pool, batch):
    windows = sliding_windows(size, pool, pool)
    rng = np.random.default_rng(0)
    # A map with row padding, as convolutions leave one.
    whole = rng.normal(size=(5, *size[:-1], size[-1] + 2, batch))
    x = whole[..., : size[-1], :]
    taps = pooling.TapArrays(x, windows, Workspace())
    expected = pooling.tap_views(x, windows)
    for own, tap in zip(taps.read(), expected, strict=True):
        np.testing.assert_array_equal(own, tap)
    for own in taps.arrays:
        own *= 2
    taps.write()
    changed = x.copy()
    for tap in pooling.tap_views(changed, windows):
        tap[...] = 7
    assert np.all(changed[(slice(None), *(slice(k) for k in windows.kernel))] == 7)
    sums = sum(tap.sum() for tap in pooling.tap_views(x, windows))
    np.testing.assert_allclose(sums, sum(c.sum() for c in taps.arrays))


@pytest.mark.parametrize("strides", [2, 1], ids=["apart", "overlapping"])
def test_the_first_of_equals_has_the_gradient(strides):
    windows = sliding_windows((4, 4), 2, strides)
    x = np.ones((1, 4, 4, 1))
    taps = pooling.tap_views(x, windows)
    y = np.empty(taps[0].shape)
    wins = np.empty((3, *y.shape), bool)
    pooling.max_pool(taps, y, wins)
    dx, dy = np.zeros(x.shape), np.ones(y.shape)
    dtaps = pooling.tap_views(dx, windows)
    share = None if strides == 2 else np.empty(y.shape)
    pooling.max_pool_backward(dy, wins, dtaps, share)
    expected = np.zeros((4, 4))
    n = windows.out_shape[0]
    expected[: n * strides : strides, : n * strides : strides] = 1
    np.testing.assert_array_equal(dx[0, ..., 0], expected)
