"""The shape of one sample: given by the user, by X, or guessed from rows."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from skconvnet._typing import Shape
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._channel_errors import what_of_channels
from skconvnet.estimators._data_format import (
    first_to_last,
    is_channels_first,
    to_other_order,
)
from skconvnet.estimators._guessed_shape import guessed_shape
from skconvnet.estimators._input_shape import (
    check_lengths,
    matches,
    parse_input_shape,
    shape_of_maps,
    shape_of_rows,
)
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._shape_words import RULE, names_of_axes


def resolve_shape(
    X: CheckedX,
    spatial_ndim: int | None,
    input_shape: object = None,
    *,
    data_format: str | None = None,
) -> Shape:
    """Return the shape of one sample, channels last.

    Parameters
    ----------
    X : array of shape (n_samples, ...)
    spatial_ndim : int or None
        Number of spatial axes that the network works on; 0 or None if any will do.
    input_shape : tuple of int or None
        The hyperparameter, as the user set it.
    data_format : {"channels_last", "channels_first"} or None
        The order of the axes of X and of `input_shape`. None means channels last, for
        an estimator without this parameter.

    Examples
    --------
    >>> resolve_shape(np.zeros((5, 64)), spatial_ndim=2)
    (8, 8, 1)
    >>> resolve_shape(np.zeros((5, 7)), spatial_ndim=2)
    (1, 7, 1)
    >>> resolve_shape(np.zeros((5, 12)), spatial_ndim=2, input_shape=(2, 6))
    (2, 6, 1)
    >>> resolve_shape(np.zeros((5, 3, 8, 9)), 2, data_format="channels_first")
    (8, 9, 3)
    """
    if isinstance(X, MapList):
        return _largest_shape(X, spatial_ndim, input_shape, data_format)
    if input_shape is not None:
        return _given_shape(X, spatial_ndim, input_shape, data_format)
    channels_first = data_format == "channels_first"
    shape = tuple(X.shape[1:])
    if not spatial_ndim:
        return first_to_last(shape) if channels_first and len(shape) > 1 else shape
    if len(shape) == 1:
        return guessed_shape(shape[0], spatial_ndim)
    resolved = shape_of_maps(shape, spatial_ndim, channels_first=channels_first)
    if resolved is None:
        raise ValueError(
            f"X must be rows of shape (n_samples, n_features) or an array of shape "
            f"{_shapes_of_X(spatial_ndim, channels_first=channels_first)}; got X of "
            f"shape {X.shape}."
        )
    return resolved


def _shapes_of_X(spatial_ndim: int, *, channels_first: bool) -> str:
    names = names_of_axes(spatial_ndim, channels_first=channels_first)
    shape = f"(n_samples, {names[1:]}"
    if spatial_ndim == 1:
        return shape
    gray = names.replace(", channels", "").replace("channels, ", "")
    return f"(n_samples, {gray[1:]} or {shape}"


def _given_shape(
    X: CheckedX, spatial_ndim: int | None, input_shape: object, data_format: str | None
) -> Shape:
    channels_first = data_format == "channels_first"
    pattern = parse_input_shape(
        input_shape, spatial_ndim, channels_first=channels_first
    )
    if X.ndim == 2:
        return shape_of_rows(X.shape[1], pattern, input_shape)
    own = tuple(X.shape[1:])
    shape = shape_of_maps(own, len(pattern) - 1, channels_first=channels_first)
    if shape is not None and matches(shape, pattern):
        return shape
    other = own if channels_first else first_to_last(own)
    hint = f"Set input_shape=None for images, or reshape X. {RULE}"
    if matches(other, pattern):
        ends = ("last", "first") if channels_first else ("first", "last")
        remedy = "transpose X"
        if data_format is not None:
            remedy += ", or set data_format to the order of both"
        hint = (
            f"The channels of X come {ends[0]}, those of input_shape {ends[1]}; "
            f"{remedy}."
        )
    raise ValueError(
        f"input_shape={input_shape!r} is not the shape of the samples of X, which "
        f"is {own}. {hint}"
    )


def _largest_shape(
    X: MapList,
    spatial_ndim: int | None,
    input_shape: object,
    data_format: str | None,
) -> Shape:
    """Return the largest length along each axis, channels last."""
    check_lengths(X, input_shape, spatial_ndim)
    ndim = X.maps[0].ndim
    n_spatial = spatial_ndim or ndim - 1
    resolved = [
        shape_of_maps(shape, n_spatial, channels_first=X.channels_first)
        for shape in X.shapes
    ]
    own = {shape for shape in resolved if shape is not None}
    if not n_spatial or not own:
        names = names_of_axes(n_spatial or 1, channels_first=X.channels_first)
        raise ValueError(
            f"X has maps of different sizes with {ndim} axes, such as one of shape "
            f"{X.maps[0].shape}; for a network over {n_spatial} spatial axes their "
            f"shapes must be {names}. Set input_shape to the shape of a sample, with "
            "None for lengths that differ, or pad them to one size."
        )
    if spatial_ndim and len({shape[-1] for shape in own}) > 1:
        axes = ("first", "last") if X.channels_first else ("last", "first")
        remedy = "transpose each sample"
        if data_format is not None:
            remedy += " or set data_format"
        raise ValueError(
            "The samples of X must all have the same number of channels, which are the "
            f"{axes[0]} axis; got samples of shapes {sorted(X.shapes)[:3]}. If the "
            f"channels are the {axes[1]} axis, {remedy}."
        )
    if input_shape is not None:
        pattern = parse_input_shape(
            input_shape, spatial_ndim, channels_first=X.channels_first
        )
        n_channels = {shape[-1] for shape in own}
        if pattern[-1] is not None and n_channels != {pattern[-1]}:
            raise ValueError(
                f"input_shape={input_shape!r} stands for {pattern[-1]} channels, but "
                f"the samples of X have {', '.join(map(str, sorted(n_channels)))}, as "
                f"one of shape {X.maps[0].shape}. Set input_shape to the shape of a "
                "sample, with None for lengths that differ."
            )
        if not all(matches(shape, pattern) for shape in own):
            raise ValueError(
                f"input_shape={input_shape!r} requires samples of one shape, but the "
                "samples of X have different sizes, such as "
                f"{sorted(X.shapes)[:3]}; set input_shape=None, or use None for every "
                "length that differs, as in (None, None, 3) for images and (None, 3) "
                "for sequences."
            )
    return tuple(np.max(list(own), axis=0).tolist())


def with_channels(X: MapList, in_shape: Shape) -> MapList:
    """Return the maps channels last, with an axis of channels like `in_shape`."""
    maps = X.maps
    if maps[0].ndim == len(in_shape) - 1:
        maps = [m[..., None] for m in maps]
    elif X.channels_first:
        maps = [np.moveaxis(m, 0, -1) for m in maps]
    return MapList(maps)


def check_same_shape(
    estimator: BaseEstimator, X: CheckedX, shape: Shape, name_of_X: str = "X"
) -> None:
    """Raise a ValueError if the samples of X are maps of a shape other than `shape`."""
    if isinstance(X, MapList):
        return  # each shape is checked by building a network for it
    name, own = type(estimator).__name__, tuple(X.shape[1:])
    if X.ndim == 2:
        if prod(shape) != X.shape[1]:
            raise ValueError(
                f"{name_of_X} has rows of {X.shape[1]} features, but {name} was fitted "
                "on samples of different sizes; pass a list of samples, or an array "
                "with all axes of a sample."
            )
        return
    channels_first = is_channels_first(estimator)
    ndim = len(shape) - 1
    resolved = shape_of_maps(own, ndim, channels_first=channels_first)
    if resolved == shape:
        return
    hint = f"; resize or reshape {name_of_X} to that shape"
    has_channels = resolved is not None and resolved[-1] == shape[-1]
    if resolved is not None and not has_channels:
        hint = f": {what_of_channels(resolved, shape)}"
    elif resolved is not None and estimator.network_.fits(resolved):
        hint += f", or fit again with input_shape={_any_size(shape, channels_first)}"
    other = own if channels_first else first_to_last(own)
    # Sequences may have other lengths than those of fit.
    are_turned = len(own) == 2 == len(shape) and other[-1] == shape[-1]
    if len(own) > 1 and (shape == other or (are_turned and not has_channels)):
        order = "last" if channels_first else "first"
        remedy = to_other_order(estimator, len(own))
        hint = f"; the channels of {name_of_X} come {order}. {remedy}"
    raise ValueError(
        f"{name_of_X} has samples of shape {own}, but {name} was fitted on samples of "
        f"shape {shape} (channels last){hint}."
    )


def _any_size(shape: Shape, channels_first: bool) -> tuple[int | None, ...]:
    """Return an `input_shape` for samples of any size.

    >>> _any_size((28, 28, 3), channels_first=True)
    (3, None, None)
    """
    *spatial, n_channels = shape
    unknown = (None,) * len(spatial)
    return (n_channels, *unknown) if channels_first else (*unknown, n_channels)


def resolve_dtype(
    dtype: npt.DTypeLike, X: CheckedX, validated: object = None
) -> np.dtype[Any]:
    """Return float32 or float64; "auto" is the smaller one that can represent X.

    If `validated` is a tuple, X has one of these dtypes after validation, the first one
    unless it has another already. That of a ShardedArray is still the one in storage.

    >>> resolve_dtype("auto", np.zeros(3, dtype=np.uint8))
    dtype('float32')
    >>> resolve_dtype("auto", np.zeros(3, dtype=np.uint8), (np.float64, np.float32))
    dtype('float64')
    """
    if dtype == "auto":
        own = X.dtype
        if isinstance(validated, tuple) and own not in validated:
            own = np.dtype(validated[0])
        holds = np.result_type(own, np.float32)
        return np.dtype(np.float32 if holds == np.float32 else np.float64)
    return np.dtype(dtype)
