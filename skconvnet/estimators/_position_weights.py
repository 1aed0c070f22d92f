"""Weights of samples, or of positions if y has a target for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet.engine.map_targets import flat_positions
from skconvnet.engine.ragged import MapList
from skconvnet.engine.sample_weights import multiplied_weights

# Of samples, (n_samples,), or of positions, (n_samples, *spatial) or a list of maps.
PositionWeights: TypeAlias = npt.NDArray[np.floating] | MapList
# y after validation: flat, of shape (n_samples, *spatial, ...), or maps of any sizes.
CheckedY: TypeAlias = npt.NDArray[Any] | MapList


def are_maps(y: CheckedY) -> bool:
    """Whether a validated y has targets for positions."""
    return isinstance(y, MapList) or y.ndim > 2


def are_of_positions(sample_weight: Any) -> bool:  # noqa: ANN401  what users pass
    """Whether sample weights are given as maps, one for each sample."""
    if isinstance(sample_weight, MapList):
        return True
    if hasattr(sample_weight, "ndim"):
        return bool(sample_weight.ndim > 1)
    is_list = isinstance(sample_weight, (list, tuple))
    return is_list and len(sample_weight) > 0 and np.ndim(sample_weight[0]) > 0


def check_position_weights(
    sample_weight: Any,  # noqa: ANN401  what users pass
    y: CheckedY,
    n_spatial: int,
    name: str,
) -> PositionWeights:
    """Return the weights of positions as float64, or raise a ValueError.

    Parameters
    ----------
    sample_weight : array-like of shape (n_samples, *spatial), or list of arrays
    y : ndarray of shape (n_samples, *spatial, ...), or MapList
    n_spatial : int
        Number of spatial axes.
    name : str
        What the user calls the weights.
    """
    if len(sample_weight) != len(y):
        raise ValueError(
            f"{name} has {len(sample_weight)} maps of weights, but y has {len(y)} "
            "samples."
        )
    weights: PositionWeights
    if isinstance(y, MapList):
        weights = MapList([_as_weights(own, name) for own in sample_weight])
        for i, (own, target) in enumerate(zip(weights.maps, y.maps, strict=True)):
            shape = target.shape[:n_spatial]
            _check_shape(own.shape, shape, f"{name}[{i}]", f"y[{i}]")
    else:
        weights = _as_weights(sample_weight, name)
        _check_shape(weights.shape, y.shape[: n_spatial + 1], name, "y")
    values = flat_positions(weights, 0)
    if not np.isfinite(values).all() or (values < 0).any():
        worst = values[~np.isfinite(values) | (values < 0)][0]
        raise ValueError(
            f"{name} must be finite numbers of at least 0; it contains {worst}. "
            "Positions to leave out have a weight of 0."
        )
    if not values.any():
        raise ValueError(
            f"{name} must leave at least one position with a weight above 0; all of "
            "them are 0."
        )
    return weights


def _as_weights(values: object, name: str) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be arrays of numbers: {error}.") from error


def _check_shape(
    own: Sequence[int], spatial: Sequence[int], name: str, name_of_y: str
) -> None:
    if tuple(own) != tuple(spatial):
        raise ValueError(
            f"{name} has shape {tuple(own)}, but {name_of_y} has targets for positions "
            f"of shape {tuple(spatial)}. Pass one number per sample, or one per "
            "position, without an axis of outputs."
        )


def multiplied(first: PositionWeights, second: PositionWeights) -> PositionWeights:
    """Return the products of weights, of positions if `second` is.

    >>> multiplied(np.array([1.0, 2.0]), np.array([[3.0, 4.0], [5.0, 6.0]]))
    array([[ 3.,  4.],
           [10., 12.]])
    """
    if not (are_of_positions(first) or are_of_positions(second)):
        assert not isinstance(first, MapList)
        assert not isinstance(second, MapList)
        return multiplied_weights(first, second)
    if not are_of_positions(first):
        assert not isinstance(first, MapList)
        counts = [own.size for own in second]
        flat = np.repeat(first, counts)
    else:
        flat = flat_positions(first, 0)
    return shaped_like(multiplied_weights(flat, flat_positions(second, 0)), second)


def shaped_like(flat: npt.NDArray[Any], maps: CheckedY) -> PositionWeights:
    """Return one value per position in the shape of `maps`.

    >>> shaped_like(np.arange(4), np.zeros((2, 2))).tolist()
    [[0, 1], [2, 3]]
    """
    if not isinstance(maps, MapList):
        return flat.reshape(maps.shape)
    ends = np.cumsum([own.size for own in maps.maps])
    parts = np.split(flat, ends[:-1])
    shapes = (own.shape for own in maps.maps)
    return MapList([p.reshape(s) for p, s in zip(parts, shapes, strict=True)])
