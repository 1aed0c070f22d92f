"""Batch normalization, with the statistics of whole minibatches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from skconvnet._checks import check_float, check_fraction
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_scales, get_scale_initializers
from skconvnet.layers.base import Layer
from skconvnet.layers.micro_batch_runner import MicroBatchRunner
from skconvnet.ops.activations import ACTIVATIONS, ActivationFunction
from skconvnet.ops.normalization import (
    Moments,
    Normalization,
    PerChannel,
    ValueWeights,
    backward_of_activation,
    input_gradient,
    input_gradient_of_fixed,
    is_far_from_zero,
    moments,
    normalize,
    weights_of_values,
)
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class BatchNorm(TrainableSpec):
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
    gamma_initializer : str, float or Initializer, default="ones"
        What gamma starts from: "ones", "zeros", "normal", a number, or an object of
        `skconvnet.initializers` that is not for kernels, such as `Normal`. With "zeros"
        in the last layer of a `Residual`, the block starts as its shortcut [2]_.
    beta_initializer : str, float or Initializer, default="zeros"
        What beta starts from, in the same way.
    trainable : bool, default=True
        Whether training changes the weights and the moving statistics. If False, the
        layer is frozen: as in Keras, it uses the moving statistics even in training.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network
       training by reducing internal covariate shift", ICML 2015.
    .. [2] P. Goyal et al., "Accurate, large minibatch SGD: training ImageNet in 1
       hour", arXiv:1706.02677, 2017.

    Examples
    --------
    >>> from skconvnet.layers import BatchNorm
    >>> BatchNorm().build((8, 8, 16)).weight_shapes
    {'gamma': (16,), 'beta': (16,)}
    """

    momentum: float = 0.9
    epsilon: float = 1e-5
    gamma_initializer: str | float | Initializer = "ones"
    beta_initializer: str | float | Initializer = "zeros"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        momentum = check_fraction("momentum", self.momentum)
        epsilon = check_float(
            "epsilon", self.epsilon, "a finite float above 0", lambda v: v > 0
        )
        initializers = get_scale_initializers(
            gamma=self.gamma_initializer, beta=self.beta_initializer
        )
        return BatchNormLayer(in_shape, momentum, epsilon, initializers)


@dataclass(frozen=True)
class BatchNormCache:
    """What the backward pass of a micro-batch needs.

    Attributes
    ----------
    x, y : ndarray
        The input and the output.
    how : Normalization
        How one became the other.
    deviation : ndarray of shape (channels,)
        Square root of the variance plus epsilon.
    count : float or None
        Number of values per channel in the minibatch, or the sum of their weights. None
        if the statistics do not depend on the input.
    weights : ndarray of shape (batch,) or (length, batch), or None
        What `weights_of_values` returned.
    """

    x: FeatureMap
    y: FeatureMap
    how: Normalization
    deviation: PerChannel
    count: float | None = None
    weights: ValueWeights | None = None


class BatchNormLayer(Layer[BatchNormCache]):
    """Runtime layer of `BatchNorm`.

    With m, v and n for the mean, the variance and the number of values of a channel in
    the minibatch, and sums over all of these values::

        z = (x - m) / sqrt(v + epsilon)
        y = gamma * z + beta

        dbeta = sum(dy)
        dgamma = sum(dy * z)
        dx = gamma / sqrt(v + epsilon) * (dy - dbeta / n - z * dgamma / n)

    `ops/normalization.py` computes them, together with an activation after the layer.
    Each sum is first computed for every micro-batch, on any thread. The sums of the
    micro-batches are then added in their order.

    With sample weights w, a sample counts as w equal ones: m and v are weighted, n is
    the sum of the weights of all values, and dbeta and dgamma are multiplied by w in
    dx. The gradient dy is weighted already, since the loss is.
    """

    penalized = ()
    needs_whole_batch = True
    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        momentum: float,
        epsilon: float,
        initializers: Mapping[str, Initializer],
        activation: ActivationFunction = ACTIVATIONS["identity"],
    ) -> None:
        super().__init__(in_shape, in_shape)
        self.momentum = momentum
        self.epsilon = epsilon
        self.initializers = initializers
        self.activation = activation
        channels = (in_shape[-1],)
        self.weight_shapes = {"gamma": channels, "beta": channels}
        self.buffer_shapes = {"moving_mean": channels, "moving_variance": channels}
        self.flops = 8 * prod(in_shape)

    @override
    def freeze(self) -> None:
        # As in Keras, a frozen layer uses its moving statistics, even in training.
        super().freeze()
        self.needs_whole_batch = False

    def with_activation(self, activation: ActivationFunction) -> Self | None:
        """Return a layer that also does what an activation after it does.

        None means that it has one already.
        """
        if self.activation.name != "identity":
            return None
        return type(self)(
            self.in_shape, self.momentum, self.epsilon, self.initializers, activation
        )

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return draw_scales(rng, self.weight_shapes, self.initializers)

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
    ) -> tuple[FeatureMap, BatchNormCache]:
        if train and not self.is_frozen:
            ys, caches = self.forward_micro_batches(
                [self],
                [x],
                runner=MicroBatchRunner.single(rng),
                workspaces=[workspace],
            )
            return ys[0], caches[0]
        how, deviation = self.normalization_to_predict(x.dtype)
        y = normalize(x, how, workspace)
        return y, BatchNormCache(x, y, how, deviation)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: BatchNormCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if self.is_frozen:
            if not need_dx:
                return None
            return input_gradient_of_fixed(cache.x, cache.y, dy, cache.how, workspace)
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

    @override
    @classmethod
    def forward_micro_batches(
        cls,
        layers: Sequence[Self],
        xs: Sequence[FeatureMap],
        *,
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
    ) -> tuple[Sequence[FeatureMap], Sequence[BatchNormCache]]:
        weights = runner.map(
            lambda m: weights_of_values(
                xs[m], runner.weights_of(m), workspaces[m].lengths
            )
        )
        found = runner.map(lambda m: moments(xs[m], weights[m], workspaces[m]))
        layer = layers[0]
        mean, variance, count = layer.merge(runner.of_all(found))
        how, deviation = layer._normalization(  # noqa: SLF001  of the same class
            mean, variance, xs[0].dtype
        )
        ys = runner.map(lambda m: normalize(xs[m], how, workspaces[m]))
        caches = runner.map(
            lambda m: BatchNormCache(xs[m], ys[m], how, deviation, count, weights[m])
        )
        return ys, caches

    def merge(
        self, found: Sequence[Moments]
    ) -> tuple[PerChannel, PerChannel, float | None]:
        """Merge the moments of all micro-batches, and update the moving statistics.

        The squares of each micro-batch were summed about its own mean. The squares
        about the common mean are larger by the count times the squared distance between
        the means [Chan et al., 1983].

        Returns
        -------
        mean, variance : ndarray of shape (channels,)
            In float64.
        count : float or None
            None if there is no value, so that the moving statistics are returned.
        """
        counts = np.array([own.count for own in found], dtype=np.float64)
        count = counts.sum()
        if count == 0:  # all sequences are empty
            return self.buffers["moving_mean"], self.buffers["moving_variance"], None
        means = np.array([own.mean for own in found], dtype=np.float64)
        mean = counts @ means / count
        squares = np.sum([own.squares for own in found], axis=0, dtype=np.float64)
        squares = squares + counts @ (means - mean) ** 2
        n_values = sum(own.n_values for own in found)
        self._update_moving(mean, squares, count, n_values)
        return mean, squares / count, count

    def normalization_to_predict(
        self, dtype: npt.DTypeLike
    ) -> tuple[Normalization, PerChannel]:
        """Return what `_normalization` does for the moving statistics."""
        mean, variance = self.buffers["moving_mean"], self.buffers["moving_variance"]
        return self._normalization(mean, variance, dtype)

    def _normalization(
        self, mean: PerChannel, variance: PerChannel, dtype: npt.DTypeLike
    ) -> tuple[Normalization, PerChannel]:
        """Return how to normalize, and the square root of the variance plus epsilon."""
        deviation = np.sqrt(variance + self.epsilon).astype(dtype, copy=False)
        how = Normalization(
            mean.astype(dtype, copy=False),
            self.weights["gamma"] / deviation,
            self.weights["beta"],
            self.activation,
            is_far_from_zero(mean, variance),
        )
        return how, deviation

    @override
    @classmethod
    def backward_micro_batches(
        cls,
        layers: Sequence[Self],
        dys: Sequence[FeatureMap],
        caches: Sequence[BatchNormCache],
        *,
        gradients: Sequence[NamedArrays],
        runner: MicroBatchRunner,
        workspaces: Sequence[Workspace],
        need_dx: bool,
    ) -> Sequence[FeatureMap] | None:
        def write_gradients(m: int) -> tuple[PerChannel, PerChannel]:
            own, dbeta, dgamma = caches[m], gradients[m]["beta"], gradients[m]["gamma"]
            dbeta[...], products = backward_of_activation(
                own.x, own.y, dys[m], own.how, workspaces[m]
            )
            np.divide(products, own.deviation, out=dgamma)
            return dbeta, dgamma

        sums = runner.of_all(runner.map(write_gradients))
        if not need_dx:
            return None
        deviation, count, how = caches[0].deviation, caches[0].count, caches[0].how
        slope = constant = np.zeros(len(deviation))
        if count is not None:
            dbeta = np.sum([own for own, _ in sums], axis=0, dtype=np.float64)
            dgamma = np.sum([own for _, own in sums], axis=0, dtype=np.float64)
            # dx = factor * dy + slope * (x - mean) + constant
            slope = -how.factor * (dgamma / count) / deviation
            constant = -how.factor * (dbeta / count)
        slope, constant = (
            slope.astype(deviation.dtype),
            constant.astype(deviation.dtype),
        )

        def finish(m: int) -> FeatureMap:
            weights = caches[m].weights
            input_gradient(
                caches[m].x, dys[m], how, slope, constant, weights, workspaces[m]
            )
            return dys[m]

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
