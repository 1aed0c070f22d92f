"""Sequences of different lengths in one array that is padded, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._checks import is_real
from skconvnet.series.sequences import Sequences, as_numbers


def from_padded(
    X: npt.ArrayLike,
    lengths: npt.ArrayLike | None = None,
    mask: npt.ArrayLike | None = None,
) -> Sequences:
    """Return the sequences of a padded array without their padding.

    Where `lengths` and `mask` are None, the steps at the end that are NaN in all
    channels are padding, as in tslearn. Values of a masked array that are masked are
    NaN. Padding is cut off, whatever it holds.

    Parameters
    ----------
    X : array-like of shape (n, length, channels) or (n, length)
        The padded sequences. Those of an array with two axes have one channel.
    lengths : array-like of int of shape (n,), default=None
        The number of steps of each sequence, from its start on.
    mask : array-like of bool of shape (n, length), default=None
        True where a sequence has steps, which must be next to each other. Padding may
        come before or after them.

    Returns
    -------
    sequences : ndarray of shape (n, length, channels), or list of ndarray
        A list of arrays of shape (length_i, channels) if the lengths differ. They are
        views of X.

    Raises
    ------
    ValueError
        If `lengths` or `mask` do not fit X, or a sequence has no steps.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.series import from_padded
    >>> X = np.array([[[1.0], [2.0], [3.0]], [[4.0], [np.nan], [np.nan]]])
    >>> [x.shape for x in from_padded(X)]
    [(3, 1), (1, 1)]
    >>> [x.shape for x in from_padded(X, lengths=[3, 2])]
    [(3, 1), (2, 1)]
    """
    values = as_numbers(X, "X")
    if values.ndim == 2:
        values = values[..., np.newaxis]
    if values.ndim != 3 or 0 in values.shape:
        raise ValueError(
            "X must have shape (n, length, channels) or (n, length), without an axis "
            f"of length 0; got {np.shape(X)}."
        )
    if lengths is not None and mask is not None:
        raise ValueError("Pass lengths or mask, but not both.")
    starts: npt.NDArray[np.integer] = np.zeros(len(values), dtype=np.intp)
    if lengths is not None:
        stops = _checked_lengths(lengths, *values.shape[:2])
    elif mask is not None:
        starts, stops = _ends_of_mask(mask, *values.shape[:2])
    else:
        stops = _lengths_before_nan(values)
    first_start, first_stop = starts[0], stops[0]
    if (starts == first_start).all() and (stops == first_stop).all():
        return values[:, first_start:first_stop]
    pairs = zip(values, starts, stops, strict=True)
    return [one[start:stop] for one, start, stop in pairs]


def to_padded(
    sequences: Sequence[npt.ArrayLike] | npt.NDArray[Any], fill: float = np.nan
) -> npt.NDArray[Any]:
    """Return sequences of different lengths as one array, padded at their ends.

    Parameters
    ----------
    sequences : sequence of array-like of shape (length_i, channels) or (length_i,)
        The sequences. Those of one axis have one channel.
    fill : float, default=np.nan
        The value of padding. `from_padded` recognizes NaN.

    Returns
    -------
    X : ndarray of shape (n, length, channels)
        The sequences, in the dtype that holds their values and `fill`.

    Raises
    ------
    ValueError
        If there are none, or their numbers of channels differ.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet.series import to_padded
    >>> to_padded([np.ones((3, 1)), np.ones((1, 1))])[..., 0]
    array([[ 1.,  1.,  1.],
           [ 1., nan, nan]])
    """
    if not is_real(fill):
        raise TypeError(f"fill must be a number; got {fill!r}.")
    own = [_with_channels(one, i) for i, one in enumerate(sequences)]
    if not own:
        raise ValueError("sequences must have at least one sequence; got none.")
    n_channels = own[0].shape[1]
    for i, one in enumerate(own):
        if one.shape[1] != n_channels:
            raise ValueError(
                "All sequences must have the same number of channels; sequences[0] "
                f"has {n_channels}, and sequences[{i}] has {one.shape[1]}."
            )
    dtype = np.result_type(*{one.dtype for one in own}, fill)
    X = np.full((len(own), max(map(len, own)), n_channels), fill, dtype=dtype)
    for padded, one in zip(X, own, strict=True):
        padded[: len(one)] = one
    return X


def _with_channels(sequence: npt.ArrayLike, i: int) -> npt.NDArray[Any]:
    values = as_numbers(sequence, f"sequences[{i}]")
    if values.ndim == 1:
        values = values[:, np.newaxis]
    if values.ndim != 2:
        raise ValueError(
            f"sequences[{i}] must have shape (length, channels) or (length,); got "
            f"{values.shape}."
        )
    return values


def _checked_lengths(
    lengths: npt.ArrayLike, n_samples: int, length: int
) -> npt.NDArray[np.integer]:
    """Return `lengths` as an array, if they fit sequences of up to `length` steps."""
    own = np.asarray(lengths)
    if own.dtype.kind not in "iu" or own.shape != (n_samples,):
        raise ValueError(
            f"lengths must have shape ({n_samples},), an int for each sample of X; got "
            f"dtype {own.dtype} and shape {own.shape}."
        )
    is_out = (own < 1) | (own > length)
    if is_out.any():
        i = int(is_out.argmax())
        raise ValueError(
            f"lengths must be between 1 and {length}, the length of X; lengths[{i}] is "
            f"{own[i]}."
        )
    return own


def _ends_of_mask(
    mask: npt.ArrayLike, n_samples: int, length: int
) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.integer]]:
    """Return where the steps of each sequence start and stop."""
    own = np.asarray(mask)
    if own.shape != (n_samples, length):
        raise ValueError(
            f"mask must have shape {(n_samples, length)}, a bool for each step of X; "
            f"got shape {own.shape}."
        )
    if own.dtype.kind != "b":
        if own.dtype.kind not in "iuf" or not np.isin(own, (0, 1)).all():
            raise ValueError(
                f"mask must be bool, or consist of 0 and 1; got dtype {own.dtype}."
            )
        own = own.astype(bool)
    n_steps = own.sum(axis=1)
    _refuse_empty(n_steps, "mask[{}] has no True")
    starts = own.argmax(axis=1)
    stops = length - own[:, ::-1].argmax(axis=1)
    has_hole = stops - starts != n_steps
    if has_hole.any():
        i = int(has_hole.argmax())
        hole = int(starts[i] + own[i, starts[i] :].argmin())
        raise ValueError(
            f"mask[{i}] is False at step {hole} and True after it, but the steps of a "
            "sequence must be next to each other. Fill missing steps before."
        )
    return starts, stops


def _lengths_before_nan(values: npt.NDArray[Any]) -> npt.NDArray[np.integer]:
    """Return the number of steps before those that are NaN to the end."""
    n_samples, length = values.shape[:2]
    if values.dtype.kind != "f":
        return np.full(n_samples, length)
    has_values = ~np.isnan(values).all(axis=2)
    _refuse_empty(has_values.sum(axis=1), "X[{}] has no value but NaN")
    stops: npt.NDArray[np.integer] = length - has_values[:, ::-1].argmax(axis=1)
    return stops


def _refuse_empty(n_steps: npt.NDArray[np.integer], text: str) -> None:
    if not n_steps.all():
        where = text.format(int(n_steps.argmin()))
        raise ValueError(
            f"{where}: a sequence must have at least one step. Leave such samples out."
        )
