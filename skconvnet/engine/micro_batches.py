"""Cutting a minibatch into micro-batches.

A minibatch has the samples of one update, and a micro-batch has those of them that one
thread takes through the network at once. Cutting bounds the memory, and lets several
threads work at the same time. Gradients are sums over micro-batches, so that their
rounding depends on the cuts. These follow from shapes and lengths alone, never from the
number of threads, so that the weights do not depend on the number of threads either.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from math import ceil, inf, prod
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skconvnet._typing import Index, Lengths, Shape
from skconvnet.engine.inputs import Inputs, index_at, index_length
from skconvnet.layers.base import Layer

if TYPE_CHECKING:
    from skconvnet.engine.network import Network


# The shortest sequence of a micro-batch by its longest, unless there are few samples.
_MIN_FILLED = 0.75


@dataclass(frozen=True)
class MicroBatchLimits:
    """Bounds on the number of samples in a micro-batch.

    The usual size is 64 samples, or half of a smaller minibatch, so that each of two
    threads has a micro-batch. It is larger if a layer would take too little time, and
    smaller if the maps would take too much memory.

    Attributes
    ----------
    usual, smallest, largest : int
        Numbers of samples. The batch is the last axis, along which arrays are
        contiguous, so that very small micro-batches are slow per sample.
    flat : int
        Number of samples for a network without spatial axes. Dense layers consist
        mainly of matrix products, which threads share out among themselves, so such a
        minibatch is cut only to bound the memory.
    max_bytes : float
        Bytes of maps, gradients and caches that one thread should keep.
    min_flops_per_layer : float
        FLOPs that the forward and backward pass of a layer over a micro-batch should
        have. Between calls of NumPy, the interpreter runs one thread at a time, and
        switching threads costs more than a second thread saves unless the calls take
        long enough.
    max_flops : float
        FLOPs of the forward and backward pass over a micro-batch of the usual size.
        With more, the micro-batch is halved, as often as necessary: where maps have
        many channels, a few samples fill the cache.

    Examples
    --------
    >>> MicroBatchLimits.fixed(7).largest
    7
    """

    usual: int = 64
    smallest: int = 16
    largest: int = 256
    flat: int = 1024
    max_bytes: float = 1.6e8
    min_flops_per_layer: float = 3e7
    max_flops: float = 3e10

    @classmethod
    def fixed(cls, size: int) -> Self:
        """Return limits that cut every minibatch into micro-batches of this size."""
        return cls(usual=size, smallest=size, largest=size, flat=size, max_bytes=inf)


def micro_batch_size(
    batch: int,
    layers: Collection[Layer[Any]],
    in_shape: Shape,
    itemsize: int,
    limits: MicroBatchLimits,
) -> int:
    """Return the largest number of samples that go through the layers at once.

    Parameters
    ----------
    batch : int
        Number of samples in the minibatch.
    layers : collection of Layer
    in_shape : tuple of int
        Shape of one sample.
    itemsize : int
        Bytes of a number.
    limits : MicroBatchLimits

    Returns
    -------
    size : int
        Number of samples, at least 1. May exceed `batch`.
    """
    if all(layer.is_flat for layer in layers):
        return limits.flat
    maps = prod(in_shape) + sum(prod(layer.out_shape) for layer in layers)
    # An estimate of the maps, their gradients, and copies of both.
    values = 3 * maps + sum(layer.cached_values for layer in layers)
    room = limits.max_bytes / (values * itemsize)
    largest = max(int(min(room, limits.largest)), 1)
    # A backward pass takes about twice as long as a forward pass.
    flops = 3 * sum(layer.flops for layer in layers)
    enough = len(layers) * limits.min_flops_per_layer / max(flops, 1)
    usual = limits.usual
    while usual > limits.smallest and usual * flops > limits.max_flops:
        usual //= 2
    size = ceil(max(min(batch / 2, usual), enough))
    if batch < 2 * enough:
        # With half of it each, two threads would mostly wait for each other.
        size = max(size, batch)
    return min(max(size, limits.smallest), largest)


def cut_minibatch(
    network: Network,
    inputs: Inputs,
    index: Index,
    *,
    may_pad: bool = True,
    augmented_shape: Callable[[Shape], Shape] | None = None,
) -> list[Index]:
    """Cut a minibatch into micro-batches.

    The samples of a micro-batch have the same shape, or are sequences of similar
    lengths if the network takes these padded. Micro-batches of samples of one shape
    have nearly equal sizes.

    Parameters
    ----------
    network : Network
    inputs : Inputs
    index : ndarray of int or slice
        Samples of the minibatch.
    may_pad : bool, default=True
        If False, sequences of a micro-batch have the same length in any case.
    augmented_shape : callable, optional
        Returns the shape that samples of a shape have after augmentation.

    Returns
    -------
    positions : list of ndarray of int or slice
        Positions in `index` of the samples of each micro-batch.
    """
    if may_pad and network.pads_samples:
        lengths = inputs.lengths_of(index)
        if lengths is not None:
            return _cut_by_length(network, inputs, index, lengths)
    micro_batches: list[Index] = []
    for positions in inputs.groups(index):
        batch = index_length(positions)
        shape = inputs.shape_of(index_at(index, positions))
        if augmented_shape is not None:
            shape = augmented_shape(shape)
        largest = network.for_shape(shape).micro_batch_size(batch)
        n_micro_batches = max(-(-batch // largest), 1)
        size = max(-(-batch // n_micro_batches), 1)
        micro_batches += [
            index_at(positions, slice(start, min(start + size, batch)))
            for start in range(0, batch, size)
        ]
    return micro_batches


def _cut_by_length(
    network: Network, inputs: Inputs, index: Index, lengths: Lengths
) -> list[Index]:
    """Cut a minibatch of sequences into micro-batches of similar lengths.

    From the longest to the shortest, a micro-batch ends when it is full, or before a
    sequence that would mostly be padding if it has enough samples by then.
    """
    order = np.argsort(-lengths, kind="stable")
    own, batch = lengths[order], len(order)
    shape = inputs.shape_of(index_at(index, order[:1]))
    largest = network.for_shape(shape).micro_batch_size(batch)
    full = -(-batch // -(-batch // largest))
    micro_batches: list[Index] = []
    start = 0
    while start < batch:
        # Lengths descend, so their negatives ascend.
        short = np.searchsorted(-own, -_MIN_FILLED * own[start], side="right")
        enough = start + network.limits.smallest
        stop = min(start + full, max(int(short), enough), batch)
        micro_batches.append(order[start:stop])
        start = stop
    return micro_batches
