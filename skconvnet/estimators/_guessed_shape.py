"""The shape of a sample that is guessed from the length of a row."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, prod
from typing import Any

from skconvnet._typing import Shape
from skconvnet.estimators._column_names import (
    are_numbered,
    grid_of_names,
    name_pixels,
)
from skconvnet.estimators._data_format import (
    is_channels_first,
    is_convnet,
    last_to_first,
)
from skconvnet.estimators._shape_words import kind, names_of_axes

# A row is suspected to hold a color image if its side is a multiple of the first, or
# the other: sides that images usually have, so that few series are suspected.
_COLOR_SIDE, _OTHER_COLOR_SIDE = 8, 28
# A network of more weights than this is seldom meant if the shape was guessed.
_MANY_WEIGHTS = 4_000_000
# Images that are given as examples are at most so many times as wide as high.
_MAX_ASPECT = 2


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
    'X has 64 features: read as 8x8 gray images; set input_shape to change that'
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
    if names is None:
        return None
    series = f"set input_shape={_as_input_shape(estimator, shape)}"
    if not are_numbered(names):
        return (
            f"The columns of X have names as in a table, but are read as {kind(shape)}:"
            " convolution takes neighboring columns for neighboring pixels. For tables,"
            " use MLPClassifier or MLPRegressor. If the columns are pixels or a series,"
            f" {series}."
        )
    return _doubt_about_pixels(estimator, shape, names, series)


def _doubt_about_pixels(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
    names: Sequence[str],
    series: str,
) -> str | None:
    """Return why numbered columns may be pixels of other images, or None."""
    text = f"The columns of X, {names[0]!r} to {names[-1]!r},"
    grid = grid_of_names(names)
    if grid is not None:
        images = grid if len(grid) == 3 else (*grid, 1)
        if images == shape:
            return None
        stated = _as_input_shape(estimator, images)
        return (
            f"{text} are numbered like {kind(images)}, but are read as {kind(shape)}. "
            f"For such images, set input_shape={stated}; for what they are read as, "
            f"{series}."
        )
    if shape[0] > 1 or not name_pixels(names):
        return None
    return (
        f"{text} have names of pixels, but are read as {kind(shape)}, since "
        f"{prod(shape)} is no square. {_ways_to_images(estimator, prod(shape))}; for "
        f"series, {series}."
    )


def _ways_to_images(
    estimator: Any,  # noqa: ANN401  estimators have no type
    n_features: int,
) -> str:
    """Return what to set for images, with an example that has as many values."""
    names = names_of_axes(2, channels_first=is_channels_first(estimator))
    text = f"For images, set input_shape={names}"
    examples = [
        str(_as_input_shape(estimator, (*sides, channels)))
        for channels in (1, 3)
        if (sides := _sides(n_features, channels)) is not None
    ]
    return f"{text}, such as {' or '.join(examples)}" if examples else text


def _sides(n_features: int, channels: int) -> tuple[int, int] | None:
    """Return the height and width of an image of usual aspect, or None.

    >>> _sides(2000, 1), _sides(2000, 3), _sides(60, 3), _sides(58, 1)
    ((40, 50), None, (4, 5), None)
    """
    n_pixels, rest = divmod(n_features, channels)
    for height in range(isqrt(n_pixels), 1, -1):
        if n_pixels % height == 0 and not rest:
            width = n_pixels // height
            return (height, width) if width <= _MAX_ASPECT * height else None
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
    for order, parameter in ways.items():
        if order != estimator.data_format:
            ways[order] = f"data_format={order!r} and {parameter}"
    return ways["channels_last"], ways["channels_first"]


def _as_input_shape(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
) -> Shape:
    """Return the `input_shape` that states a guess of gray images or of series.

    For ConvNet*, series are sequences, of which layers pool the only axis.
    """
    if is_convnet(estimator) and shape[0] == 1:
        shape = shape[1:]
    return last_to_first(shape) if is_channels_first(estimator) else shape


def doubt_about_size(
    estimator: Any,  # noqa: ANN401  estimators have no type
    shape: Shape,
    n_weights: int,
) -> str | None:
    """Return what to say about a large network for series whose shape was guessed."""
    if 1 not in shape[:-1] or n_weights < _MANY_WEIGHTS:
        return None
    n_features = prod(shape)
    series = f"input_shape={_as_input_shape(estimator, shape)}"
    if hasattr(estimator, "global_pooling"):
        series += (
            ", with global_pooling='avg' or more entries in filters to make the "
            "network smaller"
        )
    return (
        f"X has rows of {n_features:,} features, which are read as series of "
        f"{n_features:,} values, since no input_shape is set. This leads to a network "
        f"of {n_weights:,} weights, which is slow to train. For series, set {series}. "
        f"{_ways_to_images(estimator, n_features)}."
    )
