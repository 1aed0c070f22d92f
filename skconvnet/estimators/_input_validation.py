"""Validation of X and y: by scikit-learn for rows, and to the same effect for maps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import (
    _check_n_features,
    _check_sample_weight,
    _check_y,
    check_array,
    check_consistent_length,
    check_X_y,
    validate_data,
)

from skconvnet._typing import Image
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._cell_arrays import cells_as_list, refuse_cell_arrays
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._file_names import refuse_no_samples
from skconvnet.estimators._map_form import MapForm, as_maps
from skconvnet.estimators._missing_steps import located_if_not_finite
from skconvnet.estimators._numeric_data import refuse_non_numeric
from skconvnet.estimators._pillow_images import check_not_one_image
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_maps,
    are_of_positions,
    check_position_weights,
)
from skconvnet.estimators._sample_lists import stacked_samples
from skconvnet.estimators._series_frames import without_frames
from skconvnet.estimators._shape_words import kind
from skconvnet.estimators._stored_arrays import sharded_if_stored
from skconvnet.estimators._target_checks import check_y
from skconvnet.estimators._tensors import check_tensors
from skconvnet.estimators._weight_checks import check_weights_shape
from skconvnet.shards.sharded_array import ShardedArray

# X after validation: rows or maps, sparse rows, or maps of different sizes.
CheckedX: TypeAlias = Image | csr_matrix | MapList | ShardedArray

# Options of scikit-learn's validation that concern y alone.
_Y_OPTIONS = ("multi_output", "y_numeric")

# Kinds of dtypes that check_array keeps: floats, integers, unsigned ones and booleans.
_REAL_KINDS = "fiub"
# Arrays of at most this size are checked without scikit-learn, which takes longer.
_FEW_NUMBERS = 10_000


def check_X(
    estimator: BaseEstimator,
    X: Any,  # noqa: ANN401  anything that users pass
    *,
    reset: bool,
    **options: object,
) -> CheckedX:
    """Validate X as scikit-learn does.

    Rows are validated by `validate_data`, which also handles feature names. Arrays of
    images must be numeric and finite; they keep their dtype and are not copied.

    Parameters
    ----------
    estimator : estimator
    X : array-like
    reset : bool
        Whether the estimator learns the number of features and their names from X.
    **options : dict
        Options of `validate_data`.
    """
    options = {name: o for name, o in options.items() if name not in _Y_OPTIONS}
    if not reset and _is_ready(estimator, X, options.get("dtype")):
        ready: Image = X
        _check_finite(estimator, ready)
        return ready
    array = _as_array(estimator, sharded_if_stored(X, "X"), reset)
    if isinstance(array, MapList):
        _check_maps(estimator, array, reset)
        return array
    if isinstance(array, ShardedArray):
        _check_sharded(estimator, array, reset)
        return array
    if _is_rows(array):
        with (
            _how_rows_are_read(estimator, reset=reset),
            located_if_not_finite(estimator, _if_rows(array)),
        ):
            rows: CheckedX = validate_data(estimator, array, reset=reset, **options)
        return rows
    _check_axes(array)
    if type(array) is np.ndarray and array.dtype.kind in _REAL_KINDS and len(array):
        _check_finite(estimator, array)
        return array
    options = _for_maps(estimator, options)
    maps: Image = check_array(array, input_name="X", **options)
    return maps


def _is_ready(
    estimator: BaseEstimator,
    X: Any,  # noqa: ANN401  anything that users pass
    dtypes: object,
) -> TypeGuard[npt.NDArray[Any]]:
    """Return whether X is an array that scikit-learn would return as it is, if finite.

    It takes longer to find that out than to predict one row.
    """
    if type(X) is not np.ndarray or X.dtype.kind not in _REAL_KINDS or not X.size:
        return False
    n_features = getattr(estimator, "n_features_in_", None)
    if X.ndim != 2:
        return X.ndim > 2 and n_features is not None
    is_of_dtype = X.dtype in dtypes if isinstance(dtypes, tuple) else dtypes is None
    has_names = hasattr(estimator, "feature_names_in_")
    return is_of_dtype and X.shape[1] == n_features and not has_names


def _check_finite(estimator: BaseEstimator, X: npt.NDArray[Any]) -> None:
    """Raise scikit-learn's error unless all numbers are finite."""
    if X.size > _FEW_NUMBERS or not np.isfinite(X).all():
        name = type(estimator).__name__
        with located_if_not_finite(estimator, X):
            assert_all_finite(X, estimator_name=name, input_name="X")


def check_X_and_y(
    estimator: BaseEstimator,
    X: object,
    y: object,
    *,
    reset: bool,
    suffix: str = "",
    **options: object,
) -> tuple[CheckedX, Any]:
    """Validate X, as `check_X` does, together with y.

    `suffix` is "_val" for a validation set, whose arrays are named X_val and y_val. A y
    of maps of different sizes is returned as a MapList.
    """
    X = sharded_if_stored(X, f"X{suffix}")
    X, y = without_frames(estimator, X, y, reset=reset), cells_as_list(y)
    check_y(estimator, X, y, suffix)
    if getattr(estimator, "_takes_map_targets", False):
        maps = as_maps(y, f"y{suffix}")
        if are_maps(maps):
            maps = _check_y_maps(
                estimator, maps, numeric=bool(options.get("y_numeric"))
            )
            flat, of_each = np.zeros(len(maps)), {**options, "y_numeric": False}
            own, _ = check_X_and_y(
                estimator, X, flat, reset=reset, suffix=suffix, **of_each
            )
            return own, maps
    array = _as_array(estimator, X, reset, f"X{suffix}")
    if isinstance(array, MapList | ShardedArray):
        if isinstance(array, MapList):
            _check_maps(estimator, array, reset, f"X{suffix}")
        else:
            _check_sharded(estimator, array, reset)
        own = {name: options.get(name, False) for name in _Y_OPTIONS}
        targets: npt.NDArray[Any] = _check_y(y, estimator=estimator, **own)
        check_consistent_length(array, targets)
        return array, targets
    checked: tuple[CheckedX, npt.NDArray[Any]]
    if _is_rows(array):
        with (
            _how_rows_are_read(estimator, reset=reset),
            located_if_not_finite(estimator, _if_rows(array)),
        ):
            checked = validate_data(estimator, array, y, reset=reset, **options)
        return checked
    _check_axes(array)
    if reset:
        _forget(estimator, "feature_names_in_")
    with located_if_not_finite(estimator, array):
        checked = check_X_y(array, y, **_for_maps(estimator, options))
    return checked


def _check_y_maps(estimator: BaseEstimator, y: CheckedY, *, numeric: bool) -> CheckedY:
    """Return maps of targets, after checking that they are finite."""
    if isinstance(y, MapList):
        maps = [_check_y_maps(estimator, own, numeric=numeric) for own in y.maps]
        return MapList([np.asarray(own) for own in maps])
    if 0 in y.shape:
        raise ValueError(
            f"y has shape {y.shape}; every axis of a target must have a length of at "
            "least 1."
        )
    if numeric and y.dtype.kind == "O":
        y = y.astype(np.float64)
    if y.dtype.kind == "f":
        name = type(estimator).__name__
        assert_all_finite(y, estimator_name=name, input_name="y")
    return y


def check_weights(
    sample_weight: Any,  # noqa: ANN401  anything that users pass
    X: CheckedX,
    y: CheckedY,
    form: MapForm | None,
    name: str = "sample_weight",
) -> PositionWeights | None:
    """Return the sample weights as an array, or None if none are given.

    If y consists of maps, whose axes `form` describes, weights may be maps as well, of
    one weight per position.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or all of them are 0.
    """
    if sample_weight is None:
        return None
    check_tensors(sample_weight, name)
    sample_weight = cells_as_list(sample_weight)
    if form is not None and are_of_positions(sample_weight):
        return check_position_weights(sample_weight, y, form.n_spatial, name)
    try:
        check_weights_shape(sample_weight, int(X.shape[0]))
        has_dtype = hasattr(sample_weight, "dtype")
        given = sample_weight if has_dtype else np.asarray(sample_weight)
        refuse_non_numeric(given, name)
        weights: npt.NDArray[np.float64] = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
    except (TypeError, ValueError, OverflowError) as error:
        kind_of_error = ValueError if isinstance(error, OverflowError) else type(error)
        if name in str(error):
            raise kind_of_error(str(error)) from error
        raise kind_of_error(f"{name}: {error}") from error
    if not np.isfinite(weights).all():  # scikit-learn does not check a single number
        raise ValueError(f"{name} must be finite; got {sample_weight!r}.")
    return weights


def _as_array(
    estimator: BaseEstimator,
    X: Any,  # noqa: ANN401  anything that users pass
    reset: bool,
    name: str = "X",
) -> Any:  # noqa: ANN401  an array, or anything that scikit-learn converts to one
    """Return X as an array or a MapList, or unchanged for scikit-learn to convert.

    Raise an error that calls X by its `name` if a value is not numeric.
    """
    if isinstance(X, ShardedArray):
        return X
    check_tensors(X, name)
    check_not_one_image(X)
    refuse_no_samples(X, name)
    refuse_non_numeric(X, name)
    channels_first = is_channels_first(estimator)
    is_of_objects = _kind_of(X) == "O" and X.ndim == 1
    if not hasattr(X, "ndim") or is_of_objects:
        is_fitted = not reset and hasattr(estimator, "network_")
        X = stacked_samples(estimator, X, name, is_fitted=is_fitted)
        if not isinstance(X, MapList):
            refuse_non_numeric(X, name)
    if _kind_of(X) == "O":
        refuse_cell_arrays(X, name, name)
    takes_any_size = hasattr(estimator, "network_") and not (
        reset or hasattr(estimator, "n_features_in_")
    )
    if takes_any_size and getattr(X, "ndim", 2) > 2:
        return MapList(X, channels_first=channels_first)
    return X


def _kind_of(X: object) -> object:
    """Return the kind of the dtype of an array or a column, None for other objects."""
    return getattr(getattr(X, "dtype", None), "kind", None)


@contextmanager
def _how_rows_are_read(estimator: BaseEstimator, *, reset: bool) -> Iterator[None]:
    """Add the order in which rows are read to an error about their length."""
    try:
        yield
    except ValueError as error:
        in_shape = estimator.network_.in_shape if not reset else ()
        if len(in_shape) < 2 or "is expecting" not in str(error):
            raise
        order = "channels_first" if is_channels_first(estimator) else "channels_last"
        raise ValueError(
            f"{str(error).rstrip('.')}. Rows are read as {kind(in_shape)}, with "
            f"data_format={order!r}."
        ) from error


def _if_rows(X: Any) -> Any:  # noqa: ANN401  an array, a DataFrame, or what users pass
    """Return X if it is an array or a DataFrame of pandas with rows, else nothing."""
    is_array = isinstance(X, np.ndarray) and X.ndim > 1
    return X if is_array or (hasattr(X, "iloc") and hasattr(X, "columns")) else ()


def _is_rows(X: object) -> bool:
    return getattr(X, "ndim", 2) < 3 or issparse(X)


def _check_axes(X: Image | ShardedArray) -> None:
    if 0 in X.shape[1:]:
        raise ValueError(
            f"X has shape {X.shape}; every axis of a sample must have a length of at "
            "least 1."
        )


def _check_sharded(estimator: BaseEstimator, X: ShardedArray, reset: bool) -> None:
    """Check the shape of samples, whose values are checked when they are read."""
    if not len(X):
        raise ValueError(f"X has no samples; got shape {X.shape}.")
    _check_axes(X)
    if reset:
        _forget(estimator, "feature_names_in_")
    if X.ndim == 2:
        _check_n_features(estimator, X, reset=reset)
    elif reset:
        _forget(estimator, "n_features_in_")


def _for_maps(
    estimator: BaseEstimator, options: Mapping[str, object]
) -> dict[str, object]:
    """Return the validation options, with additional ones for arrays of maps."""
    return {"dtype": "numeric", **options, "allow_nd": True, "estimator": estimator}


def _forget(estimator: BaseEstimator, *attributes: str) -> None:
    for name in attributes:
        if hasattr(estimator, name):
            delattr(estimator, name)


def _check_maps(
    estimator: BaseEstimator, X: MapList, reset: bool, name: str = "X"
) -> None:
    """Check maps of different sizes, of an X that errors call by its `name`."""
    for i, one in enumerate(X.maps):
        if 0 in one.shape:
            raise ValueError(
                f"{name}[{i}] has shape {one.shape}; every axis must have a length of "
                "at least 1. Leave out empty samples."
            )
    ndims = {m.ndim for m in X.maps}
    if len(ndims) > 1:
        raise ValueError(
            f"The maps of {name} must all have the same number of axes; got maps of "
            f"shapes {sorted(X.shapes, key=str)[:5]}."
        )
    for i, one in enumerate(X.maps):
        if one.dtype.kind not in "fiub":
            raise ValueError(f"{name}[{i}] must be numeric; got dtype {one.dtype}.")
        with located_if_not_finite(estimator, [one], first=i):
            assert_all_finite(
                one, estimator_name=type(estimator).__name__, input_name="X"
            )
    if reset:
        _forget(estimator, "n_features_in_", "feature_names_in_")
