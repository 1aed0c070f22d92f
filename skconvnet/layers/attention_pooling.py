"""Pooling of a sequence by a learned attention to its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet._checks import check_positive_int
from skconvnet._typing import FeatureMap, Lengths, NamedArrays, Shape, override
from skconvnet.initializers import Initializer, draw_kernel, get_initializer
from skconvnet.layers.base import Layer, check_ndim
from skconvnet.ops.layout import as_rows
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.position_products import project, write_gradients
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import TrainableSpec


@dataclass(eq=False, repr=False)
class AttentionPooling(TrainableSpec):
    """Mean of all steps of a sequence, with weights that are learned [1]_.

    With ``u[t] = tanh(x[t] @ kernel + bias)``, the weight of step t is the softmax over
    all steps of ``u[t] . context``. The output is the weighted mean, of shape
    (channels,). A sample of length 0 gives zeros.

    Weights: ``kernel`` of shape (channels, units), ``bias`` and ``context`` of shape
    (units,).

    Parameters
    ----------
    units : int
        Number of hidden features from which the weight of a step is computed.
    kernel_initializer : str or Initializer, default="auto"
        As in `MultiHeadAttention`; the context is drawn as a kernel of one output.
    trainable : bool, default=True
        Whether training changes the weights. If False, the layer is frozen.

    References
    ----------
    .. [1] Z. Yang et al., "Hierarchical attention networks for document
       classification", NAACL 2016.

    Examples
    --------
    >>> from skconvnet.layers import AttentionPooling
    >>> AttentionPooling(units=32).build((100, 64)).out_shape
    (64,)
    """

    spatial_ndim: ClassVar[int | None] = 1

    units: int
    kernel_initializer: str | Initializer = "auto"

    @override
    def build(self, in_shape: Shape) -> Layer[Any]:
        check_ndim("AttentionPooling", in_shape, 1)
        units = check_positive_int("units", self.units)
        initializer = get_initializer(self.kernel_initializer)
        return AttentionPoolingLayer(in_shape, units, initializer)


class PoolingCache(NamedTuple):
    """What `AttentionPoolingLayer` keeps for the backward pass.

    Attributes
    ----------
    x : ndarray of shape (channels, length, batch)
    hidden : ndarray of shape (units, length * batch)
    weights : ndarray of shape (length, batch)
    """

    x: FeatureMap
    hidden: np.ndarray
    weights: np.ndarray


class AttentionPoolingLayer(Layer[PoolingCache]):
    """Runtime layer of `AttentionPooling`."""

    penalized = ("kernel", "context")
    takes_lengths = True

    def __init__(
        self, in_shape: Shape, units: int, initializer: Initializer | None
    ) -> None:
        super().__init__(in_shape, in_shape[-1:])
        length, channels = in_shape
        self.weight_shapes = {
            "kernel": (channels, units),
            "bias": (units,),
            "context": (units,),
        }
        self.initializer = initializer
        self.flops = length * (2 * channels * units + 16 * units + 2 * channels)
        self.cached_values = length * (units + 1)

    @override
    def initialize(self, rng: np.random.RandomState) -> dict[str, np.ndarray]:
        channels, units = self.weight_shapes["kernel"]
        return {
            "kernel": _drawn(rng, channels, units, self.initializer),
            "bias": np.zeros(units),
            "context": _drawn(rng, units, 1, self.initializer)[:, 0],
        }

    @override
    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> None:
        return None

    @override
    def forward(
        self,
        x: FeatureMap,
        *,
        train: bool,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> tuple[FeatureMap, PoolingCache]:
        hidden = self._hidden(x, workspace)
        weights = self._weights(hidden, x.shape[1:], workspace)
        product = workspace.scratch("product", x.shape, x.dtype)
        y = workspace.array("y", (x.shape[0], x.shape[2]), x.dtype)
        np.add.reduce(np.multiply(x, weights, out=product), axis=1, out=y)
        return y, PoolingCache(x, hidden, weights)

    @override
    def backward(
        self,
        dy: FeatureMap,
        cache: PoolingCache,
        *,
        gradients: NamedArrays,
        workspace: Workspace,
        need_dx: bool,
    ) -> FeatureMap | None:
        # With g the gradient of y, the derivatives of the softmax give
        #     dscores[t] = weights[t] * (g . x[t] - g . y)
        x, hidden, weights = cache
        product = workspace.scratch("product", x.shape, x.dtype)
        np.multiply(x, dy[:, np.newaxis], out=product)
        dscores = workspace.scratch("dscores", weights.shape, x.dtype)
        np.add.reduce(product, axis=0, out=dscores)
        dscores -= (dscores * weights).sum(axis=0)
        dscores *= weights
        # The derivative of tanh is 1 - hidden ** 2.
        dhidden = workspace.scratch("dhidden", hidden.shape, x.dtype)
        np.multiply(hidden, hidden, out=dhidden)
        np.subtract(1, dhidden, out=dhidden)
        dhidden *= self.weights["context"][:, np.newaxis]
        dhidden *= dscores.reshape(-1)
        if not self.is_frozen:
            np.matmul(hidden, dscores.reshape(-1), out=gradients["context"])
            columns = as_rows(x, len(x), workspace, "x")
            dkernel, dbias = gradients["kernel"], gradients["bias"]
            write_gradients(columns, dhidden, dkernel, dbias)
        if not need_dx:
            return None
        dx = workspace.array("dx", x.shape, x.dtype)
        kernel = self.weights["kernel"]
        np.matmul(kernel, dhidden, out=dx.reshape(len(x), -1))
        dx += np.multiply(weights, dy[:, np.newaxis], out=product)
        return dx

    def attention_weights(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        """Return the weight of each step.

        Parameters
        ----------
        x : ndarray of shape (channels, length, batch)
            The input of the layer.
        workspace : Workspace

        Returns
        -------
        weights : ndarray of shape (length, batch)
            The sum over the steps is 1, or 0 for a sample of length 0.
        """
        hidden = self._hidden(x, workspace)
        return self._weights(hidden, x.shape[1:], workspace).copy()

    def _hidden(self, x: FeatureMap, workspace: Workspace) -> np.ndarray:
        columns = as_rows(x, len(x), workspace, "x")
        shape = (len(self.weights["bias"]), columns.shape[1])
        hidden = workspace.array("hidden", shape, x.dtype)
        kernel, bias = self.weights["kernel"], self.weights["bias"]
        project(kernel, bias, columns, hidden)
        np.tanh(hidden, out=hidden)
        return hidden

    def _weights(
        self, hidden: np.ndarray, shape: tuple[int, ...], workspace: Workspace
    ) -> np.ndarray:
        """Return the softmax of the scores, of shape (length, batch)."""
        weights = workspace.array("weights", shape, hidden.dtype)
        np.matmul(self.weights["context"], hidden, out=weights.reshape(-1))
        lengths = workspace.lengths
        if lengths is not None:
            np.copyto(weights, -np.inf, where=is_padding(lengths, len(weights)))
        # -inf - (-inf) would be NaN for a sample of length 0.
        weights -= np.maximum(weights.max(axis=0), np.finfo(weights.dtype).min)
        np.exp(weights, out=weights)
        # exp(0) = 1 is among the terms, unless there are none.
        weights /= np.maximum(weights.sum(axis=0), 1)
        return weights


def _drawn(
    rng: np.random.RandomState, n_in: int, n_out: int, initializer: Initializer | None
) -> np.ndarray:
    fans = n_in, n_out
    kernel: np.ndarray = draw_kernel(rng, fans, fans, initializer)
    return kernel
