"""Padding: how many positions are added around a map, and writing them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from skconvnet._checks import LARGEST_INT, is_int, is_sequence, shown
from skconvnet._suggestions import value_suggestion
from skconvnet._typing import FeatureMap, Shape

PADDINGS = ("valid", "same", "full")


def pad_amounts(
    padding: object, in_shape: Shape, extents: Shape, strides: tuple[int, ...]
) -> tuple[tuple[int, int], ...]:
    """Return how many positions `padding` adds (before, after) along each axis.

    `extents` has the number of positions that a window covers along each axis.

    Raises
    ------
    ValueError
        If `padding` is not one of the values that `sliding_windows` takes.
    """
    if isinstance(padding, str):
        if padding == "valid":
            return ((0, 0),) * len(in_shape)
        if padding == "full":
            return tuple((e - 1, e - 1) for e in extents)
        if padding == "same":
            totals = [
                max((-(-n // s) - 1) * s + e - n, 0)
                for n, e, s in zip(in_shape, extents, strides, strict=True)
            ]
            return tuple((total // 2, total - total // 2) for total in totals)
    ndim = len(in_shape)
    values: object = (padding,) * ndim if is_int(padding) else padding
    if is_sequence(values) and len(values) == ndim:
        pairs = [_as_pair(value) for value in values]
        pads = tuple(pair for pair in pairs if pair is not None)
        if len(pads) == ndim:
            return pads
    raise ValueError(
        f"padding must be one of {', '.join(map(repr, PADDINGS))}, a non-negative int, "
        f"or a tuple of {ndim} entries, each an int or a (before, after) pair; got "
        f"{shown(padding)}.{value_suggestion('padding', padding, PADDINGS)}"
    )


def _as_pair(value: object) -> tuple[int, int] | None:
    """Return an int or a pair of ints as (before, after), or None for anything else."""
    pair: object = (value, value) if is_int(value) else value
    if not is_sequence(pair) or len(pair) != 2:
        return None
    before, after = pair
    if not is_int(before) or not is_int(after):
        return None
    if min(before, after) < 0 or max(before, after) > LARGEST_INT:
        return None
    return int(before), int(after)


def pad(
    x: FeatureMap, interior: Sequence[slice], out: FeatureMap, value: float = 0.0
) -> None:
    """Copy the map `x` into the `interior` of `out`, with `value` around it.

    `interior` has a slice for each spatial axis, see `Windows.interior`.
    """
    fill_around(out, interior, value)
    out[(slice(None), *interior)] = x


def fill_around(
    x: np.ndarray, interior: Sequence[slice], value: float = 0.0, first: int = 1
) -> None:
    """Write `value` to all of `x` except its interior.

    Parameters
    ----------
    x : ndarray
    interior : sequence of slice
        A start and a stop for each axis from `first` on.
    value : float
    first : int
        First axis that `interior` describes.

    Examples
    --------
    >>> x = np.ones((1, 4, 1))
    >>> fill_around(x, [slice(1, 3)])
    >>> x.ravel()
    array([0., 1., 1., 0.])
    """
    for axis, inner in enumerate(interior, start=first):
        before = (slice(None),) * axis
        x[(*before, slice(inner.start))] = value
        x[(*before, slice(inner.stop, None))] = value
