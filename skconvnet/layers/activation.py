"""Fixed, learned and random activation functions as layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.layers.base import Layer
from skconvnet.layers.weightless import WeightlessLayer
from skconvnet.ops.activations import ActivationFunction, get_activation
from skconvnet.ops.layout import as_rows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import LayerSpec, TrainableSpec


@dataclass(eq=False, repr=False)
class Activation(LayerSpec):
    """An activation function as a separate layer.

    Parameters
    ----------
    function : str, default="relu"
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "celu",
        "gelu", "silu", "hard_swish", "mish", "softplus", "softsign", "hard_sigmoid" or
        "step" (1 if x >= 0, else 0; layers before it cannot be trained).

    See Also
    --------
    LeakyReLU, ELU, SELU, CELU : These functions with other slopes and scales.

    Examples
    --------
    >>> from skconvnet.layers import Activation
    >>> Activation("tanh").build((4, 4, 2)).out_shape
    (4, 4, 2)
    """

    function: str = "relu"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        return ActivationLayer(in_shape, get_activation(self.function, "function"))


class ActivationLayer(WeightlessLayer[FeatureMap]):
    """Runtime layer of `Activation`; its cache is the input or the output."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, function: ActivationFunction) -> None:
        super().__init__(in_shape, in_shape)
        self.function = function

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, FeatureMap]:
        y = workspace.array("y", x.shape, x.dtype)
        self.function.apply(x, y, workspace)
        return y, x if self.function.needs_input else y

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: FeatureMap, workspace: Workspace
    ) -> FeatureMap:
        self.function.backward(cache, dy, dy, workspace)
        return dy


@dataclass(eq=False, repr=False)
class PReLU(TrainableSpec):
    """Rectifier with a learned slope for values below 0 [1]_.

    ``y = x`` if x > 0, else ``y = slope * x``.

    Weights: ``slope`` of shape (channels,), or (1,) if it is shared. `alpha` does not
    shrink it, since that would push it toward 0, the slope of ReLU.

    Parameters
    ----------
    shared : bool, default=False
        Whether all channels share one slope. Otherwise each channel has its own slope.
        In flat input, every feature is a channel.
    initial : float, default=0.25
        Initial value of every slope.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren, J. Sun, "Delving deep into rectifiers: surpassing
       human-level performance on ImageNet classification", ICCV 2015.

    Examples
    --------
    >>> from skconvnet.layers import PReLU
    >>> PReLU().build((8, 8, 16)).weight_shapes
    {'slope': (16,)}
    >>> PReLU(shared=True).build((8, 8, 16)).weight_shapes
    {'slope': (1,)}
    """

    shared: bool = False
    initial: float = 0.25

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        if not isinstance(self.shared, (bool, np.bool_)):
            raise TypeError(f"shared must be True or False; got {self.shared!r}.")
        initial = check_float("initial", self.initial)
        return PReLULayer(in_shape, bool(self.shared), initial)


class PReLULayer(Layer[FeatureMap]):
    """Runtime layer of `PReLU`; its cache is the input as rows (channels, columns)."""

    penalized = ()
    takes_lengths = True

    def __init__(self, in_shape: Shape, shared: bool, initial: float) -> None:
        super().__init__(in_shape, in_shape)
        self.initial = initial
        self.weight_shapes = {"slope": (1,) if shared else self.in_shape[-1:]}
        self.flops = 4 * prod(in_shape)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return {"slope": np.full(self.weight_shapes["slope"], self.initial)}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, FeatureMap]:
        rows = as_rows(x, len(x), workspace, "x")
        return _leak(rows, self._slope, workspace).reshape(x.shape), rows

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
        rows = as_rows(dy, len(dy), workspace, "dy")
        gradient = _leak_backward(rows, cache, self._slope, workspace, need_dx)
        if self.is_frozen:
            pass
        elif self.weight_shapes["slope"] == gradient.shape:
            gradients["slope"][...] = gradient
        else:
            gradients["slope"][0] = gradient.sum()
        return rows.reshape(dy.shape) if need_dx else None

    @property
    def _slope(self) -> np.ndarray:
        return self.weights["slope"][:, None]


@dataclass(eq=False, repr=False)
class RReLU(LayerSpec):
    """Rectifier with a random slope for values below 0 in training [1]_.

    ``y = x`` if x > 0, else ``y = slope * x``. In training, a slope is drawn uniformly
    from `lower` to `upper` for every value; in prediction, the slope is the mean of the
    two.

    Parameters
    ----------
    lower : float, default=1/8
        The smallest slope.
    upper : float, default=1/3
        The largest slope, not less than `lower`. If they are equal, nothing is random.

    References
    ----------
    .. [1] B. Xu, N. Wang, T. Chen, M. Li, "Empirical evaluation of rectified
       activations in convolutional network", arXiv:1505.00853, 2015.

    Examples
    --------
    >>> from skconvnet.layers import RReLU
    >>> RReLU(lower=0.1, upper=0.3).build((8, 8, 16)).out_shape
    (8, 8, 16)
    """

    lower: float = 1 / 8
    upper: float = 1 / 3

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        lower = check_float("lower", self.lower)
        upper = check_float("upper", self.upper)
        if lower > upper:
            raise ValueError(
                f"lower must not be larger than upper; got lower={self.lower!r} and "
                f"upper={self.upper!r}."
            )
        return RReLULayer(in_shape, lower, upper)


class RReLUCache(NamedTuple):
    """What `RReLULayer` keeps for the backward pass.

    Attributes
    ----------
    values : ndarray
        The factor by which each value was multiplied, if slopes were drawn. Otherwise
        the input, as rows (channels, columns).
    are_factors : bool
    """

    values: FeatureMap
    are_factors: bool


class RReLULayer(WeightlessLayer[RReLUCache]):
    """Runtime layer of `RReLU`."""

    takes_lengths = True

    def __init__(self, in_shape: Shape, lower: float, upper: float) -> None:
        super().__init__(in_shape, in_shape)
        self.lower = lower
        self.upper = upper
        self.is_random = lower < upper
        self.flops = 8 * prod(in_shape)
        self.cached_values = prod(in_shape)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, RReLUCache]:
        if not train or not self.is_random:
            rows = as_rows(x, len(x), workspace, "x")
            y = _leak(rows, self._mean_slope(x), workspace).reshape(x.shape)
            return y, RReLUCache(rows, are_factors=False)
        assert rng is not None
        factor = workspace.array("factor", x.shape, x.dtype)
        positive = workspace.scratch("positive", x.shape, bool)
        np.greater(x, 0, out=positive)
        rng.random(out=factor, dtype=x.dtype)
        factor *= x.dtype.type(self.upper - self.lower)
        factor += x.dtype.type(self.lower - 1)
        # `factor` is slope - 1 so far. Zeros where x > 0 give a factor of 1 there.
        factor *= np.logical_not(positive, out=positive)
        factor += 1
        y = workspace.array("y", x.shape, x.dtype)
        np.multiply(x, factor, out=y)
        return y, RReLUCache(factor, are_factors=True)

    @override
    def input_gradient(
        self, dy: FeatureMap, cache: RReLUCache, workspace: Workspace
    ) -> FeatureMap:
        if cache.are_factors:
            dy *= cache.values
            return dy
        rows = as_rows(dy, len(dy), workspace, "dy")
        _leak_backward(
            rows, cache.values, self._mean_slope(dy), workspace, need_dx=True
        )
        return rows.reshape(dy.shape)

    def _mean_slope(self, x: np.ndarray) -> np.ndarray:
        return np.full((1, 1), (self.lower + self.upper) / 2, x.dtype)


def _leak(x: np.ndarray, slope: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Return ``max(x, 0) + slope * min(x, 0)`` for rows (channels, columns)."""
    y = workspace.array("y", x.shape, x.dtype)
    below = workspace.scratch("below", x.shape, x.dtype)
    # np.maximum uses SIMD with an array, but not with a scalar.
    zeros = workspace.scratch("zeros", x.shape[1:], x.dtype)
    zeros.fill(0)
    np.minimum(x, zeros, out=below)
    below *= slope
    np.maximum(x, zeros, out=y)
    y += below
    return y


def _leak_backward(
    dy: np.ndarray,
    x: np.ndarray,
    slope: np.ndarray,
    workspace: Workspace,
    need_dx: bool,
) -> np.ndarray:
    """Return the gradient of the slope of each row, and turn `dy` into that of `x`.

    Unless `need_dx`, the content of `dy` is undefined afterward.
    """
    above = workspace.scratch("above", x.shape, x.dtype)
    positive = workspace.scratch("positive", x.shape, bool)
    np.multiply(dy, np.greater(x, 0, out=positive), out=above)
    dy -= above
    dslope: np.ndarray = np.vecdot(dy, x)
    if need_dx:
        dy *= slope
        dy += above
    return dslope
