"""Lists of samples, as one array or as maps of different sizes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

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
    check_channels: bool,
) -> Any:  # noqa: ANN401  an array, a MapList, or X
    """Return a list of samples as an array, or a MapList if their sizes differ.

    Parameters
    ----------
    estimator : estimator
    X : object
        A list, or an array or column of objects.
    name : str
        What the user calls it.
    check_channels : bool
        Whether Pillow images must have the channels that the estimator was fitted on.

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
        if check_channels:
            check_channels_of_images(estimator, samples, name)
        X = images_to_arrays(samples, channels_first=channels_first)
        if isinstance(X, np.ndarray):
            return X
        samples = X
    if samples and all(hasattr(x, "dtype") and np.ndim(x) >= 1 for x in samples):
        is_one_size = len({np.shape(x) for x in samples}) == 1
        if is_one_size and (np.ndim(samples[0]) > 1 or _reads_texts(estimator)):
            return np.stack(samples)
        if not is_one_size:
            maps = [np.asarray(x) for x in samples]
            return MapList(maps, channels_first=channels_first)
    if not hasattr(X, "ndim"):
        with suppress(ValueError):  # of different lengths
            return np.asarray(X)
    ragged = _as_maps(samples, name)
    # scikit-learn raises an error for anything else.
    return X if ragged is None else MapList(ragged, channels_first=channels_first)


def _reads_texts(estimator: BaseEstimator) -> bool:
    """Return whether an estimator was fitted on rows of tokens."""
    network = getattr(estimator, "network_", None)
    return network is not None and network.chain.takes_tokens


def _as_maps(samples: list[Any], name: str) -> list[npt.NDArray[Any]] | None:
    """Return samples such as lists as arrays, if they are maps of different sizes."""
    maps = []
    for i, sample in enumerate(samples):
        try:
            maps.append(np.asarray(sample))
        except ValueError as error:
            raise ValueError(
                f"{name}[{i}] has parts of different lengths, such as steps with "
                "different numbers of channels."
            ) from error
    are_maps = all(one.ndim and one.dtype.kind in _NUMERIC_KINDS for one in maps)
    return maps if are_maps and len({one.shape for one in maps}) > 1 else None
