"""What users pass as X, brought to arrays of samples of a known shape."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils.validation import check_array, check_X_y, validate_data

from skconvnet.ops.windows import _is_int

_Y_OPTIONS = ("multi_output", "y_numeric")

_AXES = {
    1: "(n_samples, length, channels)",
    2: "(n_samples, height, width) or (n_samples, height, width, channels)",
    3: "(n_samples, depth, height, width) or (n_samples, depth, height, width, "
    "channels)",
}


def check_X(
    estimator: Any, X: Any, *, reset: bool, y: Any = "no_validation", **options: Any
) -> Any:
    """Validate X, and y where it is given, as scikit-learn does.

    Rows go through `validate_data`, with feature names and all. Arrays of images are
    checked for numbers and finiteness but keep their dtype and are not copied.

    Returns
    -------
    X : ndarray or sparse matrix, or the pair (X, y)
    """
    if not hasattr(X, "ndim"):
        X = _as_array(X)
    has_y = not (isinstance(y, str) and y == "no_validation")
    if not has_y:
        options = {k: v for k, v in options.items() if k not in _Y_OPTIONS}
    if getattr(X, "ndim", 2) < 3 or issparse(X):
        return validate_data(estimator, X, y, reset=reset, **options)
    if 0 in X.shape[1:]:
        raise ValueError(
            f"X has shape {X.shape}; every axis of a sample must have a length of at "
            "least 1."
        )
    options = {"dtype": "numeric", **options, "allow_nd": True, "estimator": estimator}
    if not has_y:
        return check_array(X, input_name="X", **options)
    if reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    return check_X_y(X, y, **options)


def _as_array(X: Any) -> Any:
    if issparse(X) or hasattr(X, "__dataframe__") or not hasattr(X, "__len__"):
        return X
    try:
        return np.asarray(X)
    except ValueError:  # ragged: let scikit-learn word the error
        return X


def resolve_shape(
    X: Any, spatial_ndim: int | None, input_shape: Any = None
) -> tuple[int, ...]:
    """Return the shape of one sample, channels last.

    Parameters
    ----------
    X : array of shape (n_samples, ...)
    spatial_ndim : int or None
        Spatial axes that the network works on; 0 or None for none in particular.
    input_shape : tuple of int or None
        As the user gave it.

    Examples
    --------
    >>> resolve_shape(np.zeros((5, 64)), spatial_ndim=2)
    (8, 8, 1)
    >>> resolve_shape(np.zeros((5, 7)), spatial_ndim=2)
    (1, 7, 1)
    >>> resolve_shape(np.zeros((5, 12)), spatial_ndim=2, input_shape=(2, 6))
    (2, 6, 1)
    """
    if input_shape is not None:
        return _told_shape(X, spatial_ndim, input_shape)
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


def _guessed_shape(n_features: int, spatial_ndim: int) -> tuple[int, ...]:
    side = round(n_features ** (1 / spatial_ndim))
    if spatial_ndim == 2:
        side = isqrt(n_features)
    if side**spatial_ndim == n_features:
        return (*(side,) * spatial_ndim, 1)
    return (*(1,) * (spatial_ndim - 1), n_features, 1)


def _told_shape(X: Any, spatial_ndim: int | None, input_shape: Any) -> tuple[int, ...]:
    is_tuple = isinstance(input_shape, (tuple, list)) and len(input_shape) > 0
    if not is_tuple or not all(_is_int(n) and n > 0 for n in input_shape):
        raise ValueError(
            "input_shape must be a tuple of positive ints, the shape of one sample "
            f"with channels last such as (28, 28, 1); got {input_shape!r}."
        )
    shape = tuple(int(n) for n in input_shape)
    if spatial_ndim and len(shape) == spatial_ndim:
        shape = (*shape, 1)
    if spatial_ndim and len(shape) != spatial_ndim + 1:
        raise ValueError(
            f"input_shape must have {spatial_ndim + 1} entries, channels last, for a "
            f"network over {spatial_ndim} spatial axes; got {input_shape!r}."
        )
    if X.ndim == 2 and X.shape[1] != prod(shape):
        raise ValueError(
            f"input_shape={input_shape!r} has {prod(shape)} values, but X has "
            f"{X.shape[1]} features; their numbers must be equal."
        )
    if X.ndim > 2 and not _same_shape(X, shape):
        raise ValueError(
            f"input_shape={input_shape!r} is not the shape of the samples of X, which "
            f"is {X.shape[1:]}; leave it None for images, or reshape X."
        )
    return shape


def check_same_shape(estimator: Any, X: Any, shape: tuple[int, ...]) -> None:
    """Raise a ValueError if the samples of X are maps of another shape."""
    if X.ndim == 2 or _same_shape(X, shape):
        return
    raise ValueError(
        f"X has samples of shape {tuple(X.shape[1:])}, but "
        f"{type(estimator).__name__} was fitted on samples of shape {shape} (channels "
        "last); resize or reshape X to that."
    )


def _same_shape(X: Any, shape: tuple[int, ...]) -> bool:
    given = tuple(X.shape[1:])
    return given == shape or (shape[-1] == 1 and given == shape[:-1])


def resolve_dtype(dtype: Any, X: Any) -> np.dtype:
    """Return float32 or float64; "auto" takes the smaller that holds X's values.

    >>> resolve_dtype("auto", np.zeros(3, dtype=np.uint8))
    dtype('float32')
    """
    if dtype == "auto":
        dtype = np.result_type(X.dtype, np.float32)
        return np.dtype(np.float32 if dtype == np.float32 else np.float64)
    return np.dtype(dtype)
