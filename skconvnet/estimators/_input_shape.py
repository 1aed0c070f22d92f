"""The hyperparameter `input_shape`: what users may set it to, and how X matches it."""

from __future__ import annotations

from math import prod
from typing import Any, TypeAlias

from skconvnet._checks import is_int, is_sequence
from skconvnet._typing import Shape
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._data_format import first_to_last
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._shape_words import RULE, names_of_axes

# The shape of a sample, channels last. None stands for any length.
Pattern: TypeAlias = tuple[int | None, ...]


def convnet_spatial_ndim(
    X: CheckedX, input_shape: object, *, channels_first: bool = False
) -> int:
    """Return the number of spatial axes of the samples of a convolutional network.

    The entries of `input_shape` decide, of which one is for the channels. Without it,
    rows and arrays of three or four axes have images, arrays of five axes volumes. But
    no image is one pixel wide: an axis of length 1 where channels are is one of
    channels, so that arrays of shape (n, length, 1) have sequences.

    >>> import numpy as np
    >>> convnet_spatial_ndim(np.zeros((9, 50, 6)), None)
    2
    >>> convnet_spatial_ndim(np.zeros((9, 50, 6)), (50, 6))
    1
    >>> convnet_spatial_ndim(np.zeros((9, 50, 1)), None)
    1
    """
    if input_shape is not None:
        n_entries = len(parse_input_shape(input_shape, None))
        if n_entries not in (2, 3, 4):
            raise ValueError(
                "input_shape must have 3 entries for images, (height, width, "
                "channels), 2 for sequences, (length, channels), or 4 for volumes, "
                f"(depth, height, width, channels); got {input_shape!r}."
            )
        return n_entries - 1
    if isinstance(X, MapList):
        check_lengths(X, input_shape, None)
        n_axes = X.maps[0].ndim + 1
        what = f"X has samples such as one of shape {X.maps[0].shape}"
        is_allowed = n_axes in (3, 4, 5)
    else:
        n_axes, what = X.ndim, f"X has shape {X.shape}"
        is_allowed = n_axes in (2, 3, 4, 5)
    if not is_allowed:
        raise ValueError(f"{what}, which is neither rows nor images. {RULE}")
    if n_axes == 3 and _has_one_channel(X, 0 if channels_first else -1):
        return 1
    return 3 if n_axes == 5 else 2


def _has_one_channel(X: CheckedX, axis: int) -> bool:
    """Return whether all samples have the length 1 along an axis."""
    shapes = X.shapes if isinstance(X, MapList) else {tuple(X.shape[1:])}
    return {shape[axis] for shape in shapes} == {1}


def check_lengths(X: MapList, input_shape: object, spatial_ndim: int | None) -> None:
    """Raise a ValueError for rows of different lengths that are not sequences."""
    if X.maps[0].ndim > 1 or input_shape is not None or spatial_ndim:
        return
    raise ValueError(
        f"X has rows of different lengths, such as {X.maps[0].shape[0]}. Pad them to "
        "one length or, for an estimator with input_shape, set input_shape=(None, 1) "
        "to read them as sequences of one channel."
    )


def parse_input_shape(
    input_shape: object, spatial_ndim: int | None, *, channels_first: bool = False
) -> Pattern:
    """Return `input_shape` channels last, with an entry for the channels.

    >>> parse_input_shape((28, 28), 2), parse_input_shape([3, None], 1,
    ...                                                   channels_first=True)
    ((28, 28, 1), (None, 3))
    """
    entries = _entries(input_shape)
    if not entries or not all(e is None or (is_int(e) and e > 0) for e in entries):
        raise ValueError(
            "input_shape must be a tuple of positive ints, the shape of one sample "
            "with channels last such as (28, 28, 1), or None for an axis of any "
            f"length; got {input_shape!r}."
        )
    pattern = tuple(None if entry is None else int(entry) for entry in entries)
    if spatial_ndim and len(pattern) == spatial_ndim:
        return (*pattern, 1)
    if spatial_ndim and len(pattern) != spatial_ndim + 1:
        names = names_of_axes(spatial_ndim, channels_first=channels_first)
        raise ValueError(
            f"input_shape must have {spatial_ndim + 1} entries, {names}, for a network "
            f"over {spatial_ndim} spatial axes; got {input_shape!r}."
        )
    return (*pattern[1:], pattern[0]) if channels_first else pattern


def _entries(input_shape: object) -> list[Any]:
    return list(input_shape) if is_sequence(input_shape) else []


def matches(shape: Shape, pattern: Pattern) -> bool:
    """Return whether a shape has the lengths of a pattern.

    >>> matches((50, 3), (None, 3)), matches((50, 4), (None, 3))
    (True, False)
    """
    return len(shape) == len(pattern) and all(
        wanted in (None, n) for n, wanted in zip(shape, pattern, strict=True)
    )


def shape_of_rows(n_features: int, pattern: Pattern, input_shape: object) -> Shape:
    """Return the shape of a sample whose values are a row.

    One length may be None, which then follows from the number of values.

    >>> shape_of_rows(150, (None, 3), (None, 3))
    (50, 3)
    """
    known = prod(n for n in pattern if n is not None)
    n_unknown = pattern.count(None)
    if n_unknown == 0 and known != n_features:
        raise ValueError(
            f"input_shape={input_shape!r} has {known} values, but X has {n_features} "
            "features; the two numbers must be equal."
        )
    if n_unknown > 1 or n_features % known:
        raise ValueError(
            f"input_shape={input_shape!r} does not say how the {n_features} features "
            "of a row are arranged; only one entry may be None, and the product of the "
            "others must divide the number of features."
        )
    return tuple(n_features // known if n is None else n for n in pattern)


def shape_of_maps(
    shape: Shape, spatial_ndim: int, *, channels_first: bool = False
) -> Shape | None:
    """Return the shape of a sample of an array, channels last.

    An axis of channels is added if it has none. None means that the number of axes does
    not fit.

    >>> shape_of_maps((3, 32, 32), 2, channels_first=True)
    (32, 32, 3)
    >>> shape_of_maps((28, 28), 2)
    (28, 28, 1)
    """
    if len(shape) == spatial_ndim + 1:
        return first_to_last(shape) if channels_first else shape
    return (*shape, 1) if len(shape) == spatial_ndim else None
