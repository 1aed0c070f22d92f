"""Root mean square normalization, which scales each sample separately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from skconvnet._checks import check_choice, check_positive_float
from skconvnet._typing import FeatureMap, Shape, override
from skconvnet.initializers import Initializer, draw_scales, get_scale_initializers
from skconvnet.layers.base import Layer
from skconvnet.ops.layout import as_rows, column_of, write_column
from skconvnet.ops.matrix_sums import sum_rows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

_AXES = ("channels", "all")


@dataclass(eq=False, repr=False)
class RMSNorm(TrainableSpec):
    """Divide each sample by its root mean square, then scale it [1]_.

    ``y = gamma * x / sqrt(mean(x ** 2) + epsilon)``, where the mean is taken over the
    features of flat input, or over the axes of a map that `axis` selects. Unlike
    `LayerNorm`, it neither subtracts the mean nor adds a shift. Samples are
    independent, so that training and prediction do the same.

    Weights: ``gamma`` of shape (channels,), or for ``axis="all"`` of the shape of a
    sample, channels last. `alpha` does not shrink it.

    Parameters
    ----------
    epsilon : float, default=1e-6
        Number added to the mean of the squares, larger than 0. The default is the same
        as in Keras; PyTorch has the rounding error of the dtype.
    axis : {"channels", "all"}, default="channels"
        "channels" normalizes over the channels at each position of a map, like
        ``axis=-1`` in Keras. "all" normalizes over all channels and positions of a
        sample. For flat input the two are the same.
    gamma_initializer : str, float or Initializer, default="ones"
        What gamma starts from, as in `BatchNorm`.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] B. Zhang, R. Sennrich, "Root mean square layer normalization", NeurIPS 2019.

    Examples
    --------
    >>> from skconvnet.layers import RMSNorm
    >>> RMSNorm().build((8, 8, 16)).weight_shapes
    {'gamma': (16,)}
    >>> RMSNorm(axis="all").build((8, 8, 16)).weight_shapes
    {'gamma': (8, 8, 16)}
    """

    epsilon: float = 1e-6
    axis: str = "channels"
    gamma_initializer: str | float | Initializer = "ones"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        epsilon = check_positive_float("epsilon", self.epsilon)
        axis = check_choice("axis", self.axis, _AXES)
        initializers = get_scale_initializers(gamma=self.gamma_initializer)
        return RMSNormLayer(in_shape, epsilon, axis, initializers)


class RMSNormCache(NamedTuple):
    """What `RMSNormLayer` keeps for the backward pass.

    Attributes
    ----------
    rows : ndarray of shape (n_features, columns)
        The input, which is normalized along the first axis.
    inverse : ndarray of shape (columns,)
        1 / sqrt(mean(x ** 2) + epsilon).
    """

    rows: FeatureMap
    inverse: np.ndarray


class RMSNormLayer(Layer[RMSNormCache]):
    """Runtime layer of `RMSNorm`."""

    penalized = ()

    def __init__(
        self,
        in_shape: Shape,
        epsilon: float,
        axis: str,
        initializers: Mapping[str, Initializer],
    ) -> None:
        super().__init__(in_shape, in_shape)
        self.epsilon = epsilon
        self.initializers = initializers
        shape = self.in_shape if axis == "all" else self.in_shape[-1:]
        self.weight_shapes = {"gamma": shape}
        self.n_features = prod(shape)
        self.flops = 5 * prod(in_shape)
        self.takes_lengths = axis == "channels"

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        return draw_scales(rng, self.weight_shapes, self.initializers)

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, RMSNormCache]:
        rows = as_rows(x, self.n_features, workspace, "x")
        inverse = workspace.array("inverse", rows.shape[1:], x.dtype)
        y = workspace.array("y", rows.shape, x.dtype)
        np.multiply(rows, rows, out=y)
        sum_rows(y, inverse, workspace)
        inverse /= self.n_features
        inverse += x.dtype.type(self.epsilon)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        np.multiply(rows, inverse, out=y)
        y *= self._gamma
        return y.reshape(x.shape), RMSNormCache(rows, inverse)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: RMSNormCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        x, inverse = cache
        rows = as_rows(dy, self.n_features, workspace, "dy")
        product = workspace.scratch("product", rows.shape, dy.dtype)
        np.multiply(rows, x, out=product)
        if not self.is_frozen:
            write_column(product @ inverse, gradients["gamma"])
        if not need_dx:
            return None
        # The normalized values h = inverse * x do not change when x is scaled. Hence,
        # with g = gamma * dy,
        #     dx = inverse * (g - h * mean(g * h))
        #        = inverse * g - x * inverse ** 3 * mean(g * x)
        gamma = self._gamma
        share = workspace.scratch("means", rows.shape[1:], dy.dtype)
        np.matmul(gamma[:, 0], product, out=share)
        share *= inverse
        share /= self.n_features
        share *= inverse
        share *= inverse
        rows *= gamma
        rows *= inverse
        rows -= np.multiply(x, share, out=product)
        return rows.reshape(dy.shape)

    @property
    def _gamma(self) -> np.ndarray:
        return column_of(self.weights["gamma"])
