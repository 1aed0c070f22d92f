"""The steps of sequences in reverse order."""

from __future__ import annotations

import numpy as np

from skconvnet._typing import FeatureMap, Lengths


def reverse_steps(x: FeatureMap, lengths: Lengths | None, out: FeatureMap) -> None:
    """Reverse the steps of each sample within its own length.

    Padding stays at the end. Reversed twice, a map is what it was.

    Parameters
    ----------
    x : ndarray of shape (channels, length, batch)
    lengths : ndarray of int of shape (batch,) or None
        None reverses all steps.
    out : ndarray, shaped like x
        Contiguous.

    Examples
    --------
    >>> x = np.array([[[1, 1], [2, 2], [3, 0]]])
    >>> out = np.empty_like(x)
    >>> reverse_steps(x, np.array([3, 2]), out)
    >>> out
    array([[[3, 2],
            [2, 1],
            [1, 0]]])
    """
    if lengths is None:
        np.copyto(out, x[:, ::-1])
        return
    channels, length, batch = x.shape
    steps = np.arange(length)[:, np.newaxis]
    reverse = lengths - 1 - steps
    columns = np.where(reverse < 0, steps, reverse) * batch + np.arange(batch)
    np.take(
        x.reshape(channels, -1),
        columns.reshape(-1),
        axis=1,
        out=out.reshape(channels, -1),
        mode="clip",  # all are within bounds; the default would buffer `out`
    )
