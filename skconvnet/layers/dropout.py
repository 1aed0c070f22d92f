"""Noise in training: dropped values, channels or samples, or added normal noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import check_fraction, check_nonnegative_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.random_normal import fill_normal
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Dropout(LayerSpec):
    """Set a random share of the values to zero in training [1]_.

    The other values are scaled by 1 / (1 - rate), so that prediction needs no scaling.

    Parameters
    ----------
    rate : float, default=0.5
        Share of values dropped, in [0, 1).

    References
    ----------
    .. [1] N. Srivastava et al., "Dropout: a simple way to prevent neural networks
       from overfitting", JMLR 15, 2014.

    Examples
    --------
    >>> from skconvnet.layers import Dropout
    >>> Dropout(0.2).build((10,)).out_shape
    (10,)
    """

    rate: float = 0.5

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return DropoutLayer(in_shape, _check_rate(self.rate))


class DropoutLayer(WeightlessLayer[FeatureMap | None]):
    """Runtime layer of `Dropout`; its cache is the scale of each value."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, rate: float) -> None:
        super().__init__(in_shape, in_shape)
        self.rate = rate
        self.is_random = rate > 0

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, FeatureMap | None]:
        if not train or not self.is_random:
            return x, None
        assert rng is not None
        scale = workspace.array("scale", self._scale_shape(x), x.dtype)
        rng.random(out=scale, dtype=x.dtype)
        np.multiply(scale >= self.rate, x.dtype.type(1 / (1 - self.rate)), out=scale)
        y = workspace.array("y", x.shape, x.dtype)
        np.multiply(x, scale, out=y)
        return y, scale

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: FeatureMap | None, workspace: Workspace
    ) -> FeatureMap:
        if cache is not None:
            dy *= cache
        return dy

    def _scale_shape(self, x: FeatureMap) -> tuple[int, ...]:
        """Return the shape of the random scales that `x` is multiplied by."""
        return x.shape


@dataclass(eq=False, repr=False)
class SpatialDropout(LayerSpec):
    """Set a random share of the channels to zero in training [1]_.

    A dropped channel is zero at all positions. Neighboring positions of a map are so
    similar that dropping single values, as `Dropout` does, hides little information.
    The other channels are scaled by 1 / (1 - rate), so that prediction needs no
    scaling. Maps may have any number of spatial axes; on flat input, which has none,
    the layer does the same as `Dropout`.

    Parameters
    ----------
    rate : float, default=0.5
        Share of channels dropped, in [0, 1).

    References
    ----------
    .. [1] J. Tompson et al., "Efficient object localization using convolutional
       networks", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.layers import SpatialDropout
    >>> SpatialDropout(0.2).build((8, 8, 32)).out_shape
    (8, 8, 32)
    """

    rate: float = 0.5

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return SpatialDropoutLayer(in_shape, _check_rate(self.rate))


class SpatialDropoutLayer(DropoutLayer):
    """Runtime layer of `SpatialDropout`."""

    @override
    def _scale_shape(self, x: FeatureMap) -> tuple[int, ...]:
        return (len(x), *(1,) * (x.ndim - 2), x.shape[-1])


@dataclass(eq=False, repr=False)
class StochasticDepth(LayerSpec):
    """Set all values of a random share of the samples to zero in training [1]_.

    As the last layer in a `Residual`, it leaves these samples with the shortcut alone,
    as if the layers of the block were not there. Each sample of a minibatch is drawn
    separately. The other samples are scaled by 1 / (1 - rate), so that prediction needs
    no scaling. This is ``torchvision.ops.StochasticDepth`` with ``mode="row"``. The
    paper draws once for a whole minibatch instead, and scales in prediction.

    Parameters
    ----------
    rate : float, default=0.5
        Share of samples dropped, in [0, 1). In a deep network it usually grows from
        block to block, up to the default at the last one.

    Notes
    -----
    It is meant for deep networks and long trainings. In benchmarks/README.md, where a
    small network was trained for five epochs, it cost 2 points of accuracy.

    References
    ----------
    .. [1] G. Huang, Y. Sun, Z. Liu, D. Sedra and K. Weinberger, "Deep networks with
       stochastic depth", ECCV 2016.

    Examples
    --------
    >>> from skconvnet.layers import Conv2D, Residual, StochasticDepth
    >>> block = Residual([
    ...     ("conv", Conv2D(32, 3, padding="same", activation="relu")),
    ...     ("depth", StochasticDepth(0.2)),
    ... ])
    >>> block.set_params(depth__rate=0.1).build((8, 8, 32)).out_shape
    (8, 8, 32)
    """

    rate: float = 0.5

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return StochasticDepthLayer(in_shape, _check_rate(self.rate))


class StochasticDepthLayer(DropoutLayer):
    """Runtime layer of `StochasticDepth`."""

    @override
    def _scale_shape(self, x: FeatureMap) -> tuple[int, ...]:
        return (*(1,) * (x.ndim - 1), x.shape[-1])


def _check_rate(rate: object) -> float:
    return check_fraction("rate", rate)


@dataclass(eq=False, repr=False)
class GaussianNoise(LayerSpec):
    """Add normal noise of mean 0 to every value in training.

    Prediction leaves the values unchanged. As the first layer of a network, it is an
    augmentation; `stddev` is then in the units of X.

    Parameters
    ----------
    stddev : float, default=0.1
        Standard deviation of the noise, at least 0.

    Examples
    --------
    >>> from skconvnet.layers import GaussianNoise
    >>> GaussianNoise(0.05).build((28, 28, 1)).out_shape
    (28, 28, 1)
    """

    stddev: float = 0.1

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        stddev = check_nonnegative_float("stddev", self.stddev)
        return GaussianNoiseLayer(in_shape, stddev)


class GaussianNoiseLayer(WeightlessLayer[None]):
    """Runtime layer of `GaussianNoise`."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, stddev: float) -> None:
        super().__init__(in_shape, in_shape)
        self.stddev = stddev
        self.is_random = stddev > 0
        self.flops = 16 * prod(in_shape)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, None]:
        if not train or not self.is_random:
            return x, None
        assert rng is not None
        y = workspace.array("y", x.shape, x.dtype)
        fill_normal(rng, self.stddev, y, workspace)
        y += x
        return y, None

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: None, workspace: Workspace
    ) -> FeatureMap:
        return dy
