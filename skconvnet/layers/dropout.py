"""Noise in training: values or whole channels dropped, or noise added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import check_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.ops.random_normal import fill_normal
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class Dropout(LayerSpec):
    """Set a random share of the values to zero in training.

    What is left is scaled by 1 / (1 - rate), so that prediction needs no change
    [1]_.

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
        rate = check_float("rate", self.rate, "a float in [0, 1)", lambda v: 0 <= v < 1)
        return DropoutLayer(in_shape, rate)


class DropoutLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], rate: float) -> None:
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
    ) -> tuple[FeatureMap, CACHE]:
        if not train or not self.is_random:
            return x, None
        scale = workspace.array("scale", x.shape, x.dtype)
        rng.random(out=scale, dtype=scale.dtype)
        np.multiply(scale >= self.rate, scale.dtype.type(1 / (1 - self.rate)), scale)
        y = workspace.array("y", x.shape, x.dtype)
        return np.multiply(x, scale, out=y), scale

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if not need_dx:
            return None
        return dy if cache is None else np.multiply(dy, cache, out=dy)


@dataclass(eq=False, repr=False)
class GaussianNoise(LayerSpec):
    """Add normal noise of mean 0 to every value in training.

    Prediction leaves the values as they are. As a first layer it is an augmentation;
    its `stddev` is in units of what comes in.

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
        stddev = check_float(
            "stddev", self.stddev, "a finite float of at least 0", lambda v: v >= 0
        )
        return GaussianNoiseLayer(in_shape, stddev)


class GaussianNoiseLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], stddev: float) -> None:
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
    ) -> tuple[FeatureMap, CACHE]:
        if not train or not self.is_random:
            return x, None
        y = workspace.array("y", x.shape, x.dtype)
        fill_normal(rng, self.stddev, y, workspace)
        y += x
        return y, None

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        return dy if need_dx else None


@dataclass(eq=False, repr=False)
class SpatialDropout(LayerSpec):
    """Set a random share of the channels to zero in training, each as a whole [1]_.

    Neighbour cells of a map are alike, so that dropping single ones, as `Dropout`
    does, hides little. What is left is scaled by 1 / (1 - rate), and prediction needs
    no change. Maps may have any number of spatial axes; flat input has none, and there
    it does what `Dropout` does.

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
        rate = check_float("rate", self.rate, "a float in [0, 1)", lambda v: 0 <= v < 1)
        return SpatialDropoutLayer(in_shape, rate)


class SpatialDropoutLayer(Layer):
    def __init__(self, in_shape: tuple[int, ...], rate: float) -> None:
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
    ) -> tuple[FeatureMap, CACHE]:
        if not train or not self.is_random:
            return x, None
        shape = (len(x), *(1,) * (x.ndim - 2), x.shape[-1])
        scale = workspace.array("scale", shape, x.dtype)
        rng.random(out=scale, dtype=x.dtype)
        np.multiply(scale >= self.rate, x.dtype.type(1 / (1 - self.rate)), out=scale)
        y = workspace.array("y", x.shape, x.dtype)
        return np.multiply(x, scale, out=y), scale

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: CACHE,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if not need_dx:
            return None
        return dy if cache is None else np.multiply(dy, cache, out=dy)
