"""A convolution and the max pooling after it, run as one layer."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap, Lengths, NamedArrays, override
from skconvnet.layers.base import Layer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.pooling import MaxPoolCache, MaxPoolLayer
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.selection import AnyAlgorithm
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace


class _Cache(NamedTuple):
    """What the backward pass needs.

    `pool_cache` is None if the algorithm took the maximum.
    """

    algorithm: AnyAlgorithm
    algorithm_cache: object  # only the algorithm knows its type
    pool_cache: MaxPoolCache | None
    y: FeatureMap


class PooledConvolutionLayer(Layer[_Cache]):
    """A convolution whose bias and activation come after the pooling.

    Adding a bias and applying a monotone activation commute with the maximum. So they
    give the same numbers, and the same gradients, on the smaller map after pooling.
    Some algorithms can also take the maximum of their results while these are in the
    processor's cache.

    Parameters
    ----------
    convolution : ConvolutionLayer
        Convolution whose activation is monotone.
    pool : MaxPoolLayer
    pool_in_algorithm : bool
        Whether the algorithm takes the maximum, if it can.
    """

    def __init__(
        self,
        convolution: ConvolutionLayer,
        pool: MaxPoolLayer,
        *,
        pool_in_algorithm: bool = True,
    ) -> None:
        super().__init__(convolution.in_shape, pool.out_shape)
        self.weight_shapes = convolution.weight_shapes
        self.convolution = convolution
        self.pool = pool
        self.pool_in_algorithm = pool_in_algorithm
        self._pooling_algorithms: dict[int, AnyAlgorithm | None] = {}
        self.takes_lengths = convolution.takes_lengths and pool.takes_lengths

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        return self.pool.lengths_after(x, self.convolution.lengths_after(x, lengths))

    def pooling_algorithm(self, batch: int) -> AnyAlgorithm | None:
        """Return an algorithm that also takes the maximum, or None if there is none."""
        if not self.pool_in_algorithm:
            return None
        if batch not in self._pooling_algorithms:
            algorithm = self.convolution.selector.for_batch(batch)
            pooling = algorithm.with_max_pool(self.pool.windows)
            self._pooling_algorithms[batch] = pooling
        return self._pooling_algorithms[batch]

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, _Cache]:
        batch = x.shape[-1]
        lengths = workspace.lengths
        ends_inside = lengths is not None and self.pool.windows.is_padded
        # Only the pooling layer knows of ends within the map.
        pooling = None if ends_inside else self.pooling_algorithm(batch)
        algorithm = pooling or self.convolution.selector.for_batch(batch)
        kernel = self.convolution.weights["kernel"]
        z, algorithm_cache = algorithm.forward(x, kernel, workspace, train=train)
        largest, pool_cache = algorithm.crop_row_padding(z), None
        if pooling is None:
            inner = workspace.nested("pool")
            inner.lengths = self.convolution.lengths_after(x, lengths)
            largest, pool_cache = self.pool.forward(
                largest, train=train, rng=rng, workspace=inner
            )
        y = workspace.array("pooled", largest.shape, largest.dtype)
        np.add(largest, per_channel(self.convolution.weights["bias"], x), out=y)
        self.convolution.activation.apply(y, y, workspace)
        return y, _Cache(algorithm, algorithm_cache, pool_cache, y)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: _Cache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        self.convolution.activation.backward(cache.y, dy, dy, workspace)
        if not self.is_frozen:
            channel_sums(dy, gradients["bias"])
        dsums: FeatureMap | None = dy
        if cache.pool_cache is not None:
            dsums = self.pool.backward(
                dy,
                cache.pool_cache,
                gradients={},
                workspace=workspace.nested("pool"),
                need_dx=True,
            )
        assert dsums is not None
        return cache.algorithm.backward(
            cache.algorithm.add_row_padding(dsums, workspace),
            cache.algorithm_cache,
            self.convolution.weights["kernel"],
            gradients.get("kernel"),
            workspace,
            need_dx=need_dx,
        )
