"""Batch normalization, with the statistics of whole minibatches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from skconvnet._checks import check_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer, MicroBatches
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec


@dataclass(eq=False, repr=False)
class BatchNorm(LayerSpec):
    """Bring each channel to mean 0 and variance 1, then scale and shift it.

    In training the statistics are those of the whole minibatch, whatever the number
    of threads or micro-batches it is computed in [1]_; in prediction, those that were
    averaged over training. A minibatch is kept in memory at once for it.

    Weights: ``gamma`` and ``beta`` of shape (channels,), which `alpha` does not
    shrink. Buffers: ``moving_mean`` and ``moving_variance`` of the same shape.

    Parameters
    ----------
    momentum : float, default=0.9
        Share of the moving statistics that an update keeps, in [0, 1). The rest is
        the minibatch's, with the variance over n - 1; a minibatch of one value a
        channel, one row of flat input, leaves that out. (PyTorch calls 1 - momentum
        so.)
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


class BatchNormLayer(Layer):
    penalized = ()
    needs_whole_batch = True

    def __init__(
        self, in_shape: tuple[int, ...], momentum: float, epsilon: float
    ) -> None:
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
    ) -> tuple[FeatureMap, CACHE]:
        if train:
            alone = MicroBatches(_one_by_one, [rng])
            ys, caches = self.forward_micro_batches(
                [self], [x], micro_batches=alone, workspaces=[workspace]
            )
            return ys[0], caches[0]
        centred = workspace.array("centred", x.shape, x.dtype)
        np.subtract(x, per_channel(self.buffers["moving_mean"], x), out=centred)
        deviation = np.sqrt(self.buffers["moving_variance"] + self.epsilon)
        deviation = deviation.astype(x.dtype, copy=False)
        return self._scaled(centred, deviation, None, workspace), (centred, deviation)

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
        if len(cache) > 2:
            alone = MicroBatches(_one_by_one, [None])
            (dx,) = self.backward_micro_batches(
                [self],
                [dy],
                [cache],
                gradients=[gradients],
                micro_batches=alone,
                workspaces=[workspace],
                need_dx=need_dx,
            )
            return dx
        centred, deviation = cache
        gradients["beta"][...] = _sums(dy)
        np.divide(_products(dy, centred), deviation, out=gradients["gamma"])
        if not need_dx:
            return None
        dy *= per_channel(self.weights["gamma"] / deviation, dy)
        return dy

    @staticmethod
    def forward_micro_batches(
        layers: Sequence[Any],
        xs: Sequence[np.ndarray],
        *,
        micro_batches: MicroBatches,
        workspaces: Sequence[Workspace],
    ) -> tuple[list[np.ndarray], list[Any]]:
        # A part is centred on its own mean, so that its squares are summed without
        # loss of digits, and all are then brought together [Chan et al., 1983].
        centred: list[Any] = [None] * len(xs)
        means: list[Any] = [None] * len(xs)
        squares: list[Any] = [None] * len(xs)

        def centre(p: int, thread: int) -> None:
            x = xs[p]
            means[p] = _sums(x) / x.dtype.type(_count(x))
            centred[p] = workspaces[p].array("centred", x.shape, x.dtype)
            np.subtract(x, per_channel(means[p], x), out=centred[p])
            squares[p] = _products(centred[p], centred[p])

        micro_batches.run(len(xs), centre)
        layer = layers[0]
        counts = np.array([_count(x) for x in xs], dtype=np.float64)
        total = counts.sum()
        own = np.array(means, dtype=np.float64)
        mean = counts @ own / total
        offsets = own - mean
        spread = np.sum(squares, axis=0, dtype=np.float64) + counts @ offsets**2
        variance = spread / total
        layer._keep(mean, spread, total)
        dtype = xs[0].dtype
        deviation = np.sqrt(variance + layer.epsilon).astype(dtype)
        shifts = offsets.astype(dtype)
        ys: list[Any] = [None] * len(xs)

        def scale(p: int, thread: int) -> None:
            ys[p] = layers[p]._scaled(centred[p], deviation, shifts[p], workspaces[p])

        micro_batches.run(len(xs), scale)
        return ys, [
            (c, deviation, s, total) for c, s in zip(centred, shifts, strict=True)
        ]

    @staticmethod
    def backward_micro_batches(
        layers: Sequence[Any],
        dys: Sequence[np.ndarray],
        caches: Sequence[Any],
        *,
        gradients: Sequence[Mapping[str, np.ndarray]],
        micro_batches: MicroBatches,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> list[np.ndarray | None]:
        def differentiate(p: int, thread: int) -> None:
            centred, deviation, shift, _ = caches[p]
            dbeta = _sums(dys[p])
            dgamma = _products(dys[p], centred)
            dgamma += shift * dbeta
            dgamma /= deviation
            gradients[p]["beta"][...] = dbeta
            gradients[p]["gamma"][...] = dgamma

        micro_batches.run(len(dys), differentiate)
        if not need_dx:
            return [None] * len(dys)
        dbeta = np.sum([g["beta"] for g in gradients], axis=0, dtype=np.float64)
        dgamma = np.sum([g["gamma"] for g in gradients], axis=0, dtype=np.float64)
        _, deviation, _, total = caches[0]
        factor = layers[0].weights["gamma"] / deviation
        # dx = factor * (dy - mean(dy) - normalized * mean(dy * normalized))
        slope = -factor * (dgamma / total) / deviation
        dtype = dys[0].dtype

        def finish(p: int, thread: int) -> None:
            centred, _, shift, _ = caches[p]
            dy = dys[p]
            constant = (shift * slope - factor * (dbeta / total)).astype(dtype)
            dy *= per_channel(factor, dy)
            rest = workspaces[p].scratch("rest", dy.shape, dtype)
            np.multiply(centred, per_channel(slope.astype(dtype), dy), out=rest)
            rest += per_channel(constant, dy)
            dy += rest

        micro_batches.run(len(dys), finish)
        return list(dys)

    def _keep(self, mean: np.ndarray, spread: np.ndarray, total: float) -> None:
        kept = {"moving_mean": mean}
        # A single value has no variance: zeros would make predictions ever larger.
        if total > 1:
            kept["moving_variance"] = spread / (total - 1)
        for name, value in kept.items():
            moving = self.buffers[name]
            moving *= self.momentum
            moving += (1 - self.momentum) * value

    def _scaled(
        self,
        centred: np.ndarray,
        deviation: np.ndarray,
        shift: np.ndarray | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """gamma * (centred + shift) / deviation + beta."""
        factor = self.weights["gamma"] / deviation
        offset = self.weights["beta"]
        if shift is not None:
            offset = offset + factor * shift
        y = workspace.array("y", centred.shape, centred.dtype)
        np.multiply(centred, per_channel(factor, centred), out=y)
        y += per_channel(offset, y)
        return y


def _one_by_one(n: int, task: Any) -> None:
    for i in range(n):
        task(i, 0)


def _count(x: np.ndarray) -> int:
    return x.size // len(x)


def _sums(x: np.ndarray) -> np.ndarray:
    return x.sum(axis=tuple(range(1, x.ndim)))


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Sum of the products, a channel."""
    if a.flags.c_contiguous and b.flags.c_contiguous:
        return np.vecdot(a.reshape(len(a), -1), b.reshape(len(b), -1))
    letters = "abcdef"[: a.ndim]
    return np.einsum(f"{letters},{letters}->a", a, b)
