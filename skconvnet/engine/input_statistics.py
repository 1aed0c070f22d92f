"""The moments of the training set, for layers that store statistics of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skconvnet._typing import Index
from skconvnet.engine.inputs import index_at
from skconvnet.engine.minibatches import Samples, minibatches
from skconvnet.engine.network import Network
from skconvnet.layers.base import Layer

_SAMPLES_AT_A_TIME = 256


class _Moments(NamedTuple):
    """The mean of weighted values, and the sum of squared deviations from it.

    Attributes
    ----------
    total : float
        Sum of the weights.
    mean : ndarray
    squares : ndarray of the shape of `mean`, or with all of its axes twice
        Sums of squared deviations, or of the products of any two deviations.
    """

    total: float
    mean: np.ndarray
    squares: np.ndarray

    def merge(self, other: _Moments) -> _Moments:
        """Return the moments of both sets of values, computed without cancellation."""
        total = self.total + other.total
        offset = other.mean - self.mean
        mean = self.mean + offset * (other.total / total)
        is_of_pairs = other.squares.ndim > other.mean.ndim
        between = np.multiply.outer(offset, offset) if is_of_pairs else offset**2
        between *= self.total * other.total / total
        return _Moments(total, mean, self.squares + other.squares + between)


def fit_input_statistics(
    network: Network, samples: Samples, *, keep: Collection[str] = ()
) -> None:
    """Give each layer that keeps statistics the moments of its inputs.

    A few samples at a time go through the layers before it, as in prediction, and their
    moments are merged [1]_. Buffers that `keep` names, such as ``"scale/mean"``, are
    left as they are.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub and R. J. LeVeque, "Algorithms for computing the
       sample variance", The American Statistician 37, 1983.
    """
    for position, (name, layer) in enumerate(network.layers.items()):
        if not layer.keeps_statistics:
            continue
        kept = {
            buffer: array.copy()
            for buffer, array in layer.buffers.items()
            if f"{name}/{buffer}" in keep
        }
        if len(kept) == len(layer.buffers):
            continue
        _fit_layer(layer, position, network, samples)
        for buffer, array in kept.items():
            layer.buffers[buffer][...] = array


def _fit_layer(
    layer: Layer[Any], position: int, network: Network, samples: Samples
) -> None:
    found = samples.inputs.map_places(partial(_moments, network, position), samples)
    moments = found[0]
    for other in found[1:]:
        moments = moments.merge(other)
    if moments.total:
        layer.set_statistics(moments.mean, moments.squares / moments.total)


def _moments(network: Network, position: int, samples: Samples) -> _Moments:
    """Return the moments of the inputs of the layer at `position`."""
    workspaces = network.workspaces()
    moments = _Moments(0.0, np.zeros(()), np.zeros(()))
    for index in _groups(samples):
        weights = None if samples.weights is None else samples.weights[index]
        if weights is not None and not weights.any():
            continue
        own_network = network.for_shape(samples.inputs.shape_of(index))
        x = samples.inputs.read(index, workspaces[0].nested("statistics"))
        x, _ = own_network.forward(x, workspaces, stop=position)
        own_layer = list(own_network.layers.values())[position]
        moments = moments.merge(_Moments(*own_layer.statistics(x, weights)))
    return moments


def _groups(samples: Samples) -> Iterator[Index]:
    """Yield the indices of a few samples of the same shape at a time."""
    for index in minibatches(samples, None, _SAMPLES_AT_A_TIME):
        for positions in samples.inputs.groups(index):
            yield index_at(index, positions)
