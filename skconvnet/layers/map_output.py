"""The output layer of a network that predicts maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import get_initializer, glorot_uniform
from skconvnet.layers.base import Layer
from skconvnet.ops.activations import get_activation
from skconvnet.ops.blas_kernels import channel_sums, matmul
from skconvnet.ops.layout import as_rows, map_shape
from skconvnet.ops.workspace import Workspace


class MapOutputLayer(Layer[FeatureMap]):
    """A dense layer at every position, which is a convolution with kernels of size 1.

    Its initial weights are those of a dense layer with as many inputs as there are
    channels. The cache is the input, with the positions of all samples as one axis.

    Parameters
    ----------
    in_shape : tuple of int
    units : int
        Number of outputs at a position.
    hidden_activation : str or None
        Activation of the layers before, see `Output`.
    kernel_initializer : str or Initializer
    """

    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        units: int,
        hidden_activation: str | None,
        kernel_initializer: object,
    ) -> None:
        super().__init__(in_shape, (*in_shape[:-1], units))
        channels = in_shape[-1]
        ones = (1,) * (len(in_shape) - 1)
        self.weight_shapes = {"kernel": (units, channels, *ones), "bias": (units,)}
        self.initializer = get_initializer(kernel_initializer)
        self.initial_activation = get_activation(hidden_activation).name
        self.flops *= 2 * units

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shape = self.weight_shapes["kernel"]
        units, channels = shape[:2]
        if self.initializer is not None:
            kernel = self.initializer.draw(rng, shape, channels, units)
            return {"kernel": kernel, "bias": np.zeros(units)}
        fans = channels, units, self.initial_activation
        kernel = glorot_uniform(rng, (channels, units), *fans).T.reshape(shape)
        return {"kernel": kernel, "bias": glorot_uniform(rng, (units,), *fans)}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, FeatureMap]:
        columns = as_rows(x, len(x), workspace, "x")
        kernel = self._kernel_of(self.weights)
        z = workspace.array("z", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        sums = z.reshape(len(z), -1)
        matmul(kernel, columns, sums, workspace.run)
        sums += self.weights["bias"][:, np.newaxis]
        return z, columns

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: FeatureMap,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        dz = as_rows(dy, len(dy), workspace, "dy")
        matmul(dz, cache.T, self._kernel_of(gradients), workspace.run)
        channel_sums(dz, gradients["bias"])
        if not need_dx:
            return None
        dx = workspace.array("dx", map_shape(self.in_shape, dy.shape[-1]), dy.dtype)
        kernel = self._kernel_of(self.weights)
        matmul(kernel.T, dz, dx.reshape(len(dx), -1), workspace.run)
        return dx

    def _kernel_of(self, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
        """View the kernel, or its gradient, as a matrix of (units, channels)."""
        units, channels = self.weight_shapes["kernel"][:2]
        return arrays["kernel"].reshape(units, channels)
