"""What users pass as X, brought to arrays of samples of a known shape."""

from __future__ import annotations

from math import isqrt, prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import (
    _check_sample_weight,
    _check_y,
    check_array,
    check_consistent_length,
    check_X_y,
    validate_data,
)

from skconvnet._checks import is_int
from skconvnet.engine.ragged import MapList

_Y_OPTIONS = ("multi_output", "y_numeric")


_AXES = {
    1: "(n_samples, length, channels)",
    2: "(n_samples, height, width) or (n_samples, height, width, channels)",
    3: "(n_samples, depth, height, width) or (n_samples, depth, height, width, "
    "channels)",
}


# So many are looked at without asking scikit-learn how to.
_FEW_NUMBERS = 10_000


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
    if not hasattr(X, "ndim") or _is_object_array(X):
        X = _as_maps(X)
    takes_any_size = hasattr(estimator, "network_") and not (
        reset or hasattr(estimator, "n_features_in_")
    )
    if takes_any_size and getattr(X, "ndim", 2) > 2:
        X = MapList(X)
    if isinstance(X, MapList):
        return _check_maps(estimator, X, reset, y, options)
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
        if type(X) is np.ndarray and X.dtype.kind in "fiub" and len(X):
            # All that is left to check, in a tenth of the time for a single image.
            if X.size > _FEW_NUMBERS or not np.isfinite(X).all():
                name = type(estimator).__name__
                assert_all_finite(X, estimator_name=name, input_name="X")
            return X
        return check_array(X, input_name="X", **options)
    if reset and hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_
    return check_X_y(X, y, **options)


def check_weights(sample_weight: object, X: Any) -> npt.NDArray[Any] | None:
    """Return the weights of the samples of X as an array, if there are any."""
    if sample_weight is None:
        return None
    weights: npt.NDArray[Any] = _check_sample_weight(
        sample_weight, X, ensure_non_negative=True
    )
    return weights


def _is_object_array(X: Any) -> bool:
    return isinstance(X, np.ndarray) and X.dtype.kind == "O" and X.ndim == 1


def _as_maps(X: Any) -> Any:
    """Return a list of maps as an array where all are of one size, else a MapList."""
    if issparse(X) or hasattr(X, "__dataframe__") or not hasattr(X, "__len__"):
        return X
    if len(X) and all(np.ndim(x) >= 2 and hasattr(x, "dtype") for x in X):
        if len({np.shape(x) for x in X}) == 1:
            return np.stack(list(X))
        return MapList([np.asarray(x) for x in X])
    try:
        return X if hasattr(X, "ndim") else np.asarray(X)
    except ValueError:  # ragged: let scikit-learn word the error
        return X


def _check_maps(
    estimator: Any, X: MapList, reset: bool, y: Any, options: dict[str, Any]
) -> Any:
    """Check maps of different sizes, and y where it is given."""
    ndims = {m.ndim for m in X.maps}
    if len(ndims) > 1:
        raise ValueError(
            "The maps of X must all have the same number of axes; got maps of shapes "
            f"{sorted(X.shapes, key=str)[:5]}."
        )
    for i, one in enumerate(X.maps):
        if one.dtype.kind not in "fiub":
            raise ValueError(f"X[{i}] must be numbers; got dtype {one.dtype}.")
        if 0 in one.shape:
            raise ValueError(
                f"X[{i}] has shape {one.shape}; every axis must have a length of at "
                "least 1."
            )
        assert_all_finite(one, estimator_name=type(estimator).__name__, input_name="X")
    if reset:
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(estimator, name):
                delattr(estimator, name)
    if isinstance(y, str) and y == "no_validation":
        return X
    y = _check_y(
        y,
        multi_output=options.get("multi_output", False),
        y_numeric=options.get("y_numeric", False),
        estimator=estimator,
    )
    check_consistent_length(X, y)
    return X, y


def with_channels(X: MapList, in_shape: tuple[int, ...]) -> MapList:
    """Return the maps with an axis of channels, as `in_shape` has.

    Raises
    ------
    ValueError
        If they have other numbers of axes or channels.
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
    if isinstance(X, MapList):
        return _largest_shape(X, spatial_ndim, input_shape)
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


def _largest_shape(
    X: MapList, spatial_ndim: int | None, input_shape: Any
) -> tuple[int, ...]:
    if input_shape is not None:
        raise ValueError(
            f"input_shape={input_shape!r} is for samples of one shape, but those of X "
            "have different sizes; set input_shape=None."
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


def _told_shape(X: Any, spatial_ndim: int | None, input_shape: Any) -> tuple[int, ...]:
    is_tuple = isinstance(input_shape, (tuple, list)) and len(input_shape) > 0
    if not is_tuple or not all(is_int(n) and n > 0 for n in input_shape):
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
    if isinstance(X, MapList):
        return  # Each shape is checked by building a network for it.
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
