"""Normalization of groups of channels of each sample, in blocks that stay in the cache.

A map is cut along its channels, the first axis, into groups of equal size. The values
of a group are contiguous: a matrix with a row for each channel and position, and a
column for each sample. Hence statistics are sums over rows::

    4 channels, 2 groups          the matrix of group 0
                                           sample 0  sample 1  ...
    channel 0, positions 0 1 ..   row 0        .         .
    channel 1, positions 0 1 ..   row 1        .         .
    ---------------------------   ...
    channel 2, positions 0 1 ..   mean        m0        m1
    channel 3, positions 0 1 ..   deviation   s0        s1

With m and s for the mean and the deviation of a group in a sample::

    y = gamma * (x - m) / s + beta
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.blocks import channel_blocks
from skconvnet.ops.layout import per_channel
from skconvnet.ops.lengths import clear_padding
from skconvnet.ops.matrix_sums import sum_rows
from skconvnet.ops.row_broadcast import combine_rows
from skconvnet.ops.workspace import Workspace

# Bytes of a block of groups.
_BLOCK_BYTES = 400_000


class GroupStatistics(NamedTuple):
    """Statistics of each group in each sample.

    Attributes
    ----------
    mean : ndarray of shape (groups, batch)
    inverse : ndarray of shape (groups, batch)
        1 / sqrt(variance + epsilon).
    n_values : int or ndarray of shape (batch,)
        At least 1.
    """

    mean: np.ndarray
    inverse: np.ndarray
    n_values: int | np.ndarray


def normalize_groups(
    x: FeatureMap,
    n_groups: int,
    gamma: np.ndarray,
    beta: np.ndarray,
    epsilon: float,
    workspace: Workspace,
) -> tuple[FeatureMap, GroupStatistics]:
    """Return the normalized map, and what it was normalized by.

    Parameters
    ----------
    x : ndarray of shape (channels, positions, batch)
        Contiguous. Padding does not count, see `skconvnet.ops.lengths`.
    n_groups : int
        A divisor of the number of channels.
    gamma, beta : ndarray of shape (channels,)
    epsilon : float
    workspace : Workspace
    """
    size, lengths = len(x) // n_groups, workspace.lengths
    n_values: int | np.ndarray = size * x.shape[1]
    if lengths is not None:
        n_values = np.maximum(size * lengths, 1).astype(x.dtype)
    shape = (n_groups, x.shape[-1])
    means = workspace.array("means", shape, x.dtype)
    inverses = workspace.array("inverses", shape, x.dtype)
    y = workspace.array("y", x.shape, x.dtype)
    for groups, channels in _blocks(x, n_groups):
        own, mean, inverse = y[channels], means[groups], inverses[groups]
        matrices = x[channels].reshape(len(mean), -1, x.shape[-1])
        out = own.reshape(matrices.shape)
        sum_rows(matrices, mean, workspace)
        mean /= n_values
        combine_rows(np.subtract, matrices, mean, out, workspace)
        clear_padding(own, lengths)
        squares = workspace.scratch("squares", out.shape, x.dtype)
        sum_rows(np.multiply(out, out, out=squares), inverse, workspace)
        inverse /= n_values
        inverse += x.dtype.type(epsilon)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        factors = _factors(gamma[channels], inverse)
        combine_rows(np.multiply, own, factors, own, workspace)
        own += per_channel(beta[channels], own)
    return y, GroupStatistics(means, inverses, n_values)


def backward_of_groups(
    x: FeatureMap,
    dy: FeatureMap,
    gamma: np.ndarray,
    statistics: GroupStatistics,
    workspace: Workspace,
    *,
    need_dx: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of gamma and beta, and replace `dy` by that of `x`.

    Unless `need_dx`, `dy` stays as it is. Both maps have the shape (channels,
    positions, batch) and are contiguous.
    """
    # The normalized values h do not change when all values of a group are shifted or
    # scaled. Hence, with g = gamma * dy, and with means over a group,
    #     dx = (g - mean(g) - h * mean(g * h)) / s
    dgamma, dbeta = np.empty_like(gamma), np.empty_like(gamma)
    n_groups, batch = statistics.mean.shape
    for groups, channels in _blocks(x, n_groups):
        own, inverse = dy[channels], statistics.inverse[groups]
        matrices = own.reshape(len(inverse), -1, batch)
        deviations = workspace.scratch("deviations", matrices.shape, x.dtype)
        products = workspace.scratch("products", own.shape, x.dtype)
        combine_rows(
            np.subtract,
            x[channels].reshape(matrices.shape),
            statistics.mean[groups],
            deviations,
            workspace,
        )
        np.multiply(own, deviations.reshape(own.shape), out=products)
        # Sums over the positions of each channel: of dy, and of dy * h.
        sums = workspace.scratch("sums of channels", (2, len(own), batch), x.dtype)
        sum_rows(own, sums[0], workspace)
        sum_rows(products, sums[1], workspace)
        by_group = sums.reshape(2, len(inverse), -1, batch)
        by_group[1] *= inverse[:, np.newaxis]
        dbeta[channels], dgamma[channels] = sums.sum(axis=-1)
        if not need_dx:
            continue
        sums *= gamma[channels, np.newaxis]
        means = by_group.sum(axis=2)
        means /= statistics.n_values
        means *= inverse
        means[1] *= inverse
        factors = _factors(gamma[channels], inverse)
        combine_rows(np.multiply, own, factors, own, workspace)
        combine_rows(np.subtract, matrices, means[0], matrices, workspace)
        combine_rows(np.multiply, deviations, means[1], deviations, workspace)
        matrices -= deviations
    return dgamma, dbeta


def _blocks(x: FeatureMap, n_groups: int) -> Iterator[tuple[slice, slice]]:
    """Cut a map into blocks, as slices of the groups and of their channels."""
    size = len(x) // n_groups
    for groups in channel_blocks(x.reshape(n_groups, -1), _BLOCK_BYTES):
        yield groups, slice(groups.start * size, groups.stop * size)


def _factors(gamma: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """Return gamma / s for each channel and sample."""
    by_group = gamma.reshape(len(inverse), -1, 1) * inverse[:, np.newaxis]
    factors: np.ndarray = by_group.reshape(len(gamma), -1)
    return factors
