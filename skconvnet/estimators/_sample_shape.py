"""The shape of one sample: given by the user, by X, or guessed from rows."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator

from skconvnet._checks import is_int, is_sequence, shown
from skconvnet._typing import Shape
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._input_validation import CheckedX

_AXES = {
    1: "(n_samples, length, channels)",
    2: "(n_samples, height, width) or (n_samples, height, width, channels)",
    3: "(n_samples, depth, height, width) or (n_samples, depth, height, width, "
    "channels)",
}


def with_channels(X: MapList, in_shape: Shape) -> MapList:
    """Return the maps with an axis of channels, like `in_shape`.

    Raises
    ------
    ValueError
        If their number of axes or channels differs from `in_shape`.
    """
    maps = X.maps
    if maps[0].ndim == len(in_shape) - 1:
        maps = [m[..., None] for m in maps]
    wrong = [m.shape for m in maps if m.ndim != len(in_shape)]
    wrong += [m.shape for m in maps if not wrong and m.shape[-1] != in_shape[-1]]
    if wrong:
        raise ValueError(
            f"The maps of X must have {len(in_shape) - 1} spatial axes and "
            f"{in_shape[-1]} channels, the channels last; got one of shape {wrong[0]}."
        )
    return MapList(maps)


def resolve_shape(
    X: CheckedX, spatial_ndim: int | None, input_shape: object = None
) -> Shape:
    """Return the shape of one sample, channels last.

    Parameters
    ----------
    X : array of shape (n_samples, ...)
    spatial_ndim : int or None
        Number of spatial axes that the network works on; 0 or None if any will do.
    input_shape : tuple of int or None
        The hyperparameter, as the user set it.

    Examples
    --------
    >>> resolve_shape(np.zeros((5, 64)), spatial_ndim=2)
    (8, 8, 1)
    >>> resolve_shape(np.zeros((5, 7)), spatial_ndim=2)
    (1, 7, 1)
    >>> resolve_shape(np.zeros((5, 12)), spatial_ndim=2, input_shape=(2, 6))
    (2, 6, 1)
    """
    if isinstance(X, MapList):
        return _largest_shape(X, spatial_ndim, input_shape)
    if input_shape is not None:
        return _given_shape(X, spatial_ndim, input_shape)
    shape = tuple(X.shape[1:])
    if not spatial_ndim:
        return shape
    if len(shape) == spatial_ndim + 1:
        return shape
    if len(shape) == spatial_ndim and spatial_ndim > 1:
        return (*shape, 1)
    if len(shape) == 1:
        return _guessed_shape(shape[0], spatial_ndim)
    raise ValueError(
        f"X must be rows of shape (n_samples, n_features) or an array of shape "
        f"{_AXES[spatial_ndim]}; got X of shape {X.shape}."
    )


def _guessed_shape(n_features: int, spatial_ndim: int) -> Shape:
    side = round(n_features ** (1 / spatial_ndim))
    if spatial_ndim == 2:
        side = isqrt(n_features)
    if side**spatial_ndim == n_features:
        return (*(side,) * spatial_ndim, 1)
    return (*(1,) * (spatial_ndim - 1), n_features, 1)


def _largest_shape(X: MapList, spatial_ndim: int | None, input_shape: object) -> Shape:
    if input_shape is not None:
        raise ValueError(
            f"input_shape={input_shape!r} requires samples of one shape, but the "
            "samples of X have different sizes; set input_shape=None."
        )
    ndim = X.maps[0].ndim
    largest = tuple(np.max([m.shape for m in X.maps], axis=0).tolist())
    if spatial_ndim and ndim == spatial_ndim and spatial_ndim > 1:
        return (*largest, 1)
    if ndim != (spatial_ndim or ndim - 1) + 1:
        raise ValueError(
            f"X has maps of different sizes with {ndim} axes, such as one of shape "
            f"{X.maps[0].shape}; for a network over {spatial_ndim} spatial axes their "
            f"shapes must be {_AXES[spatial_ndim or 1].replace('n_samples, ', '')}."
        )
    return largest


def _given_shape(X: CheckedX, spatial_ndim: int | None, input_shape: object) -> Shape:
    ints = list(input_shape) if is_sequence(input_shape) else []
    if not ints or not all(is_int(n) and n > 0 for n in ints):
        raise ValueError(
            "input_shape must be a tuple of positive ints, the shape of one sample "
            f"with channels last such as (28, 28, 1); got {shown(input_shape)}."
        )
    shape = tuple(int(n) for n in ints)
    if spatial_ndim and len(shape) == spatial_ndim:
        shape = (*shape, 1)
    if spatial_ndim and len(shape) != spatial_ndim + 1:
        raise ValueError(
            f"input_shape must have {spatial_ndim + 1} entries, channels last, for a "
            f"network over {spatial_ndim} spatial axes; got {shown(input_shape)}."
        )
    if X.ndim == 2 and X.shape[1] != prod(shape):
        raise ValueError(
            f"input_shape={input_shape!r} has {prod(shape)} values, but X has "
            f"{X.shape[1]} features; the two numbers must be equal."
        )
    if X.ndim > 2 and not _same_shape(X, shape):
        raise ValueError(
            f"input_shape={input_shape!r} is not the shape of the samples of X, which "
            f"is {X.shape[1:]}; set input_shape=None for images, or reshape X."
        )
    return shape


def check_same_shape(estimator: BaseEstimator, X: CheckedX, shape: Shape) -> None:
    """Raise a ValueError if the samples of X are maps of a shape other than `shape`."""
    if isinstance(X, MapList):
        return  # each shape is checked by building a network for it
    if X.ndim == 2 or _same_shape(X, shape):
        return
    raise ValueError(
        f"X has samples of shape {tuple(X.shape[1:])}, but "
        f"{type(estimator).__name__} was fitted on samples of shape {shape} (channels "
        "last); resize or reshape X to that shape."
    )


def _same_shape(X: CheckedX, shape: Shape) -> bool:
    given = tuple(X.shape[1:])
    return given == shape or (shape[-1] == 1 and given == shape[:-1])


def resolve_dtype(dtype: npt.DTypeLike, X: CheckedX) -> np.dtype[Any]:
    """Return float32 or float64; "auto" is the smaller one that can represent X.

    >>> resolve_dtype("auto", np.zeros(3, dtype=np.uint8))
    dtype('float32')
    """
    if dtype == "auto":
        holds = np.result_type(X.dtype, np.float32)
        return np.dtype(np.float32 if holds == np.float32 else np.float64)
    return np.dtype(dtype)
