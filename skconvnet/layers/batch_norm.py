"""Batch normalization, with the statistics of whole minibatches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self, TypeAlias

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_float, check_fraction
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.layers.base import Layer, MicroBatchRunner
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class BatchNorm(LayerSpec):
    """Bring each channel to mean 0 and variance 1, then scale and shift it.

    Training uses the statistics of the whole minibatch, whatever the number of threads
    and micro-batches [1]_. Prediction uses statistics that were averaged over training.
    In training, the arrays of a whole minibatch are in memory at the same time.

    Weights: ``gamma`` and ``beta`` of shape (channels,), which `alpha` does not
    shrink. Buffers: ``moving_mean`` and ``moving_variance`` of the same shape.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the moving statistics that an update keeps, in [0, 1). The rest comes
        from the minibatch, whose variance is divided by n - 1. A minibatch with one
        value per channel, which is one row of flat input, leaves the moving variance
        unchanged. (What PyTorch calls momentum is 1 - momentum.)
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
        momentum = check_fraction("momentum", self.momentum)
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
    centered : ndarray, shaped like the input
        The input minus the mean.
    deviation : ndarray of shape (channels,)
        Square root of the variance plus epsilon.
    """

    centered: FeatureMap
    deviation: PerChannel


@dataclass(frozen=True)
class MinibatchCache(FixedCache):
    """What the backward pass of a micro-batch needs in training.

    Attributes
    ----------
    centered : ndarray, shaped like the input
        The input minus the mean of this micro-batch.
    shift : ndarray of shape (channels,)
        The mean of this micro-batch minus the mean of the minibatch, so that ``centered
        + shift`` is the input minus the mean of the minibatch.
    count : float
        Number of values per channel in the minibatch, or the sum of their weights.
    weights : ndarray of shape (batch,) or None
        Weights of the samples of this micro-batch; None if all are equal.
    """

    shift: PerChannel
    count: float
    weights: npt.NDArray[np.floating] | None


@dataclass(frozen=True)
class _Moments:
    """The mean, the sum of squared deviations from it, and the input minus the mean.

    With `weights`, one per sample, all sums are weighted, `count` is the sum of the
    weights of all values, and `n_values` is the number of values that have any weight.
    """

    count: float
    n_values: int
    mean: PerChannel
    squares: PerChannel
    centered: FeatureMap
    weights: npt.NDArray[np.floating] | None = None


class BatchNormLayer(Layer[FixedCache]):
    """Runtime layer of `BatchNorm`.

    With m, v and n for the mean, the variance and the number of values of a channel in
    the minibatch, and sums over all of these values::

        z = (x - m) / sqrt(v + epsilon)
        y = gamma * z + beta

        dbeta = sum(dy)
        dgamma = sum(dy * z)
        dx = gamma / sqrt(v + epsilon) * (dy - dbeta / n - z * dgamma / n)

    Each sum is first computed for every micro-batch, on any thread. The sums of the
    micro-batches are then added in their order.

    With sample weights w, a sample counts as w equal ones: m and v are weighted, n is
    the sum of the weights of all values, and dbeta and dgamma are multiplied by w in
    dx. The gradient dy is weighted already, since the loss is.
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
                runner=MicroBatchRunner.single(rng),
                workspaces=[workspace],
            )
            return ys[0], caches[0]
        centered = workspace.array("centered", x.shape, x.dtype)
        np.subtract(x, per_channel(self.buffers["moving_mean"], x), out=centered)
        deviation = np.sqrt(self.buffers["moving_variance"] + self.epsilon)
        cache = FixedCache(centered, deviation.astype(x.dtype, copy=False))
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
                runner=MicroBatchRunner.single(None),
                workspaces=[workspace],
                need_dx=need_dx,
            )
            return None if dxs is None else dxs[0]
        gradients["beta"][...] = _channel_sums(dy)
        products = _channel_products(dy, cache.centered)
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
        moments = runner.map(
            lambda m: _moments(xs[m], workspaces[m], runner.weights_of(m))
        )
        caches = layers[0].merge(moments)
        ys = runner.map(lambda m: layers[m].scale(caches[m], workspaces[m]))
        return ys, caches

    def merge(self, moments: Sequence[_Moments]) -> list[FixedCache]:
        """Merge the moments of all micro-batches, and update the moving statistics.

        The squares of each micro-batch were summed about its own mean, to avoid
        cancellation. The squares about the common mean are larger by the count times
        the squared distance between the means [Chan et al., 1983].
        """
        counts = np.array([own.count for own in moments], dtype=np.float64)
        count = counts.sum()
        means = np.array([own.mean for own in moments], dtype=np.float64)
        mean = counts @ means / count
        offsets = means - mean
        squares = np.sum([own.squares for own in moments], axis=0, dtype=np.float64)
        squares = squares + counts @ offsets**2
        variance = squares / count
        n_values = sum(own.n_values for own in moments)
        self._update_moving(mean, squares, count, n_values)
        dtype = moments[0].centered.dtype
        deviation = np.sqrt(variance + self.epsilon).astype(dtype)
        return [
            MinibatchCache(own.centered, deviation, shift, count, own.weights)
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
        # dx = factor * dy + slope * (centered + shift) - factor * dbeta / count
        slope = -factor * (dgamma / count) / deviation

        def finish(m: int) -> FeatureMap:
            dy, shift = dys[m], own[m].shift
            constant = (shift * slope - factor * (dbeta / count)).astype(dy.dtype)
            dy *= per_channel(factor, dy)
            rest = workspaces[m].scratch("rest", dy.shape, dy.dtype)
            slopes = per_channel(slope.astype(dy.dtype), dy)
            np.multiply(own[m].centered, slopes, out=rest)
            rest += per_channel(constant, dy)
            weights = own[m].weights
            if weights is not None:
                rest *= weights
            dy += rest
            return dy

        return runner.map(finish)

    def _update_moving(
        self, mean: PerChannel, squares: PerChannel, count: float, n_values: int
    ) -> None:
        updates = {"moving_mean": mean}
        # A single value has no variance: a moving variance that approaches zero would
        # make predictions larger and larger.
        if n_values > 1:
            # Weights of at least 1 count samples. Smaller ones say nothing of a count,
            # and the variance must not depend on their unit.
            free = max(count - 1, count - count / n_values)
            updates["moving_variance"] = squares / free
        for name, value in updates.items():
            moving = self.buffers[name]
            # At once, since the user may interrupt training between two operations.
            moving[...] = self.momentum * moving + (1 - self.momentum) * value

    def scale(self, cache: FixedCache, workspace: Workspace) -> FeatureMap:
        """Return ``gamma * (centered + shift) / deviation + beta``."""
        centered = cache.centered
        factor = self.weights["gamma"] / cache.deviation
        offset = self.weights["beta"]
        if isinstance(cache, MinibatchCache):
            offset = offset + factor * cache.shift
        y = workspace.array("y", centered.shape, centered.dtype)
        np.multiply(centered, per_channel(factor, centered), out=y)
        y += per_channel(offset, y)
        return y


def _moments(
    x: FeatureMap, workspace: Workspace, weights: npt.NDArray[np.floating] | None
) -> _Moments:
    """Return the moments of one micro-batch."""
    if weights is not None:
        return _weighted_moments(x, workspace, weights)
    count = x.size // len(x)
    mean = _channel_sums(x) / x.dtype.type(count)
    centered = workspace.array("centered", x.shape, x.dtype)
    np.subtract(x, per_channel(mean, x), out=centered)
    squares = _channel_products(centered, centered)
    return _Moments(count, count, mean, squares, centered)


def _weighted_moments(
    x: FeatureMap, workspace: Workspace, weights: npt.NDArray[np.floating]
) -> _Moments:
    """Return the moments of one micro-batch whose samples have weights."""
    n_positions = x[0].size // x.shape[-1]
    count = float(weights.sum(dtype=np.float64)) * n_positions
    weighted = workspace.scratch("weighted", x.shape, x.dtype)
    np.multiply(x, weights, out=weighted)
    # Samples without any weight have no mean, and add nothing to the minibatch's.
    mean = _channel_sums(weighted) / x.dtype.type(count or 1)
    centered = workspace.array("centered", x.shape, x.dtype)
    np.subtract(x, per_channel(mean, x), out=centered)
    np.multiply(centered, weights, out=weighted)
    squares = _channel_products(weighted, centered)
    n_values = int(np.count_nonzero(weights)) * n_positions
    return _Moments(count, n_values, mean, squares, centered, weights)


def _write_gradients(
    dy: FeatureMap, cache: MinibatchCache, gradients: NamedArrays
) -> None:
    """Write the share of one micro-batch in the gradients of the weights."""
    dbeta = _channel_sums(dy)
    dgamma = _channel_products(dy, cache.centered)
    dgamma += cache.shift * dbeta
    dgamma /= cache.deviation
    gradients["beta"][...] = dbeta
    gradients["gamma"][...] = dgamma


def _channel_sums(x: FeatureMap) -> PerChannel:
    """Return the sum over each channel."""
    sums: PerChannel = x.sum(axis=tuple(range(1, x.ndim)))
    return sums


def _channel_products(a: FeatureMap, b: FeatureMap) -> PerChannel:
    """Return the sum of the products of `a` and `b` over each channel."""
    products: PerChannel
    if a.flags.c_contiguous and b.flags.c_contiguous:
        products = np.vecdot(a.reshape(len(a), -1), b.reshape(len(b), -1))
    else:
        letters = "abcdef"[: a.ndim]
        products = np.einsum(f"{letters},{letters}->a", a, b)
    return products
