"""The error for a single sample in place of an array of samples."""

from __future__ import annotations

from math import prod
from typing import Any

from skconvnet._typing import Shape


def refuse_single_sample(
    X: Any,  # noqa: ANN401  what users pass
    in_shape: Shape,
    *,
    any_size: bool,
    channels_first: bool = False,
) -> None:
    """Raise a ValueError if X is one image, series or volume without a batch axis.

    Parameters
    ----------
    X : array-like
    in_shape : tuple of int
        Shape of one sample, channels last.
    any_size : bool
        Whether the network takes samples of any size.
    channels_first : bool, default=False
        Whether the channels of X come before its spatial axes.

    Examples
    --------
    >>> import numpy as np
    >>> refuse_single_sample(np.zeros((5, 8, 8)), (8, 8, 1), any_size=False)
    >>> refuse_single_sample(np.zeros((8, 8)), (8, 8, 1), any_size=False)
    Traceback (most recent call last):
    ...
    ValueError: X has shape (8, 8), that of a single sample, but must be an array of
    samples. Pass X[None], whose shape is (1, 8, 8).
    """
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) < 2 or len(in_shape) < 2 or prod(shape[1:]) == prod(in_shape):
        return
    is_gray = in_shape[-1] == 1 and shape == in_shape[:-1]
    is_single = shape == tuple(in_shape) or is_gray
    channel_axis = 0 if channels_first else -1
    if channels_first:
        is_single = shape == (in_shape[-1], *in_shape[:-1]) or is_gray
    if any_size and in_shape[-1] > 1:
        is_single = len(shape) == len(in_shape) and shape[channel_axis] == in_shape[-1]
    if is_single:
        raise ValueError(
            f"X has shape {shape}, that of a single sample, but must be an array of "
            f"samples. Pass X[None], whose shape is {(1, *shape)}."
        )
