"""A convolution, its batch normalization and what follows, as one convolution.

In prediction, a `BatchNorm` multiplies each channel by a number and adds another one,
and so does a convolution, by its kernel and its bias. With m, v, gamma and beta of the
normalization::

    factor = gamma / sqrt(v + epsilon)
    kernel' = kernel * factor
    bias' = (bias - m) * factor + beta

give the normalized outputs at once, up to rounding. This saves two passes over the map,
and the convolution may take in an activation and a max pooling as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from skconvnet._typing import FeatureMap, Lengths
from skconvnet.layers.activation import ActivationLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_max_pool_fusion import PooledConvolutionLayer
from skconvnet.layers.pooling import MaxPoolLayer
from skconvnet.ops.layout import per_channel
from skconvnet.ops.workspace import Workspace


class FoldedConvolution:
    """Predicts what a convolution and the layers after it would predict.

    Its weights are those of the convolution and of the normalization at the time of the
    call. Threads that predict at the same time write the same numbers to them.

    Parameters
    ----------
    convolution : ConvolutionLayer
        Without an activation.
    norm : BatchNormLayer
    activation : ActivationLayer or None
    pool : MaxPoolLayer or None
    """

    def __init__(
        self,
        convolution: ConvolutionLayer,
        norm: BatchNormLayer,
        activation: ActivationLayer | None,
        pool: MaxPoolLayer | None,
    ) -> None:
        self._convolution = convolution
        self._norm = norm
        self._folded = ConvolutionLayer(convolution.in_shape, convolution.selector)
        if activation is not None:
            self._folded.activation = activation.function
        self._layer: Layer[Any] = self._folded
        if pool is not None:
            self._layer = PooledConvolutionLayer(self._folded, pool)

    def predict(self, x: FeatureMap, workspace: Workspace) -> FeatureMap:
        """Return the output of the last layer."""
        self._fold()
        y, _ = self._layer.forward(x, train=False, rng=None, workspace=workspace)
        return y

    def lengths_after(self, x: FeatureMap, lengths: Lengths | None) -> Lengths | None:
        """Return the lengths of the outputs, as a layer does."""
        return self._layer.lengths_after(x, lengths)

    def _fold(self) -> None:
        given, own = self._convolution.weights, self._folded.weights
        if not own:
            own = {name: np.empty_like(array) for name, array in given.items()}
            self._folded.bind(own, {})
        kernel = given["kernel"]
        how, _ = self._norm.normalization_to_predict(kernel.dtype)
        np.multiply(kernel, per_channel(how.factor, kernel), out=own["kernel"])
        np.copyto(own["bias"], (given["bias"] - how.mean) * how.factor + how.beta)


def fold(layers: Sequence[Layer[Any]]) -> tuple[FoldedConvolution, int] | None:
    """Return what predicts the first of these layers, and how many these are.

    None means that they do not begin with a convolution and a `BatchNorm`.
    """
    match layers[:2]:
        case [ConvolutionLayer() as convolution, BatchNormLayer() as norm]:
            if convolution.activation.name != "identity":
                return None
        case _:
            return None
    activation: ActivationLayer | None = None
    pool: MaxPoolLayer | None = None
    is_monotone, n_layers = True, 2
    for layer in layers[2:4]:
        if isinstance(layer, ActivationLayer) and n_layers == 2:
            activation, is_monotone = layer, layer.function.is_monotone
        elif isinstance(layer, MaxPoolLayer) and is_monotone and pool is None:
            pool = layer
        else:
            break
        n_layers += 1
    return FoldedConvolution(convolution, norm, activation, pool), n_layers
