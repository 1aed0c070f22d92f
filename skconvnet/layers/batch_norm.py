"""Batch normalization, with the statistics of whole minibatches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_float
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.layers.base import Layer, MicroBatchRunner
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class BatchNorm(LayerSpec):
    """Bring each channel to mean 0 and variance 1, then scale and shift it.

    In training the statistics are those of the whole minibatch, whatever the number
    of threads or micro-batches it is computed in [1]_; in prediction, those that were
    averaged over training. In training, the arrays of a whole minibatch are in memory
    at once.

    Weights: ``gamma`` and ``beta`` of shape (channels,), which `alpha` does not
    shrink. Buffers: ``moving_mean`` and ``moving_variance`` of the same shape.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the moving statistics that an update keeps, in [0, 1). The rest is
        the minibatch's, with the variance over n - 1. A minibatch with one value per
        channel, which is one row of flat input, leaves the moving variance unchanged.
        (What PyTorch calls momentum is 1 - momentum.)
    epsilon : float, default=1e-5
        Added to the variance.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network
       training by reducing internal covariate shift", ICML 2015.

    Examples
    --------
    >>> from skconvnet.layers import BatchNorm
    >>> BatchNorm().build((8, 8, 16)).weight_shapes
    {'gamma': (16,), 'beta': (16,)}
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        momentum = check_float(
            "momentum", self.momentum, "a float in [0, 1)", lambda v: 0 <= v < 1
        )
        epsilon = check_float(
            "epsilon", self.epsilon, "a finite float above 0", lambda v: v > 0
        )
        return BatchNormLayer(in_shape, momentum, epsilon)


# One number per channel.
PerChannel: TypeAlias = npt.NDArray[np.floating]


@dataclass(frozen=True)
class FixedCache:
    """What the backward pass needs if the statistics do not depend on the input.

    Attributes
    ----------
    centred : ndarray, shaped like the input
        Input minus mean.
    deviation : ndarray of shape (channels,)
        Square root of variance plus epsilon.
    """

    centred: FeatureMap
    deviation: PerChannel


@dataclass(frozen=True)
class MinibatchCache(FixedCache):
    """What the backward pass needs of one micro-batch if they are the minibatch's.

    Attributes
    ----------
    centred : ndarray, shaped like the input
        Input minus the mean of this micro-batch.
    shift : ndarray of shape (channels,)
        Mean of this micro-batch minus that of the minibatch, so that ``centred +
        shift`` is the input minus the mean of the minibatch.
    count : float
        Values per channel in the minibatch.
    """

    shift: PerChannel
    count: float


@dataclass(frozen=True)
class _Moments:
    """Mean and sum of squared deviations from it, and the input minus the mean."""

    count: int
    mean: PerChannel
    squares: PerChannel
    centred: FeatureMap


class BatchNormLayer(Layer[FixedCache]):
    """A built `BatchNorm`.

    With the mean m, the variance v and the number n of the values of a channel in the
    minibatch, and sums over all of these values::

        z = (x - m) / sqrt(v + epsilon)
        y = gamma * z + beta

        dbeta = sum(dy)
        dgamma = sum(dy * z)
        dx = gamma / sqrt(v + epsilon) * (dy - dbeta / n - z * dgamma / n)

    Each sum is formed over one micro-batch at a time, on any thread, and those of the
    micro-batches are then added in their order.
    """

    penalized = ()
    needs_whole_batch = True

    def __init__(self, in_shape: Shape, momentum: float, epsilon: float) -> None:
        super().__init__(in_shape, in_shape)
        self.momentum = momentum
        self.epsilon = epsilon
        channels = (in_shape[-1],)
        self.weight_shapes = {"gamma": channels, "beta": channels}
        self.buffer_shapes = {"moving_mean": channels, "moving_variance": channels}
        self.cached_values = prod(in_shape)
        self.flops = 8 * prod(in_shape)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        channels = self.in_shape[-1:]
        return {"gamma": np.ones(channels), "beta": np.zeros(channels)}

    @override
    def initial_buffers(self) -> dict[str, np.ndarray]:
        channels = self.in_shape[-1:]
        return {"moving_mean": np.zeros(channels), "moving_variance": np.ones(channels)}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, FixedCache]:
        if train:
            ys, caches = self.forward_micro_batches(
                [self],
                [x],
                runner=MicroBatchRunner.alone(rng),
                workspaces=[workspace],
            )
            return ys[0], caches[0]
        centred = workspace.array("centred", x.shape, x.dtype)
        np.subtract(x, per_channel(self.buffers["moving_mean"], x), out=centred)
        deviation = np.sqrt(self.buffers["moving_variance"] + self.epsilon)
        cache = FixedCache(centred, deviation.astype(x.dtype, copy=False))
        return self.scale(cache, workspace), cache

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: FixedCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if isinstance(cache, MinibatchCache):
            dxs = self.backward_micro_batches(
                [self],
                [dy],
                [cache],
                gradients=[gradients],
                runner=MicroBatchRunner.alone(None),
                workspaces=[workspace],
                need_dx=need_dx,
            )
            return None if dxs is None else dxs[0]
        gradients["beta"][...] = _channel_sums(dy)
        products = _channel_products(dy, cache.centred)
        np.divide(products, cache.deviation, out=gradients["gamma"])
        if not need_dx:
            return None
        dy *= per_channel(self.weights["gamma"] / cache.deviation, dy)
        return dy

    @override
    @classmethod
    def forward_micro_batches(
        cls,
        layers: Sequence[Self],
        xs: Sequence[FeatureMap],
        *,
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[FeatureMap], list[FixedCache]]:
        moments = runner.map(lambda m: _moments(xs[m], workspaces[m]))
        caches = layers[0].merge(moments)
        ys = runner.map(lambda m: layers[m].scale(caches[m], workspaces[m]))
        return ys, caches

    def merge(self, moments: Sequence[_Moments]) -> list[FixedCache]:
        """Merge the moments of all micro-batches, and update the moving ones.

        Each micro-batch was centred on its own mean, so that its squares were summed
        without cancellation. The squares about the common mean are larger by the count
        times the squared distance of the means [Chan et al., 1983].
        """
        counts = np.array([own.count for own in moments], dtype=np.float64)
        count = counts.sum()
        means = np.array([own.mean for own in moments], dtype=np.float64)
        mean = counts @ means / count
        offsets = means - mean
        squares = np.sum([own.squares for own in moments], axis=0, dtype=np.float64)
        squares = squares + counts @ offsets**2
        variance = squares / count
        self._update_moving(mean, squares, count)
        dtype = moments[0].centred.dtype
        deviation = np.sqrt(variance + self.epsilon).astype(dtype)
        return [
            MinibatchCache(own.centred, deviation, shift, count)
            for own, shift in zip(moments, offsets.astype(dtype), strict=True)
        ]

    @override
    @classmethod
    def backward_micro_batches(
        cls,
        layers: Sequence[Self],
        dys: Sequence[FeatureMap],
        caches: Sequence[FixedCache],
        *,
        gradients: Sequence[NamedArrays],
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[FeatureMap] | None:
        own = [cache for cache in caches if isinstance(cache, MinibatchCache)]
        runner.map(lambda m: _write_gradients(dys[m], own[m], gradients[m]))
        if not need_dx:
            return None
        dbeta = np.sum([g["beta"] for g in gradients], axis=0, dtype=np.float64)
        dgamma = np.sum([g["gamma"] for g in gradients], axis=0, dtype=np.float64)
        deviation, count = own[0].deviation, own[0].count
        factor = layers[0].weights["gamma"] / deviation
        # dx = factor * dy + slope * (centred + shift) - factor * dbeta / count
        slope = -factor * (dgamma / count) / deviation

        def finish(m: int) -> FeatureMap:
            dy, shift = dys[m], own[m].shift
            constant = (shift * slope - factor * (dbeta / count)).astype(dy.dtype)
            dy *= per_channel(factor, dy)
            rest = workspaces[m].scratch("rest", dy.shape, dy.dtype)
            slopes = per_channel(slope.astype(dy.dtype), dy)
            np.multiply(own[m].centred, slopes, out=rest)
            rest += per_channel(constant, dy)
            dy += rest
            return dy

        return runner.map(finish)

    def _update_moving(
        self, mean: PerChannel, squares: PerChannel, count: float
    ) -> None:
        updates = {"moving_mean": mean}
        # A single value has no variance: zeros would make predictions ever larger.
        if count > 1:
            updates["moving_variance"] = squares / (count - 1)
        for name, value in updates.items():
            moving = self.buffers[name]
            moving *= self.momentum
            moving += (1 - self.momentum) * value

    def scale(self, cache: FixedCache, workspace: Workspace) -> FeatureMap:
        """Return ``gamma * (centred + shift) / deviation + beta``."""
        centred = cache.centred
        factor = self.weights["gamma"] / cache.deviation
        offset = self.weights["beta"]
        if isinstance(cache, MinibatchCache):
            offset = offset + factor * cache.shift
        y = workspace.array("y", centred.shape, centred.dtype)
        np.multiply(centred, per_channel(factor, centred), out=y)
        y += per_channel(offset, y)
        return y


def _moments(x: FeatureMap, workspace: Workspace) -> _Moments:
    """Return the moments of one micro-batch."""
    count = x.size // len(x)
    mean = _channel_sums(x) / x.dtype.type(count)
    centred = workspace.array("centred", x.shape, x.dtype)
    np.subtract(x, per_channel(mean, x), out=centred)
    return _Moments(count, mean, _channel_products(centred, centred), centred)


def _write_gradients(
    dy: FeatureMap, cache: MinibatchCache, gradients: NamedArrays
) -> None:
    """Write one micro-batch's share of the gradients of the weights."""
    dbeta = _channel_sums(dy)
    dgamma = _channel_products(dy, cache.centred)
    dgamma += cache.shift * dbeta
    dgamma /= cache.deviation
    gradients["beta"][...] = dbeta
    gradients["gamma"][...] = dgamma


def _channel_sums(x: FeatureMap) -> PerChannel:
    """Return the sum over each channel."""
    sums: PerChannel = x.sum(axis=tuple(range(1, x.ndim)))
    return sums


def _channel_products(a: FeatureMap, b: FeatureMap) -> PerChannel:
    """Return the sum of the products over each channel."""
    products: PerChannel
    if a.flags.c_contiguous and b.flags.c_contiguous:
        products = np.vecdot(a.reshape(len(a), -1), b.reshape(len(b), -1))
    else:
        letters = "abcdef"[: a.ndim]
        products = np.einsum(f"{letters},{letters}->a", a, b)
    return products
