"""A dense layer at every position of a map, as a part of other layers."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_kernel, get_initializer
from skconvnet.layers.base import Layer
from skconvnet.ops.activations import get_activation
from skconvnet.ops.layout import as_rows, map_shape
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class PositionDense(TrainableSpec):
    """The same dense layer at every position of a map.

    It computes what a convolution with a kernel of size 1 does.

    Weights: ``kernel`` of shape (channels, units) and ``bias`` of shape (units,).

    Parameters
    ----------
    units : int
        Number of outputs at a position.
    activation : str, default=None
        As in `Dense`.
    kernel_initializer : str or Initializer, default="auto"
        As in convolutions. Biases are zero.
    trainable : bool, default=True

    Examples
    --------
    >>> PositionDense(8).build((5, 3)).out_shape
    (5, 8)
    """

    units: int
    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        units = check_positive_int("units", self.units)
        return PositionDenseLayer(
            in_shape, units, self.activation, get_initializer(self.kernel_initializer)
        )


class PositionDenseCache(NamedTuple):
    """The input as (channels, columns), and what the activation keeps."""

    columns: np.ndarray
    activation: np.ndarray


class PositionDenseLayer(Layer[PositionDenseCache]):
    """Runtime layer of `PositionDense`."""

    takes_lengths = True

    def __init__(
        self,
        in_shape: Shape,
        units: int,
        activation: str | None,
        initializer: Initializer | None,
    ) -> None:
        super().__init__(in_shape, (*in_shape[:-1], units))
        self.weight_shapes = {"kernel": (in_shape[-1], units), "bias": (units,)}
        self.activation = get_activation(activation)
        self.initializer = initializer
        self.flops = 2 * prod(in_shape) * units
        if self.activation.needs_input:
            self.cached_values = prod(self.out_shape)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        n_in, units = self.weight_shapes["kernel"]
        fans = n_in, units
        kernel = draw_kernel(rng, fans, fans, self.initializer, self.activation.name)
        return {"kernel": kernel, "bias": np.zeros(units)}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, PositionDenseCache]:
        columns = as_rows(x, len(x), workspace, "x")
        z = workspace.array("z", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        flat = z.reshape(len(z), -1)
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        project(kernel, bias, columns, flat)
        return self.activation.activated(z, workspace), PositionDenseCache(columns, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: PositionDenseCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        if self.activation.name != "identity":
            self.activation.backward(cache.activation, dy, dy, workspace)
        dz = as_rows(dy, len(dy), workspace, "dy")
        if not self.is_frozen:
            dkernel, dbias = gradients["kernel"], gradients["bias"]
            write_gradients(cache.columns, dz, dkernel, dbias)
        if not need_dx:
            return None
        dx = workspace.array("dx", map_shape(self.in_shape, dy.shape[-1]), dy.dtype)
        kernel = self.weights["kernel"]
        np.matmul(kernel, dz, out=dx.reshape(len(dx), -1))
        return dx
