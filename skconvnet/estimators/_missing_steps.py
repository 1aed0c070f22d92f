"""Errors about NaN and infinity in maps, with the sample and the step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skconvnet._typing import Image
from skconvnet.estimators._data_format import is_channels_first

_FIRST_WORDS = "Input X contains"


@contextmanager
def located_if_not_finite(
    estimator: Any,  # noqa: ANN401  estimators have no type
    samples: Any,  # noqa: ANN401  of several kinds
    first: int = 0,
) -> Iterator[None]:
    """Say in scikit-learn's error where a value is not finite.

    Parameters
    ----------
    estimator : estimator
    samples : array of shape (n_samples, ...), DataFrame, or sequence of arrays
        What is checked in the block.
    first : int, default=0
        The number of the first of them in X.
    """
    try:
        yield
    except ValueError as error:
        words = str(error).partition("\n")[0].rstrip(".")
        where = _where(estimator, samples, first)
        if not words.startswith(_FIRST_WORDS) or where is None:
            raise
        raise ValueError(f"{words}: {where}") from error


def _where(
    estimator: Any,  # noqa: ANN401  estimators have no type
    samples: Any,  # noqa: ANN401  of several kinds
    first: int,
) -> str | None:
    """Return the place of the first value that is not finite, and what to do.

    Rows of features have no steps: scikit-learn's error stays as it is.
    """
    name = "X"
    if hasattr(samples, "iloc"):
        name, samples = "X.iloc", samples.to_numpy()
    for i, one in enumerate(samples, start=first):
        values = np.asarray(one)
        if values.dtype.kind != "f" or np.isfinite(values).all():
            continue
        position = [int(n) for n in np.argwhere(~np.isfinite(values))[0]]
        value = values[tuple(position)]
        at = tuple(position) if values.ndim > 1 else position[0]
        where = f"{name}[{i}] is {value} at position {at}."
        if np.isnan(value) and _are_tokens(estimator, values):
            return f"{where} Fill up short texts with the padding_token instead."
        if not _are_steps(estimator, values):
            return where if values.ndim > 1 else None
        if len(position) == 1:
            position.append(0)
        elif is_channels_first(estimator):
            position.reverse()
        step, channel = position
        text = f"{name}[{i}] is {value} at step {step} of channel {channel}."
        if np.isnan(value):
            text += (
                " Fill in missing values; if they are padding, cut it off with "
                "skconvnet.series.from_padded."
            )
        return text
    return None


def _are_tokens(estimator: Any, values: Image) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether the first layer takes a sample as tokens."""
    takes_tokens = getattr(estimator, "_takes_tokens", None)
    return takes_tokens is not None and bool(takes_tokens(values.shape))


def _are_steps(estimator: Any, values: Image) -> bool:  # noqa: ANN401  estimators have no type
    """Return whether a sample is read as a sequence.

    A row is, if it has one channel.
    """
    if values.ndim > 2:
        return False
    n_spatial = estimator._spatial_ndim_of(values[np.newaxis])  # noqa: SLF001  of ours
    shape = list(estimator.input_shape or ()) if n_spatial == 1 else []
    if values.ndim == 1 and len(shape) > 1:
        return bool(shape[0 if is_channels_first(estimator) else -1] == 1)
    return bool(n_spatial == 1)
