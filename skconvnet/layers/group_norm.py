"""Group and instance normalization, whose statistics are those of each sample."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_float, check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import Initializer, draw_scales, get_scale_initializers
from skconvnet.layers.base import Layer
from skconvnet.ops.group_normalization import (
    GroupStatistics,
    backward_of_groups,
    normalize_groups,
)
from skconvnet.ops.layout import as_rows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class GroupNorm(TrainableSpec):
    """Bring each group of channels of a sample to mean 0 and variance 1 [1]_.

    ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``, where mean and
    variance (divided by n, not by n - 1) are taken over all positions of the channels
    of a group, which are consecutive. Samples are independent, so that the results do
    not depend on the minibatch, and training and prediction do the same. In flat input,
    every feature is a channel. Of a padded sequence, only its own positions count.

    ``groups=1`` normalizes over all channels and positions; `InstanceNorm` has a group
    for each channel.

    Weights: ``gamma`` and ``beta`` of shape (channels,), which `alpha` does not shrink.

    Parameters
    ----------
    groups : int, default=32
        Number of groups, which must divide the number of channels.
    epsilon : float, default=1e-5
        Number added to the variance, larger than 0. The default is the same as in
        `LayerNorm` and PyTorch; Keras has 1e-3.
    gamma_initializer : str, float or Initializer, default="ones"
        What gamma starts from, as in `BatchNorm`.
    beta_initializer : str, float or Initializer, default="zeros"
        What beta starts from, in the same way.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] Y. Wu, K. He, "Group normalization", ECCV 2018.

    Examples
    --------
    >>> from skconvnet.layers import GroupNorm
    >>> GroupNorm(groups=4).build((8, 8, 16)).weight_shapes
    {'gamma': (16,), 'beta': (16,)}
    """

    groups: int = 32
    epsilon: float = 1e-5
    gamma_initializer: str | float | Initializer = "ones"
    beta_initializer: str | float | Initializer = "zeros"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        groups = check_positive_int("groups", self.groups)
        n_channels = in_shape[-1]
        if n_channels % groups:
            raise ValueError(
                f"groups must divide the {n_channels} channels of the input of shape "
                f"{in_shape}; got {self.groups!r}. Use one of "
                f"{_divisors(n_channels)}."
            )
        if len(in_shape) == 1 and groups == n_channels:
            raise ValueError(
                f"groups must be less than the {n_channels} features of flat input, "
                f"since a group of one value has no variance; got {self.groups!r}."
            )
        epsilon = check_positive_float("epsilon", self.epsilon)
        initializers = get_scale_initializers(
            gamma=self.gamma_initializer, beta=self.beta_initializer
        )
        return GroupNormLayer(in_shape, groups, epsilon, initializers)


@dataclass(eq=False, repr=False)
class InstanceNorm(TrainableSpec):
    """Bring each channel of a sample to mean 0 and variance 1 [1]_.

    ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``, where mean and
    variance (divided by n, not by n - 1) are taken over all positions. This is
    `GroupNorm` with a group for each channel, for maps alone. Of a padded sequence,
    only its own positions count.

    Weights: ``gamma`` and ``beta`` of shape (channels,), as with ``affine=True`` in
    PyTorch. `alpha` does not shrink them.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Number added to the variance, larger than 0. The default is the same as in
        PyTorch.
    gamma_initializer : str, float or Initializer, default="ones"
        What gamma starts from, as in `BatchNorm`.
    beta_initializer : str, float or Initializer, default="zeros"
        What beta starts from, in the same way.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] D. Ulyanov, A. Vedaldi, V. Lempitsky, "Instance normalization: the missing
       ingredient for fast stylization", arXiv:1607.08022, 2016.

    Examples
    --------
    >>> from skconvnet.layers import InstanceNorm
    >>> InstanceNorm().build((8, 8, 16)).weight_shapes
    {'gamma': (16,), 'beta': (16,)}
    """

    epsilon: float = 1e-5
    gamma_initializer: str | float | Initializer = "ones"
    beta_initializer: str | float | Initializer = "zeros"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if len(in_shape) < 2:
            raise ValueError(
                "InstanceNorm needs a map of shape (length, channels), (height, width, "
                "channels) or (depth, height, width, channels), since one value has no "
                f"variance, but its input has shape {tuple(in_shape)}; use LayerNorm()."
            )
        epsilon = check_positive_float("epsilon", self.epsilon)
        initializers = get_scale_initializers(
            gamma=self.gamma_initializer, beta=self.beta_initializer
        )
        return GroupNormLayer(in_shape, in_shape[-1], epsilon, initializers)


class GroupNormCache(NamedTuple):
    """The input, as (channels, positions, batch), and its statistics."""

    x: FeatureMap
    statistics: GroupStatistics


class GroupNormLayer(Layer[GroupNormCache]):
    """Runtime layer of `GroupNorm` and `InstanceNorm`."""

    penalized = ()
    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        groups: int,
        epsilon: float,
        initializers: Mapping[str, Initializer],
    ) -> None:
        super().__init__(in_shape, in_shape)
        self.groups = groups
        self.epsilon = epsilon
        self.initializers = initializers
        shape = self.in_shape[-1:]
        self.weight_shapes = {"gamma": shape, "beta": shape}
        self.flops = 8 * prod(in_shape)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return draw_scales(rng, self.weight_shapes, self.initializers)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, GroupNormCache]:
        by_channel = _by_channel(x, workspace, "x")
        gamma, beta = self.weights["gamma"], self.weights["beta"]
        y, statistics = normalize_groups(
            by_channel, self.groups, gamma, beta, self.epsilon, workspace
        )
        return y.reshape(x.shape), GroupNormCache(by_channel, statistics)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: GroupNormCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        by_channel = _by_channel(dy, workspace, "dy")
        dgamma, dbeta = backward_of_groups(
            cache.x,
            by_channel,
            self.weights["gamma"],
            cache.statistics,
            workspace,
            need_dx=need_dx,
        )
        if not self.is_frozen:
            gradients["gamma"][...] = dgamma
            gradients["beta"][...] = dbeta
        return by_channel.reshape(dy.shape) if need_dx else None


def _by_channel(x: FeatureMap, workspace: Workspace, name: str) -> FeatureMap:
    """View a map as (channels, positions, batch)."""
    return as_rows(x, len(x), workspace, name).reshape(len(x), -1, x.shape[-1])


def _divisors(n: int) -> str:
    return ", ".join(str(d) for d in range(1, n + 1) if n % d == 0)
