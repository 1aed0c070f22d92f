"""The periodic embedding, which has a learned vector function for every number."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_float, check_positive_int
from skconvnet._typing import FeatureMap, NamedArrays, Shape, override
from skconvnet.initializers import glorot_uniform
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.activations import get_activation
from skconvnet.ops.layout import map_shape
from skconvnet.ops.matrix_form import MatrixForm
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class PeriodicEmbedding(TrainableSpec):
    """Turn every number of a row into a vector, by sines and cosines of it [1]_.

    Feature ``x`` with the learned frequencies ``f`` becomes the vector
    ``activation(concatenate([sin(2 * pi * f * x), cos(2 * pi * f * x)]) @ kernel +
    bias)``. Every feature has its own frequencies, kernel and bias. A dense layer after
    it fits functions of a single feature that bend often, which are hard to learn from
    the number itself. Features should be of the order of 1, as after `Standardize`.

    The output has shape (features, n_dims), like that of `Embedding`; `Flatten` turns
    it into features for dense layers.

    Weights: ``frequencies`` of shape (features, n_frequencies), ``kernel`` of shape
    (features, 2 * n_frequencies, n_dims), and ``bias`` of shape (features, n_dims). The
    kernel is drawn as in `Dense`. `alpha` does not shrink frequencies.

    Parameters
    ----------
    n_dims : int
        Length of a vector.
    n_frequencies : int, default=16
        Number of frequencies of each feature.
    frequency_scale : float, default=0.1
        Standard deviation of the normal distribution that initial frequencies are drawn
        from, in periods per unit of x. It decides how fast the learned functions can
        vary, and is the parameter to search first, between 0.01 and 10.
    activation : str, default=None
        As in `Dense`. [1]_ has "relu".
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] Y. Gorishniy, I. Rubachev and A. Babenko, "On embeddings for numerical
       features in tabular deep learning", NeurIPS 2022.

    Examples
    --------
    >>> from skconvnet.layers import PeriodicEmbedding
    >>> PeriodicEmbedding(8, activation="relu").build((13,)).out_shape
    (13, 8)
    """

    spatial_ndim: ClassVar[int | None] = 0

    n_dims: int
    n_frequencies: int = 16
    frequency_scale: float = 0.1
    activation: str | None = None

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("PeriodicEmbedding", in_shape, 0)
        return PeriodicEmbeddingLayer(
            in_shape,
            check_positive_int("n_dims", self.n_dims),
            check_positive_int("n_frequencies", self.n_frequencies),
            check_positive_float("frequency_scale", self.frequency_scale),
            self.activation,
        )


class PeriodicEmbeddingCache(NamedTuple):
    """The input, its sines and cosines, and what the activation keeps.

    The waves have shape (features, 2 * n_frequencies, batch).
    """

    x: FeatureMap
    waves: np.ndarray
    activation: FeatureMap


class PeriodicEmbeddingLayer(Layer[PeriodicEmbeddingCache]):
    """Runtime layer of `PeriodicEmbedding`."""

    def __init__(
        self,
        in_shape: Shape,
        n_dims: int,
        n_frequencies: int,
        frequency_scale: float,
        activation: str | None,
    ) -> None:
        (n_features,) = in_shape
        super().__init__(in_shape, (n_features, n_dims))
        self.n_frequencies = n_frequencies
        self.frequency_scale = frequency_scale
        self.activation = get_activation(activation)
        n_waves = 2 * n_frequencies
        self.weight_shapes = {
            "kernel": (n_features, n_waves, n_dims),
            "frequencies": (n_features, n_frequencies),
            "bias": (n_features, n_dims),
        }
        self.flops = 2 * n_features * n_waves * (n_dims + 1)
        self.cached_values = n_features * n_waves
        if self.activation.needs_input:
            self.cached_values += n_features * n_dims

    @property
    @override
    def matrices(self) -> dict[str, MatrixForm]:
        # One for each feature.
        return {"kernel": MatrixForm(self.weight_shapes["kernel"], (0, 2, 1))}

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        shapes = self.weight_shapes
        _, n_waves, n_dims = shapes["kernel"]
        frequencies = rng.normal(0, self.frequency_scale, shapes["frequencies"])
        kernel = glorot_uniform(
            rng, shapes["kernel"], n_waves, n_dims, self.activation.name
        )
        bias = np.zeros(shapes["bias"])
        return {"kernel": kernel, "frequencies": frequencies, "bias": bias}

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, PeriodicEmbeddingCache]:
        kernel = self.weights["kernel"]
        waves = self._waves(x, workspace)
        z = workspace.array("z", map_shape(self.out_shape, x.shape[-1]), x.dtype)
        by_feature = z.transpose(1, 0, 2)
        np.matmul(kernel.transpose(0, 2, 1), waves, out=by_feature)
        by_feature += self.weights["bias"][..., None]
        y = self.activation.activated(z, workspace)
        return y, PeriodicEmbeddingCache(x, waves, z)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: PeriodicEmbeddingCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        x, waves, activated = cache
        self.activation.backward(activated, dy, dy, workspace)
        dz = dy.transpose(1, 0, 2)
        if not self.is_frozen:
            np.matmul(waves, dz.transpose(0, 2, 1), out=gradients["kernel"])
            dz.sum(axis=-1, out=gradients["bias"])
        if self.is_frozen and not need_dx:
            return None
        turns = self._gradient_of_turns(dz, waves, workspace)
        if not self.is_frozen:
            np.matmul(turns, x[..., None], out=gradients["frequencies"][..., None])
        if not need_dx:
            return None
        dx = workspace.array("dx", x.shape, dy.dtype)
        frequencies = self.weights["frequencies"][:, None]
        np.matmul(frequencies, turns, out=dx[:, None])
        return dx

    def _waves(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        """Return sines and cosines, of shape (features, 2 * n_frequencies, batch)."""
        n = self.n_frequencies
        waves = workspace.array("waves", (len(x), 2 * n, x.shape[-1]), x.dtype)
        angles = workspace.scratch("angles", (len(x), n, x.shape[-1]), x.dtype)
        frequencies = self.weights["frequencies"] * x.dtype.type(2 * pi)
        np.multiply(frequencies[..., None], x[:, None], out=angles)
        np.sin(angles, out=waves[:, :n])
        np.cos(angles, out=waves[:, n:])
        return waves

    def _gradient_of_turns(
        self, dz: np.ndarray, waves: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Return the gradient of ``frequencies * x``, counted in turns of 2 pi."""
        n = self.n_frequencies
        dwaves = workspace.scratch("dwaves", waves.shape, waves.dtype)
        np.matmul(self.weights["kernel"], dz, out=dwaves)
        # The derivative of sin is cos, and that of cos is -sin.
        turns, rest = dwaves[:, :n], dwaves[:, n:]
        turns *= waves[:, n:]
        rest *= waves[:, :n]
        turns -= rest
        turns *= waves.dtype.type(2 * pi)
        return turns
