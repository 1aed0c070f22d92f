"""MNIST as rows of pixels, from a file or from OpenML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from _split_images import SplitImages
from sklearn.datasets import fetch_openml

N_TRAIN = 60_000


def load_digits(path: Path | None) -> SplitImages:
    """Return the 70,000 digits, the last 10,000 of which are for testing.

    Parameters
    ----------
    path : Path or None
        A file with the arrays of `SplitImages`, images or rows. None fetches the digits
        from OpenML, which needs pandas, and keeps them in scikit-learn's data folder.
    """
    if path is not None:
        X_train, y_train, X_test, y_test = SplitImages.load(path)
        return SplitImages(_as_rows(X_train), y_train, _as_rows(X_test), y_test)
    X, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
    X, y = X.astype(np.uint8), y.astype(np.int64)
    return SplitImages(X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:])


def _as_rows(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def with_neighbors(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return five of each image: itself, and moved by a pixel in four directions.

    >>> X, y = with_neighbors(np.ones((1, 784), np.uint8), np.array([7]))
    >>> X.shape, y
    ((5, 784), array([7, 7, 7, 7, 7]))
    """
    images = X.reshape(-1, 28, 28)
    moved = [images]
    for axis in (1, 2):
        for distance in (-1, 1):
            shifted = np.roll(images, distance, axis)
            # What comes in at the edge is background, not the opposite edge.
            edge = [slice(None)] * 3
            edge[axis] = slice(-1, None) if distance < 0 else slice(0, 1)
            shifted[tuple(edge)] = 0
            moved.append(shifted)
    return _as_rows(np.concatenate(moved)), np.tile(y, len(moved))
