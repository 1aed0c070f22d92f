"""Lists of samples, as one array or as maps of different sizes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from skconvnet._suggestions import shown_value
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._channel_errors import check_channels_of_images
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._pillow_images import (
    check_modes,
    images_to_arrays,
    is_pillow_image,
)

_NUMERIC_KINDS = "fiub"


def stacked_samples(
    estimator: BaseEstimator,
    X: Any,  # noqa: ANN401  anything that users pass
    name: str,
    *,
    is_fitted: bool,
) -> Any:  # noqa: ANN401  an array, a MapList, or X
    """Return a list of samples as an array, or a MapList if their sizes differ.

    Parameters
    ----------
    estimator : estimator
    X : object
        A list, or an array or column of objects.
    name : str
        What the user calls it.
    is_fitted : bool
        Whether the estimator was fitted, and X is for its network. Pillow images must
        then have its channels, and sequences may have other lengths.

    Returns
    -------
    X : ndarray, MapList or object
        What is no list of numeric samples is returned as it is, for scikit-learn to
        convert or to refuse.
    """
    channels_first = is_channels_first(estimator)
    if issparse(X) or hasattr(X, "__dataframe__") or not hasattr(X, "__len__"):
        return X
    samples = list(X)
    if any(map(is_pillow_image, samples)):
        check_modes(samples)
        if is_fitted:
            check_channels_of_images(estimator, samples, name)
        X = images_to_arrays(samples, channels_first=channels_first)
        if isinstance(X, np.ndarray):
            return X
        samples = X
    if hasattr(X, "ndim"):
        samples = _cells_as_arrays(samples)
    if samples and all(hasattr(x, "dtype") and np.ndim(x) >= 1 for x in samples):
        is_one_size = len({np.shape(x) for x in samples}) == 1
        is_array = np.ndim(samples[0]) > 1 or _are_texts(estimator, samples)
        if is_one_size and (is_array or (is_fitted and reads_one_axis(estimator))):
            return _rows_or_maps(estimator, np.stack(samples), is_fitted=is_fitted)
        if not is_one_size:
            maps = [np.asarray(x) for x in samples]
            return MapList(maps, channels_first=channels_first)
    if not hasattr(X, "ndim"):
        with suppress(ValueError):  # of different lengths
            return _rows_or_maps(estimator, np.asarray(X), is_fitted=is_fitted)
    ragged = _as_maps(samples, name)
    # scikit-learn raises an error for anything else.
    return X if ragged is None else MapList(ragged, channels_first=channels_first)


def _are_texts(estimator: Any, samples: list[Any]) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether the first layer takes the samples as tokens."""
    takes_tokens = getattr(estimator, "_takes_tokens", None)
    return takes_tokens is not None and bool(takes_tokens(np.shape(samples[0])))


def reads_one_axis(estimator: Any) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether an estimator was fitted on texts, or on series of one channel."""
    network = getattr(estimator, "network_", None)
    if network is None:
        return False
    is_series = len(network.in_shape) == 2 and network.in_shape[-1] == 1
    return is_series or (network.chain.takes_tokens and len(network.in_shape) == 1)


def _cells_as_arrays(cells: list[Any]) -> list[Any]:
    """Return cells of a column, such as lists, as arrays if they hold numbers."""
    with suppress(ValueError):  # of different lengths within a cell
        arrays = [np.asarray(cell) for cell in cells]
        if all(one.ndim and one.dtype.kind in _NUMERIC_KINDS for one in arrays):
            return arrays
    return cells


def _rows_or_maps(
    estimator: Any,  # noqa: ANN401  estimators have no type
    array: npt.NDArray[Any],
    *,
    is_fitted: bool,
) -> npt.NDArray[Any] | MapList:
    """Return an array as a MapList if its rows have another length than those of `fit`.

    Only sequences may, in a list, whatever the lengths of the others in it.
    """
    n_features = getattr(estimator, "n_features_in_", None)
    if not is_fitted or n_features is None or array.ndim != 2:
        return array
    if array.dtype.kind not in _NUMERIC_KINDS or array.shape[1] in (0, n_features):
        return array
    return MapList(list(array)) if reads_one_axis(estimator) else array


def _as_maps(samples: list[Any], name: str) -> list[npt.NDArray[Any]] | None:
    """Return samples such as lists as arrays, if they are maps of different sizes."""
    maps = []
    for i, sample in enumerate(samples):
        try:
            maps.append(np.asarray(sample))
        except ValueError as error:
            raise ValueError(
                f"{name}[{i}] has parts of different lengths, such as steps with "
                "different numbers of channels. Fill up the sentences of documents "
                "with the padding_token."
            ) from error
        if maps[-1].dtype.kind == "U" and maps[-1].size:
            example = shown_value(str(maps[-1].flat[0]))
            raise ValueError(
                f"{name}[{i}] holds text, such as {example}; it must be numeric. For "
                "texts, pass the rows of tokens that skconvnet.text.TokenSequence "
                "returns."
            )
    if len({one.shape for one in maps}) < 2:
        return None
    for i, one in enumerate(maps):
        if not one.ndim or one.dtype.kind not in _NUMERIC_KINDS:
            raise ValueError(
                f"{name}[{i}] is {shown_value(samples[i])}, but samples of different "
                "lengths must be arrays or lists of numbers."
            )
    return maps
