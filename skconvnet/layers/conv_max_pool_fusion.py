"""A convolution and the max pooling behind it, run as one layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, override
from skconvnet.layers.base import Layer
from skconvnet.ops.blas_kernels import channel_sums
from skconvnet.ops.convolution.selection import Method
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace


class PooledConvolutionLayer(Layer):
    """A convolution whose bias and activation come after the pooling.

    A sum and a monotone activation commute with the maximum, so that they give the same
    numbers on what the pooling leaves of the map, and so do their gradients. Where the
    method of the convolution allows, the maximum is taken of its results while they are
    in the cache.

    Parameters
    ----------
    convolution : ConvolutionLayer
        With an activation that is monotone.
    pool : MaxPoolLayer
    """

    def __init__(self, convolution: Any, pool: Any) -> None:
        super().__init__(convolution.in_shape, pool.out_shape)
        self.weight_shapes = convolution.weight_shapes
        self.convolution = convolution
        self.pool = pool
        self._methods: dict[int, Method | None] = {}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, CACHE]:
        method = self._method(x.shape[-1])
        largest, cache = self.convolution.convolve(
            x, train=train, workspace=workspace, method=method
        )
        pool_cache = None
        if method is None:
            largest, pool_cache = self.pool.forward(
                largest, train=train, rng=rng, workspace=workspace.nested("pool")
            )
        bias = per_channel(self.convolution.weights["bias"], x)
        y = workspace.array("pooled", largest.shape, largest.dtype)
        np.add(largest, bias, out=y)
        self.convolution.activation.apply(y, y, workspace)
        return y, (cache, pool_cache, y)

    def _method(self, batch: int) -> Method | None:
        """One that pools by itself, or None where the pool has to follow."""
        if batch not in self._methods:
            methods = self.convolution.methods
            self._methods[batch] = methods.pooled(batch, self.pool.windows)
        return self._methods[batch]

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
        cache, pool_cache, y = cache
        self.convolution.activation.backward(y, dy, dy, workspace)
        channel_sums(dy, gradients["bias"])
        if pool_cache is not None:
            dy = self.pool.backward(
                dy,
                pool_cache,
                gradients={},
                workspace=workspace.nested("pool"),
                need_dx=True,
            )
        return self.convolution.backward_of_convolve(
            dy, cache, gradients=gradients, workspace=workspace, need_dx=need_dx
        )


def fuse(layer: Any, following: Layer) -> Layer | None:
    """Return one layer that does what both do, or None where there is none."""
    if not hasattr(layer, "convolve") or not following.is_max_pool:
        return None
    if not layer.activation.is_monotone:
        return None
    return PooledConvolutionLayer(layer, following)
