"""Targets that are maps, and the samples that have them.

A network whose last layer gives maps predicts something at every position. A loss is
then a mean over the positions of each sample, and over samples as always. Losses know
nothing of positions: they see each position of each sample as a column of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Index, Lengths, Rows, Shape, override
from skconvnet.engine.inputs import Inputs, index_numbers
from skconvnet.engine.minibatches import Samples, Weights
from skconvnet.engine.ragged import MapList
from skconvnet.losses import Loss
from skconvnet.ops.lengths import is_padding


class MapTargets:
    """Targets for each position of each sample, converted when they are read.

    Parameters
    ----------
    values : ndarray of shape (n_samples, *spatial, n_outputs), or MapList
        One number per output, or the index of a class, without the last axis. The maps
        of a MapList are those of samples of different sizes.
    n_outputs : int
        Number of outputs of the network at a position.
    are_classes : bool
        Whether the values are indices of classes. If there are more than two, each has
        an output of its own.
    has_added_axis : bool, default=False
        Whether y has no axis of outputs, which `values` have.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_outputs), as for flat targets.

    Examples
    --------
    >>> targets = MapTargets(np.array([[[0, 2]]]), 3, are_classes=True)
    >>> targets.shape
    (1, 3)
    >>> targets.read(slice(0, 1), np.float32)[..., 0]
    array([[[1., 0.]],
    <BLANKLINE>
           [[0., 0.]],
    <BLANKLINE>
           [[0., 1.]]], dtype=float32)
    """

    def __init__(
        self,
        values: npt.NDArray[Any] | MapList,
        n_outputs: int,
        *,
        are_classes: bool,
        has_added_axis: bool = False,
    ) -> None:
        self.values: Any = values
        self.n_outputs = n_outputs
        self.are_classes = are_classes
        self.has_added_axis = has_added_axis
        self.shape = (len(values), n_outputs)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Index) -> MapTargets:
        return MapTargets(
            self.values[index],
            self.n_outputs,
            are_classes=self.are_classes,
            has_added_axis=self.has_added_axis,
        )

    def shape_in_y(self, number: int) -> Shape:
        """Return the shape that a sample has in y."""
        shape: Shape = self.values[number].shape
        return shape[:-1] if self.has_added_axis else shape

    def spatial_of(self, number: int) -> Shape:
        """Return the lengths of the spatial axes of one sample."""
        shape: Shape = self.values[number].shape
        return shape if self.are_classes else shape[:-1]

    def read(
        self, index: Index, dtype: npt.DTypeLike, inputs: Inputs | None = None
    ) -> FeatureMap:
        """Return the targets of samples of one size, batch last.

        With `inputs`, their positions are those that the samples have when read.

        Returns
        -------
        targets : ndarray of shape (n_outputs, *spatial, batch)
        """
        values = maps_at(self.values, index)
        if inputs is not None:
            values = inputs.as_read(values, index)
        if not self.are_classes:
            return np.ascontiguousarray(np.moveaxis(values, (0, -1), (-1, 0)), dtype)
        classes = np.moveaxis(values, 0, -1)
        if self.n_outputs == 1:
            return np.ascontiguousarray(classes[np.newaxis], dtype)
        numbers = np.arange(self.n_outputs).reshape(-1, *(1,) * classes.ndim)
        one_hot: FeatureMap = (classes == numbers).astype(dtype)
        return one_hot

    def rows(self, dtype: npt.DTypeLike) -> Rows:
        """Return the targets of all positions, of shape (n_positions, n_outputs)."""
        values: Rows = flat_positions(self.values, 0 if self.are_classes else 1)
        if not self.are_classes:
            return values.astype(dtype, copy=False)
        if self.n_outputs == 1:
            return values[:, np.newaxis].astype(dtype)
        one_hot: Rows = values[:, np.newaxis] == np.arange(self.n_outputs)
        return one_hot.astype(dtype)


@dataclass
class MapSamples(Samples):
    """Samples whose targets are maps.

    The weight of a sample is the mean weight of its positions.

    Attributes
    ----------
    position_weights : ndarray of shape (n_samples, *spatial), MapList or None
        The weight of each position. None if the positions of a sample have the same.
    """

    position_weights: npt.NDArray[np.floating] | MapList | None = None

    @override
    def read_targets(self, index: Index) -> FeatureMap:
        targets: FeatureMap = self.targets.read(index, self.inputs.dtype, self.inputs)
        return targets

    @override
    def read_weights(self, index: Index, total: float) -> Weights | float:
        if self.position_weights is None:
            return super().read_weights(index, total)
        weights = self.inputs.as_read(maps_at(self.position_weights, index), index)
        weights = weights / total
        return np.moveaxis(weights, 0, -1).astype(self.inputs.dtype)

    @override
    def rows(self, index: npt.NDArray[np.integer]) -> tuple[Rows, Weights | None]:
        targets = self.targets[index]
        rows = targets.rows(self.inputs.dtype)
        if self.position_weights is not None:
            return rows, flat_positions(self.position_weights[index], 0)
        if self.weights is None:
            return rows, None
        counts = [prod(targets.spatial_of(i)) for i in range(len(targets))]
        return rows, np.repeat(self.weights[index], counts)

    @override
    def weights_at(self, index: npt.NDArray[np.integer]) -> Any:
        if self.position_weights is None:
            return super().weights_at(index)
        return self.position_weights[index]

    @property
    @override
    def rows_per_sample(self) -> int:
        counts = (prod(self.targets.spatial_of(i)) for i in self._first_numbers())
        return max(counts, default=1)

    def _first_numbers(self) -> Iterator[int]:
        """Yield the number of one sample, or of all if they may differ in size."""
        is_one_size = isinstance(self.targets.values, np.ndarray)
        yield from range(1 if is_one_size else len(self.targets))


def maps_at(values: npt.NDArray[Any] | MapList, index: Index) -> npt.NDArray[Any]:
    """Return the maps at `index` as an array.

    They must have one shape, or are sequences, which zeros fill up.
    """
    if not isinstance(values, MapList):
        return values[index]
    maps = [values.maps[number] for number in index_numbers(index)]
    longest = max(maps, key=len)
    if all(len(one) == len(longest) for one in maps):
        return np.stack(maps)
    filled = np.zeros((len(maps), *longest.shape), values.dtype)
    for own, one in zip(filled, maps, strict=True):
        own[: len(one)] = one
    return filled


def flat_positions(values: npt.NDArray[Any] | MapList, n_last: int) -> npt.NDArray[Any]:
    """Return all maps with samples and spatial axes as one; keep `n_last` more axes.

    >>> flat_positions(np.zeros((5, 2, 3, 4)), 1).shape
    (30, 4)
    """
    if isinstance(values, MapList):
        return np.concatenate([flat_positions(m[None], n_last) for m in values.maps])
    return values.reshape(-1, *values.shape[values.ndim - n_last :])


def loss_of_outputs(
    loss: Loss,
    scores: FeatureMap,
    targets: FeatureMap,
    weights: Weights | float,
    lengths: Lengths | None = None,
) -> float:
    """Return the weighted sum of the losses, and turn the scores into its gradient.

    Parameters
    ----------
    loss : Loss
    scores : ndarray of shape (n_outputs, batch) or (n_outputs, *spatial, batch)
        Overwritten with the gradient. Maps must be contiguous.
    targets : ndarray, shaped like scores
    weights : ndarray of shape (batch,) or (*spatial, batch), or float
        The weights of samples, over whose positions losses are averaged, or of
        positions.
    lengths : ndarray of int of shape (batch,), optional
        Lengths of outputs that are padded. Padding has no loss.
    """
    if scores.ndim == 2:
        return loss(scores, targets, weights)
    if lengths is not None:
        weights = _weights_of_steps(weights, lengths, scores)
        targets = _with_length(targets, scores.shape[1])
        columns = scores.reshape(len(scores), -1)
        return loss(columns, targets.reshape(len(targets), -1), weights.reshape(-1))
    weights = np.divide(weights, prod(scores.shape[1:-1]), dtype=scores.dtype)
    if np.ndim(weights):
        weights = np.broadcast_to(weights, scores.shape[1:]).reshape(-1)
    columns = scores.reshape(len(scores), -1)
    assert np.shares_memory(columns, scores)
    return loss(columns, targets.reshape(len(targets), -1), weights)


def _weights_of_steps(
    weights: Weights | float, lengths: Lengths, scores: FeatureMap
) -> Weights:
    """Return the weight of the loss of each step, of shape (length, batch)."""
    length = scores.shape[1]
    if np.ndim(weights) > 1:
        weights = _with_length(np.asarray(weights), length)
    per_step = np.divide(weights, np.maximum(lengths, 1), dtype=scores.dtype)
    own: Weights = ~is_padding(lengths, length) * per_step
    return own


def _with_length(x: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """Cut off the axis before the last, or fill it up with zeros."""
    missing = length - x.shape[-2]
    if missing <= 0:
        return x[..., :length, :]
    return np.pad(x, (*((0, 0),) * (x.ndim - 2), (0, missing), (0, 0)))


def weights_of_samples(
    weights: Weights | float, lengths: Lengths | None = None
) -> npt.NDArray[np.floating] | None:
    """Return the weight of each sample, None if all are equal.

    Parameters
    ----------
    weights : ndarray of shape (batch,) or (*spatial, batch), or float
    lengths : ndarray of int of shape (batch,), optional
        Lengths of outputs that are padded. Padding has no weight, and does not count.

    Examples
    --------
    >>> weights_of_samples(np.array([[1.0, 2.0], [3.0, 2.0]]))
    array([2., 2.])
    >>> weights_of_samples(np.array([[1.0, 2.0], [3.0, 0.0]]), np.array([2, 1]))
    array([2., 2.])
    """
    if not isinstance(weights, np.ndarray):
        return None
    if weights.ndim == 1:
        return weights
    rows = weights.reshape(-1, weights.shape[-1])
    means: npt.NDArray[np.floating] = rows.mean(axis=0)
    if lengths is not None:
        means = (rows.sum(axis=0) / np.maximum(lengths, 1)).astype(weights.dtype)
    return means
