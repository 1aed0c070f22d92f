"""The shape of a sample that is guessed from the length of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isqrt, prod

from skconvnet._typing import Shape
from skconvnet.estimators._shape_words import kind

# The side of the smallest color images that a row is suspected to hold.
_MIN_COLOR_SIDE = 8
# A network of more weights than this is seldom meant if the shape was guessed.
_MANY_WEIGHTS = 4_000_000


def guessed_shape(n_features: int, spatial_ndim: int) -> Shape:
    """Return a square or cube of one channel if there is one, else a single line.

    >>> guessed_shape(64, 2), guessed_shape(30, 2), guessed_shape(30, 1)
    ((8, 8, 1), (1, 30, 1), (30, 1))
    """
    side = round(n_features ** (1 / spatial_ndim))
    if spatial_ndim == 2:
        side = isqrt(n_features)
    if side**spatial_ndim == n_features:
        return (*(side,) * spatial_ndim, 1)
    return (*(1,) * (spatial_ndim - 1), n_features, 1)


def guess_in_words(shape: Shape) -> str:
    """Return the line that tells a guess.

    >>> guess_in_words((8, 8, 1))
    'X has 64 features: read as 8x8 grey images; set input_shape to change that'
    """
    return (
        f"X has {prod(shape):,} features: read as {kind(shape)}; set input_shape to "
        "change that"
    )


def doubt_about_guess(
    shape: Shape,
    names: Iterable[str] | None,
    *,
    has_data_format: bool,
) -> str | None:
    """Return why a guess is far-fetched, and what to do, or None if it is not.

    Parameters
    ----------
    shape : tuple of int
        The guess, channels last.
    names : iterable of str or None
        The names of the columns, if X has them.
    has_data_format : bool
        Whether the estimator has the parameter `data_format`.
    """
    n_features = prod(shape)
    side = isqrt(n_features // 3)
    is_line = 1 in shape[:-1]
    if is_line and 3 * side**2 == n_features and side >= _MIN_COLOR_SIDE:
        text = (
            f"X has {n_features:,} features, which are read as {kind(shape)}. Are they "
            f"{side}x{side} images of 3 colors? Then set input_shape=({side}, {side}, "
            "3) if the colors of a pixel are next to each other in a row"
        )
        text += (
            f", or data_format='channels_first' and input_shape=(3, {side}, {side}) if "
            "they are one color after the other"
            if has_data_format
            else f", or pass X.reshape(-1, 3, {side}, {side}).transpose(0, 2, 3, 1) if "
            "they are one color after the other"
        )
        return f"{text}. If the guess is right, set input_shape={shape}."
    if names is not None and not _are_numbered(names):
        return (
            f"The columns of X have names as in a table, but are read as {kind(shape)}:"
            " convolution takes neighboring columns for neighboring pixels. For tables,"
            " use MLPClassifier or MLPRegressor. If the columns are pixels or a series,"
            f" set input_shape={shape}."
        )
    return None


def _are_numbered(names: Iterable[str]) -> bool:
    """Return whether names differ only in numbers, as in "pixel_0_1"."""
    return len({re.sub(r"\d+", "0", name) for name in names}) <= 1


def doubt_about_size(shape: Shape, n_weights: int) -> str | None:
    """Return what to say about a large network for series whose shape was guessed."""
    n_features = prod(shape)
    if 1 not in shape[:-1] or n_weights < _MANY_WEIGHTS:
        return None
    return (
        f"X has {n_features:,} features, which are read as {kind(shape)}, by a network "
        f"of {n_weights:,} weights. If they are images, set input_shape. If they are "
        f"series, set input_shape={shape}; global_pooling='avg' or more blocks of "
        "filters make the network smaller."
    )
