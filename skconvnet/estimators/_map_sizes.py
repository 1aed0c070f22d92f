"""Samples of another size than in fit: sequences, and maps that give maps."""

from __future__ import annotations

from typing import Any

from scipy.sparse import csr_matrix

from skconvnet._typing import Image, Shape
from skconvnet.engine.network import SEQUENCE_NDIM, SizeDependentWeightsError
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._data_format import is_channels_first
from skconvnet.estimators._input_shape import (
    matches,
    parse_input_shape,
    shape_of_maps,
)
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._sample_lists import reads_one_axis
from skconvnet.ops.windows import NoOutputError
from skconvnet.shards.sharded_array import ShardedArray


def in_any_size(estimator: Any, X: CheckedX, name: str = "X") -> CheckedX:  # noqa: ANN401  estimators have no type
    """Return X as a MapList if its samples have another size than those of `fit`.

    A network of sequences, or one whose outputs are maps, takes samples of any size
    unless one of its layers depends on it, and so does one whose `input_shape` has None
    for lengths that differ. X is returned as it is if the network does not take its
    samples, which `check_same_shape` reports.

    Raises
    ------
    ValueError
        If only some sizes fit into the network, and this one does not.
    """
    network = estimator.network_
    if isinstance(X, ShardedArray):
        return X
    if _is_rows_of_other_length(estimator, X):
        return MapList(list(X))
    if isinstance(X, MapList) or X.ndim < 3:
        return X
    channels_first = is_channels_first(estimator)
    shape = shape_of_maps(
        tuple(X.shape[1:]), len(network.in_shape) - 1, channels_first=channels_first
    )
    if shape in (None, network.in_shape) or shape[-1] != network.in_shape[-1]:
        return X
    is_sequence = len(network.in_shape) == SEQUENCE_NDIM
    if not (network.predicts_maps or is_sequence or _is_asked_for(estimator, shape)):
        return X
    maps = MapList(list(X), channels_first=channels_first)
    try:
        network.for_shape(shape)
    except NoOutputError:
        return maps  # for which `check_sizes` has an error
    except TypeError:
        return X
    except ValueError as error:
        if isinstance(error, SizeDependentWeightsError):
            return X
        raise ValueError(
            f"{name} has samples of shape {tuple(X.shape[1:])}, for which the network "
            f"cannot be built: {error} If it pools and enlarges maps again, the "
            "lengths must be multiples of the product of all strides."
        ) from error
    return maps


def _is_asked_for(estimator: Any, shape: Shape) -> bool:  # noqa: ANN401  estimators have no type
    """Whether `input_shape` has None where a shape differs from that of `fit`."""
    input_shape = getattr(estimator, "input_shape", None)
    if input_shape is None:
        return False
    channels_first = is_channels_first(estimator)
    pattern = parse_input_shape(
        input_shape, len(shape) - 1, channels_first=channels_first
    )
    return matches(shape, pattern)


def _is_rows_of_other_length(estimator: Any, X: Image | csr_matrix | MapList) -> bool:  # noqa: ANN401  estimators have no type
    """Whether X has sequences of one length, after a fit on several lengths."""
    if isinstance(X, MapList) or hasattr(estimator, "n_features_in_"):
        return False
    is_other = X.ndim == 2 and X.shape[1] != estimator.network_.in_shape[0]
    return is_other and reads_one_axis(estimator)
