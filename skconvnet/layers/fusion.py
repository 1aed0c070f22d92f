"""Which two layers in a row are run as one.

A fused layer gives the numbers that the two would give one after the other, up to
rounding, and has the weights of the first.
"""

from __future__ import annotations

from typing import Any

from skconvnet.layers.activation import ActivationLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.batch_norm import BatchNormLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.conv_max_pool_fusion import PooledConvolutionLayer
from skconvnet.layers.pooling import MaxPoolLayer


def fuse(layer: Layer[Any], following: Layer[Any]) -> Layer[Any] | None:
    """Return one layer that replaces both, or None if they cannot be fused."""
    if isinstance(layer, ConvolutionLayer) and isinstance(following, MaxPoolLayer):
        if layer.activation.is_monotone:
            return PooledConvolutionLayer(layer, following)
    elif isinstance(layer, BatchNormLayer) and isinstance(following, ActivationLayer):
        return layer.with_activation(following.function)
    return None
