"""Histograms of oriented gradients: what images were classified by before networks."""

from __future__ import annotations

import numpy as np

N_DIRECTIONS = 9


def hog_features(images: np.ndarray, cell: int = 4) -> np.ndarray:
    """Return the directions of the edges in each cell of each image, and its colors.

    The gradient of a pixel is that of the color in which it is largest, and votes for
    the two nearest of nine directions by its length. The histograms of four neighboring
    cells are normalized together, as by N. Dalal and B. Triggs, "Histograms of oriented
    gradients for human detection", CVPR 2005. The mean colors of the cells follow.

    Parameters
    ----------
    images : ndarray of uint8 of shape (n, height, width, channels)
    cell : int, default=4
        The sides of a cell, in pixels, which divide those of an image.

    Returns
    -------
    features : ndarray of float32 of shape (n, n_features)

    Examples
    --------
    >>> hog_features(np.zeros((2, 32, 32, 3), np.uint8)).shape
    (2, 1956)
    """
    colors = images.astype(np.float32) / 255
    n, height, width, n_colors = colors.shape
    dy, dx = np.gradient(colors, axis=(1, 2))
    strongest = np.argmax(dx**2 + dy**2, axis=-1)[..., np.newaxis]
    dx, dy = (np.take_along_axis(d, strongest, -1)[..., 0] for d in (dx, dy))
    length = np.hypot(dx, dy)
    # From 0 to N_DIRECTIONS; opposite directions are the same.
    direction = np.arctan2(dy, dx) % np.pi / np.pi * N_DIRECTIONS
    lower, part = np.floor(direction).astype(int), direction % 1
    rows, columns = height // cell, width // cell
    histograms = np.zeros((n, rows, columns, N_DIRECTIONS), np.float32)
    for bins, votes in ((lower, (1 - part) * length), (lower + 1, part * length)):
        for k in range(N_DIRECTIONS):
            own = np.where(bins % N_DIRECTIONS == k, votes, 0)
            own = own.reshape(n, rows, cell, columns, cell)
            histograms[..., k] += own.sum(axis=(2, 4))
    blocks = np.concatenate(
        [
            histograms[:, i : rows - 1 + i, j : columns - 1 + j]
            for i in (0, 1)
            for j in (0, 1)
        ],
        axis=-1,
    )
    norms = np.linalg.norm(blocks, axis=-1, keepdims=True)
    means = colors.reshape(n, rows, cell, columns, cell, n_colors).mean(axis=(2, 4))
    parts = (blocks / (norms + 1e-3), means)
    return np.concatenate([part.reshape(n, -1) for part in parts], axis=1)
