"""Samples for whitening convolutions, and their windows by a slow path."""

import numpy as np


def images(n=40, shape=(6, 7, 3), seed=0):
    """Return noise in which neighboring values are alike, with a mean."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, *shape))
    for axis in range(1, X.ndim):
        X = X.cumsum(axis=axis)
    return X / X.std() + np.arange(shape[-1])


def windows_of(X, kernel, strides=1, pads=0, dilation=1):
    """Return all windows over maps (n, *spatial, channels), one in each row.

    The values of a window are in the order (channels, *kernel).
    """
    ndim = X.ndim - 2
    kernel, strides, pads, dilation = (
        np.broadcast_to(value, ndim) for value in (kernel, strides, pads, dilation)
    )
    X = np.pad(X, [(0, 0), *((p, p) for p in pads), (0, 0)])
    extents = dilation * (kernel - 1) + 1
    views = np.lib.stride_tricks.sliding_window_view(X, extents, range(1, ndim + 1))
    steps = [slice(None, None, step) for step in strides]
    gaps = [slice(None, None, gap) for gap in dilation]
    views = views[(slice(None), *steps, slice(None), *gaps)]
    return views.reshape(*views.shape[: ndim + 1], -1)


def covariance_of(X, weights=None, **geometry):
    views = windows_of(X, **geometry)
    if weights is None:
        weights = np.ones(len(X))
    weights = np.broadcast_to(weights[:, None], (len(X), views[0, ..., 0].size)).ravel()
    return np.cov(views.reshape(-1, views.shape[-1]).T, aweights=weights, ddof=0)
