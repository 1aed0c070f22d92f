"""Digits without their slant."""

from __future__ import annotations

import numpy as np

SIDE = 28
# Images at once, which keeps temporary arrays small.
_BLOCK = 5_000


def without_slant(X: np.ndarray) -> np.ndarray:
    """Return images whose rows are moved so that digits stand upright.

    The slant is how far the ink moves to the right from row to row: the covariance of
    the columns and rows of the ink over the variance of its rows. Each row is moved
    back, in proportion to its distance from the center. LeCun et al., "Gradient-based
    learning applied to document recognition" (1998), remove the slant of MNIST in this
    way.

    Parameters
    ----------
    X : ndarray of shape (n, 784)
        Pixels, 0 without ink.

    Returns
    -------
    images : ndarray of shape (n, 28, 28), float32

    >>> bar = np.eye(28)  # it falls to the right, by a column per row
    >>> ink_of_columns = without_slant(bar.reshape(1, -1))[0].sum(axis=0)
    >>> ink_of_columns[[12, 13, 14, 15]]
    array([ 0., 14., 14.,  0.], dtype=float32)
    """
    images = X.reshape(-1, SIDE, SIDE).astype(np.float32)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        block[:] = _with_rows_moved(block, _offsets(block))
    return images


def _offsets(images: np.ndarray) -> np.ndarray:
    """Return how many columns to the right of its place each row belongs."""
    positions = np.arange(SIDE, dtype=images.dtype)
    ink_of_rows, ink_of_columns = images.sum(axis=2), images.sum(axis=1)
    ink = np.maximum(ink_of_rows.sum(axis=1, keepdims=True), 1e-6)
    rows = positions - ink_of_rows @ positions[:, np.newaxis] / ink
    columns = positions - ink_of_columns @ positions[:, np.newaxis] / ink
    moments = (images @ columns[:, :, np.newaxis])[:, :, 0] * rows
    variance = np.maximum((ink_of_rows * rows**2).sum(axis=1), 1e-6)
    slant = moments.sum(axis=1) / variance
    return slant[:, np.newaxis] * rows


def _with_rows_moved(images: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return images whose pixels come from `offsets` columns further right."""
    whole = np.floor(offsets).astype(np.intp)
    share = (offsets - whole)[:, :, np.newaxis]
    # Column 0 of the padded images is to the left of the images, the last to the right.
    padded = np.pad(images, ((0, 0), (0, 0), (1, 1)))
    left = 1 + np.arange(SIDE) + whole[:, :, np.newaxis]

    def columns(places: np.ndarray) -> np.ndarray:
        return np.take_along_axis(padded, np.clip(places, 0, SIDE + 1), axis=2)

    return (1 - share) * columns(left) + share * columns(left + 1)
