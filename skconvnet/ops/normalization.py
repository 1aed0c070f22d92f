"""Batch normalization and an activation after it, in blocks that stay in the cache.

With m and v for the mean and the variance of a channel, and f for the activation::

    y = f(gamma * (x - m) / sqrt(v + epsilon) + beta)

A map is larger than the cache, and reading it from memory takes longer than the
arithmetic. So several operations are done on some channels before the next ones are
read. The forward pass reads the input twice, once for its moments, and writes the
output. The backward pass reads the gradient and the input twice. Neither keeps a
normalized copy: it follows from the input again, while that is in the cache.

Maps are batch last, ``(channels, *spatial, batch)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._typing import FeatureMap, Lengths
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.blas_kernels import axpy, channel_products, channel_sums
from skconvnet.ops.blocks import channel_blocks
from skconvnet.ops.layout import per_channel
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.workspace import Workspace

# Bytes of a block. Threads wait for the interpreter's lock between two operations, so
# that smaller blocks, which would stay in a faster cache, make two threads slower.
_BLOCK_BYTES = 2_000_000

# Of the squared mean by the variance, up to which two digits at most are lost.
_MAX_SQUARED_RATIO = 16

# One number per channel.
PerChannel: TypeAlias = npt.NDArray[np.floating]

# The weights of values: one per sample, or one per position of a sequence.
ValueWeights: TypeAlias = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Moments:
    """The mean of each channel, and the sum of squared deviations from it.

    Attributes
    ----------
    count : float
        Number of values per channel, or the sum of their weights.
    n_values : int
        Number of values per channel that have any weight.
    mean, squares : ndarray of shape (channels,)
        Weighted, if there are weights.
    """

    count: float
    n_values: int
    mean: PerChannel
    squares: PerChannel


@dataclass(frozen=True)
class Normalization:
    """The numbers that normalize each channel.

    Parameters
    ----------
    mean : ndarray of shape (channels,)
    factor : ndarray of shape (channels,)
        gamma / sqrt(v + epsilon).
    beta : ndarray of shape (channels,)
    activation : ActivationFunction
    centers : bool
        Whether the mean is subtracted before anything else, which takes longer but
        loses no digits if the mean of a channel is far from zero.
    """

    mean: PerChannel
    factor: PerChannel
    beta: PerChannel
    activation: ActivationFunction
    centers: bool

    @cached_property
    def offset(self) -> PerChannel:
        """What is added after multiplying by the factor."""
        return self.beta if self.centers else self.beta - self.factor * self.mean

    def apply(self, x: FeatureMap, some: slice, out: FeatureMap) -> None:
        """Write some normalized channels into `out`, without the activation."""
        factor, offset = per_channel(self.factor[some], x), self.offset[some]
        if self.centers:
            np.subtract(x, per_channel(self.mean[some], x), out=out)
            out *= factor
        else:
            np.multiply(x, factor, out=out)
        out += per_channel(offset, x)


def is_far_from_zero(mean: PerChannel, variance: PerChannel) -> bool:
    """Return whether sums of squares about zero would lose digits in any channel."""
    return bool(np.any(mean * mean > _MAX_SQUARED_RATIO * variance))


def weights_of_values(
    x: FeatureMap, weights: npt.NDArray[np.floating] | None, lengths: Lengths | None
) -> ValueWeights | None:
    """Return how much the values at each position count, None if all count the same.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    weights : ndarray of shape (batch,) or None
        Weights of the samples.
    lengths : ndarray of int of shape (batch,) or None
        Lengths of padded sequences. Padding does not count.

    Returns
    -------
    weights : ndarray of shape (batch,) or (length, batch), or None
    """
    if lengths is None:
        return weights
    own: ValueWeights = (~is_padding(lengths, x.shape[1])).astype(x.dtype)
    return own if weights is None else own * weights


def moments(
    x: FeatureMap, weights: ValueWeights | None, workspace: Workspace
) -> Moments:
    """Return the moments of a map.

    Squares are summed about zero, which takes two reads of a block, and again about the
    mean if that is far from zero.
    """
    count, n_values = float(x[0].size), x[0].size
    if weights is not None:
        n_positions = x[0].size // weights.size
        count = float(weights.sum(dtype=np.float64)) * n_positions
        n_values = int(np.count_nonzero(weights)) * n_positions
    # Samples without any weight have no mean, and add nothing to the minibatch's.
    divisor = x.dtype.type(count or 1)
    mean, squares = np.empty(len(x), x.dtype), np.empty(len(x), x.dtype)
    for some in channel_blocks(x, _BLOCK_BYTES):
        own = weighted = x[some]
        if weights is not None:
            weighted = workspace.scratch("weighted", own.shape, x.dtype)
            np.multiply(own, weights, out=weighted)
        channel_sums(weighted, mean[some])
        mean[some] /= divisor
        about_zero = channel_products(weighted, own)
        squares[some] = about_zero - divisor * mean[some] ** 2
        if is_far_from_zero(mean[some], squares[some] / divisor):
            deviations = workspace.scratch("deviations", own.shape, x.dtype)
            np.subtract(own, per_channel(mean[some], own), out=deviations)
            if weights is None:
                weighted = deviations
            else:
                np.multiply(deviations, weights, out=weighted)
            squares[some] = channel_products(weighted, deviations)
    return Moments(count, n_values, mean, squares)


def normalize(x: FeatureMap, how: Normalization, workspace: Workspace) -> FeatureMap:
    """Return the normalized and activated map."""
    y = workspace.array("y", x.shape, x.dtype)
    for some in channel_blocks(x, _BLOCK_BYTES):
        out = own = y[some]
        if how.activation.needs_input:
            own = workspace.scratch("normalized", out.shape, x.dtype)
        how.apply(x[some], some, own)
        how.activation.apply(own, out, workspace)
    return y


def backward_of_activation(
    x: FeatureMap,
    y: FeatureMap,
    dy: FeatureMap,
    how: Normalization,
    workspace: Workspace,
) -> tuple[PerChannel, PerChannel]:
    """Replace `dy` by the gradient dz before the activation, and return two sums.

    Returns
    -------
    of_gradient : ndarray of shape (channels,)
        The sum of dz over each channel, which is the gradient of beta.
    of_products : ndarray of shape (channels,)
        The sum of ``dz * (x - m)``.
    """
    of_gradient, of_products = np.empty_like(how.mean), np.empty_like(how.mean)
    for some in channel_blocks(x, _BLOCK_BYTES):
        own, mean, cache = dy[some], how.mean[some], y[some]
        if how.activation.needs_input:
            cache = workspace.scratch("normalized", own.shape, x.dtype)
            how.apply(x[some], some, cache)
        how.activation.backward(cache, own, own, workspace)
        channel_sums(own, of_gradient[some])
        if how.centers:
            deviations = workspace.scratch("deviations", own.shape, x.dtype)
            np.subtract(x[some], per_channel(mean, own), out=deviations)
            of_products[some] = channel_products(own, deviations)
        else:
            products = channel_products(own, x[some])
            of_products[some] = products - mean * of_gradient[some]
    return of_gradient, of_products


def input_gradient(
    x: FeatureMap,
    dz: FeatureMap,
    how: Normalization,
    slope: PerChannel,
    constant: PerChannel,
    weights: ValueWeights | None,
    workspace: Workspace,
) -> None:
    """Replace `dz` by ``factor * dz + weights * (slope * (x - m) + constant)``."""
    if not how.centers:
        constant = constant - slope * how.mean
    for some in channel_blocks(x, _BLOCK_BYTES):
        own = dz[some]
        own *= per_channel(how.factor[some], own)
        if weights is None and not how.centers and _is_one_row(own, x[some]):
            own += constant[some]
            axpy(slope[some].item(), x[some].reshape(-1), own.reshape(-1))
            continue
        rest = workspace.scratch("deviations", own.shape, x.dtype)
        slopes = per_channel(slope[some], own)
        if how.centers:
            np.subtract(x[some], per_channel(how.mean[some], own), out=rest)
            rest *= slopes
        else:
            np.multiply(x[some], slopes, out=rest)
        rest += per_channel(constant[some], own)
        if weights is not None:
            rest *= weights
        own += rest


def input_gradient_of_fixed(
    x: FeatureMap,
    y: FeatureMap,
    dy: FeatureMap,
    how: Normalization,
    workspace: Workspace,
) -> FeatureMap:
    """Replace `dy` by the gradient of the input if the statistics are constants."""
    for some in channel_blocks(x, _BLOCK_BYTES):
        own, cache = dy[some], y[some]
        if how.activation.needs_input:
            cache = workspace.scratch("normalized", own.shape, x.dtype)
            how.apply(x[some], some, cache)
        how.activation.backward(cache, own, own, workspace)
        own *= per_channel(how.factor[some], own)
    return dy


def _is_one_row(a: FeatureMap, b: FeatureMap) -> bool:
    """Return whether both are a single channel that is contiguous."""
    return len(a) == 1 and a.flags.c_contiguous and b.flags.c_contiguous
