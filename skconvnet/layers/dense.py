"""The dense layer, in which every output is a weighted sum of all inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from scipy.sparse import issparse

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import Initializer, get_initializer, glorot_uniform
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.layers.map_output import MapOutputLayer
from skconvnet.ops.activations import get_activation
from skconvnet.ops.blas_kernels import matmul
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class Dense(TrainableSpec):
    """Fully connected layer, ``activation(x @ kernel + bias)``.

    Weights: ``kernel`` of shape (n_in, units) and ``bias`` of shape (units,).

    Parameters
    ----------
    units : int
        Number of outputs.
    activation : str, default=None
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "celu",
        "gelu", "silu", "hard_swish", "mish", "softplus", "softsign", "hard_sigmoid" or
        "step" (1 if x >= 0, else 0; only for weights that are set by hand). None is the
        identity.
    kernel_initializer : str or Initializer, default="auto"
        "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform",
        "lecun_normal", "orthogonal", "dirac", "normal", "zeros", "ones", or an object
        of `skconvnet.initializers`; with these, biases are zero. "auto" draws kernel
        and bias as scikit-learn's perceptrons do: uniformly from +-sqrt(6 / (n_in +
        units)), or from +-sqrt(2 / (n_in + units)) for the logistic activation.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    Examples
    --------
    >>> from skconvnet.layers import Dense
    >>> Dense(10).build((4,)).out_shape
    (10,)
    """

    spatial_ndim: ClassVar[int | None] = 0

    units: int
    activation: str | None = None
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("Dense", in_shape, 0)
        units = check_positive_int("units", self.units)
        return DenseLayer(in_shape, units, self.activation, self.kernel_initializer)


class DenseCache(NamedTuple):
    """The input, which is sparse if X is, and what the activation keeps."""

    x: FeatureMap
    activation: FeatureMap


class DenseLayer(Layer[DenseCache]):
    """Runtime layer of `Dense` and `Output`."""

    def __init__(
        self,
        in_shape: Shape,
        units: int,
        activation: str | None,
        kernel_initializer: object = "auto",
    ) -> None:
        super().__init__(in_shape, (units,))
        (n_in,) = in_shape
        self.weight_shapes = {"kernel": (n_in, units), "bias": (units,)}
        self.activation = get_activation(activation)
        self.initializer = get_initializer(kernel_initializer)
        self.initial_activation = self.activation.name
        self.flops = 2 * n_in * units

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        n_in, units = self.weight_shapes["kernel"]
        if self.initializer is not None:
            kernel = self.initializer.draw(rng, (n_in, units), n_in, units)
            return {"kernel": kernel, "bias": np.zeros(units)}
        return {
            name: glorot_uniform(rng, shape, n_in, units, self.initial_activation)
            for name, shape in self.weight_shapes.items()
        }

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, DenseCache]:
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        z = workspace.array("z", (*self.out_shape, x.shape[1]), kernel.dtype)
        if issparse(x):
            z[...] = (x.T @ kernel).T
        else:
            matmul(kernel.T, x, z, workspace.run)
        z += bias[:, None]
        return self.activation.activated(z, workspace), DenseCache(x, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: DenseCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        x = cache.x
        self.activation.backward(cache.activation, dy, dy, workspace)
        if not self.is_frozen:
            if issparse(x):
                gradients["kernel"][...] = x @ dy.T
            else:
                matmul(x, dy.T, gradients["kernel"], workspace.run)
            dy.sum(axis=1, out=gradients["bias"])
        if not need_dx:
            return None
        dx = workspace.array("dx", x.shape, dy.dtype)
        matmul(self.weights["kernel"], dy, dx, workspace.run)
        return dx


@dataclass(eq=False, repr=False)
class Output(Dense):
    """The dense layer at the end of every network, whose activation the loss sets.

    After maps, it is a dense layer at every position, for targets that are maps.

    Parameters
    ----------
    hidden_activation : str, default="relu"
        Activation of the layers before. As in scikit-learn's perceptrons, the logistic
        function narrows the range from which all weights are drawn, including the
        weights of the output layer.
    """

    hidden_activation: str | None = "relu"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if len(in_shape) > 1:
            return MapOutputLayer(
                in_shape, self.units, self.hidden_activation, self.kernel_initializer
            )
        layer = DenseLayer(
            in_shape, self.units, self.activation, self.kernel_initializer
        )
        layer.initial_activation = get_activation(self.hidden_activation).name
        return layer
