"""The shape of a sample that is guessed from the length of a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from math import isqrt, prod
from typing import Any

from skconvnet._typing import Shape
from skconvnet.estimators._data_format import last_to_first
from skconvnet.estimators._shape_words import kind

# A row is suspected to hold a color image if its side is a multiple of the first, or
# the other: sides that images usually have, so that few series are suspected.
_COLOR_SIDE, _OTHER_COLOR_SIDE = 8, 28
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
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
) -> str | None:
    """Return why a guess of images is far-fetched, and what to do, or None."""
    n_features = prod(shape)
    side = isqrt(n_features // 3)
    is_usual = side % _COLOR_SIDE == 0 or side == _OTHER_COLOR_SIDE
    if 3 * side**2 == n_features and is_usual:
        last, first = _ways_to_color_images(estimator, side)
        return (
            f"X has {n_features:,} features, which are read as {kind(shape)}. Are they "
            f"{side}x{side} images of 3 colors? Then set {last} if the colors of a "
            f"pixel are next to each other in a row, or {first} if they are one color "
            f"after the other. If they are series, set "
            f"input_shape={_as_input_shape(estimator, shape)}."
        )
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and not _are_numbered(names):
        return (
            f"The columns of X have names as in a table, but are read as {kind(shape)}:"
            " convolution takes neighboring columns for neighboring pixels. For tables,"
            " use MLPClassifier or MLPRegressor. If the columns are pixels or a series,"
            f" set input_shape={_as_input_shape(estimator, shape)}."
        )
    return None


def _ways_to_color_images(
    estimator: Any,  # noqa: ANN401  estimators have no type
    side: int,
) -> tuple[str, str]:
    """Return what to set for rows of colors channels last, and channels first."""
    ways = {
        "channels_last": f"input_shape={(side, side, 3)}",
        "channels_first": f"input_shape={(3, side, side)}",
    }
    own = getattr(estimator, "data_format", None)
    if own is None:
        maps = f"X.reshape{(-1, 3, side, side)}.transpose(0, 2, 3, 1)"
        return ways["channels_last"], f"pass {maps}"
    for order, parameter in ways.items():
        if order != own:
            ways[order] = f"data_format={order!r} and {parameter}"
    return ways["channels_last"], ways["channels_first"]


def _as_input_shape(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
) -> Shape:
    """Return the `input_shape` that states a guess of grey images or of series.

    For ConvNet*, series are sequences, of which layers pool the only axis.
    """
    own = getattr(estimator, "data_format", None)
    if own is not None and shape[0] == 1:
        shape = shape[1:]
    return last_to_first(shape) if own == "channels_first" else shape


def _are_numbered(names: Iterable[str]) -> bool:
    """Return whether names differ only in numbers, as in "pixel_0_1"."""
    return len({re.sub(r"\d+", "0", name) for name in names}) <= 1


def doubt_about_size(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
    n_weights: int,
) -> str | None:
    """Return what to say about a large network for series whose shape was guessed."""
    if 1 not in shape[:-1] or n_weights < _MANY_WEIGHTS:
        return None
    advice = ""
    if hasattr(estimator, "global_pooling"):
        advice = (
            "; global_pooling='avg' or more blocks of filters make the network smaller"
        )
    return (
        f"X has {prod(shape):,} features, which are read as {kind(shape)}, by a "
        f"network of {n_weights:,} weights. If they are images, set input_shape. If "
        f"they are series, set input_shape={_as_input_shape(estimator, shape)}{advice}."
    )
