"""Run one layer forward and backward with channels-last arrays."""

import numpy as np

from skconvnet.engine.network import Network
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.ops.convolution.selection import AlgorithmSelector


class Bench:
    """A network of one layer, with its weights drawn at random."""

    def __init__(self, spec, in_shape, dtype="float64", seed=0):
        self.network = Network([("layer", spec)], in_shape, dtype)
        self.layer = self.network.layers["layer"]
        rng = np.random.default_rng(seed)
        self.network.vector[:] = rng.normal(size=self.network.vector.size)
        self.workspace = self.network.workspaces()[0]

    @property
    def weights(self):
        return self.layer.weights

    def forward(self, x, train=False, seed=None):
        rng = None if seed is None else np.random.default_rng(seed)
        y, self.cache = self.layer.forward(
            batch_last(x.astype(self.network.dtype)),
            train=train,
            rng=rng,
            workspace=self.workspace,
        )
        return batch_first(y).copy()

    def backward(self, dy, need_dx=True):
        gradient = np.full_like(self.network.vector, np.nan)
        views = self.network.by_layer(gradient)[0]
        dx = self.layer.backward(
            batch_last(dy.astype(self.network.dtype)),
            self.cache,
            gradients=views,
            workspace=self.workspace,
            need_dx=need_dx,
        )
        return None if dx is None else batch_first(dx).copy(), views, gradient


def in_blocks(spec, block_bytes):
    """Return `spec`, a convolution, computed in row blocks of about `block_bytes`."""

    class InBlocks(type(spec)):
        def build(self, in_shape):
            usual = super().build(in_shape)
            selector = AlgorithmSelector(
                self.conv_method,
                usual.windows,
                in_shape[-1],
                usual.selector.filters,
                usual.selector.groups,
                block_bytes=block_bytes,
            )
            return ConvolutionLayer(in_shape, selector, self.activation)

    return InBlocks(**spec.get_params())


def batch_last(x):
    """Turn (n, *spatial, channels) into a contiguous (channels, *spatial, n)."""
    if x.ndim == 2:
        return np.ascontiguousarray(x.T)
    return np.ascontiguousarray(np.moveaxis(x, (-1, 0), (0, -1)))


def batch_first(x):
    return x.T if x.ndim == 2 else np.moveaxis(x, (0, -1), (-1, 0))
