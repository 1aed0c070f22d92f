"""Layer normalization, which normalizes each sample separately."""

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
from skconvnet.ops.matrix_sums import column_sums, sum_rows
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec

_AXES = ("channels", "all")


@dataclass(eq=False, repr=False)
class LayerNorm(TrainableSpec):
    """Bring each sample to mean 0 and variance 1, then scale and shift it [1]_.

    ``y = gamma * (x - mean) / sqrt(variance + epsilon) + beta``, where mean and
    variance (divided by n, not by n - 1) are taken over the features of flat input, or
    over the axes of a map that `axis` selects. Samples are independent, so that
    training and prediction do the same.

    Weights: ``gamma`` and ``beta``, which have shape (channels,), or for ``axis="all"``
    the shape of a sample, channels last. `alpha` does not shrink them.

    Parameters
    ----------
    epsilon : float, default=1e-5
        Number added to the variance, larger than 0. The default is the same as in
        PyTorch; Keras has 1e-3.
    axis : {"channels", "all"}, default="channels"
        "channels" normalizes over the channels at each position of a map, like
        ``axis=-1`` in Keras. "all" normalizes over all channels and positions of a
        sample. For flat input the two are the same.
    gamma_initializer : str, float or Initializer, default="ones"
        What gamma starts from, as in `BatchNorm`.
    beta_initializer : str, float or Initializer, default="zeros"
        What beta starts from, in the same way.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros, G. E. Hinton, "Layer normalization",
       arXiv:1607.06450, 2016.

    Examples
    --------
    >>> from skconvnet.layers import LayerNorm
    >>> LayerNorm().build((8, 8, 16)).weight_shapes
    {'gamma': (16,), 'beta': (16,)}
    >>> LayerNorm(axis="all").build((8, 8, 16)).weight_shapes
    {'gamma': (8, 8, 16), 'beta': (8, 8, 16)}
    """

    epsilon: float = 1e-5
    axis: str = "channels"
    gamma_initializer: str | float | Initializer = "ones"
    beta_initializer: str | float | Initializer = "zeros"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        epsilon = check_positive_float("epsilon", self.epsilon)
        axis = check_choice("axis", self.axis, _AXES)
        initializers = get_scale_initializers(
            gamma=self.gamma_initializer, beta=self.beta_initializer
        )
        return LayerNormLayer(in_shape, epsilon, axis, initializers)


class LayerNormCache(NamedTuple):
    """What `LayerNormLayer` keeps for the backward pass.

    Attributes
    ----------
    normalized : ndarray of shape (n_features, columns)
        The input, brought to mean 0 and variance 1 along the first axis.
    inverse : ndarray of shape (columns,)
        1 / sqrt(variance + epsilon).
    """

    normalized: FeatureMap
    inverse: np.ndarray


class LayerNormLayer(Layer[LayerNormCache]):
    """Runtime layer of `LayerNorm`."""

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
        self.weight_shapes = {"gamma": shape, "beta": shape}
        self.n_features = prod(shape)
        self.flops = 8 * prod(in_shape)
        self.cached_values = prod(in_shape)
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
    ) -> tuple[FeatureMap, LayerNormCache]:
        n, dtype = self.n_features, x.dtype
        rows = as_rows(x, n, workspace, "x")
        normalized = workspace.array("normalized", rows.shape, dtype)
        inverse = workspace.array("inverse", rows.shape[1:], dtype)
        means = workspace.scratch("means", rows.shape[1:], dtype)
        y = workspace.array("y", rows.shape, dtype)
        sum_rows(rows, means, workspace)
        means /= n
        np.subtract(rows, means, out=normalized)
        np.multiply(normalized, normalized, out=y)
        sum_rows(y, inverse, workspace)
        inverse /= n
        inverse += dtype.type(self.epsilon)
        np.sqrt(inverse, out=inverse)
        np.reciprocal(inverse, out=inverse)
        normalized *= inverse
        np.multiply(normalized, self._column("gamma"), out=y)
        y += self._column("beta")
        return y.reshape(x.shape), LayerNormCache(normalized, inverse)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: LayerNormCache,
        *,
        gradients: Mapping[str, np.ndarray],
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        normalized, inverse = cache
        n, n_columns = normalized.shape
        rows = as_rows(dy, n, workspace, "dy")
        product = workspace.scratch("product", rows.shape, dy.dtype)
        np.multiply(rows, normalized, out=product)
        if not self.is_frozen:
            write_column(column_sums(product, workspace), gradients["gamma"])
            write_column(column_sums(rows, workspace), gradients["beta"])
        if not need_dx:
            return None
        # The normalized values h do not change when x is shifted or scaled. Hence, with
        # g = gamma * dy,
        #     dx = inverse * (g - mean(g) - h * mean(g * h))
        gamma = self._column("gamma")
        means = workspace.scratch("means", (2, n_columns), dy.dtype)
        np.matmul(gamma[:, 0], rows, out=means[0])
        np.matmul(gamma[:, 0], product, out=means[1])
        means /= n
        rows *= gamma
        rows -= means[0]
        rows -= np.multiply(normalized, means[1], out=product)
        rows *= inverse
        return rows.reshape(dy.shape)

    def _column(self, name: str) -> np.ndarray:
        return column_of(self.weights[name])
