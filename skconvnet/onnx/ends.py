"""Networks that must be built for the length of each text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skconvnet.engine.network import Network
from skconvnet.layers.adaptive_pooling import AdaptivePoolLayer
from skconvnet.layers.base import Layer
from skconvnet.layers.branched import BranchedLayer
from skconvnet.layers.conv import ConvolutionLayer
from skconvnet.layers.depthwise import SeparableLayer
from skconvnet.layers.layer_norm import LayerNormLayer
from skconvnet.layers.lp_pooling import LpPoolLayer
from skconvnet.layers.pooling import AvgPoolLayer, MaxPoolLayer
from skconvnet.layers.rms_norm import RMSNormLayer
from skconvnet.layers.upsampling import BilinearUpsampleLayer

_NO_PADDING = "Set its padding to 'valid' or to a number."
_REMEDIES: dict[type[Layer[Any]], str] = {
    AdaptivePoolLayer: "Replace it by GlobalMaxPool() or GlobalAvgPool().",
    AvgPoolLayer: "Set its padding to 'valid'.",
    BilinearUpsampleLayer: "Set its mode to 'nearest'.",
    ConvolutionLayer: _NO_PADDING,
    LayerNormLayer: "Set its axis to 'channels'.",
    LpPoolLayer: _NO_PADDING,
    MaxPoolLayer: _NO_PADDING,
    RMSNormLayer: "Set its axis to 'channels'.",
    SeparableLayer: _NO_PADDING,
}


def check_ends(network: Network, stop: int | None = None) -> None:
    """Raise a ValueError if the first `stop` layers must know the length of each text.

    Of these, the estimator builds a network for every length. A model has one.
    """
    if network.predicts_maps:  # which the estimator builds for whole rows, too
        return
    found = _without_lengths(list(network.layers.items())[:stop])
    if found is None:
        return
    path, layer = found
    remedy = _REMEDIES.get(type(layer), "Replace it.")
    raise ValueError(
        f"The layer {path!r} cannot be exported to ONNX after an Embedding with a "
        "padding_token: the estimator builds it for the length of each text, but a "
        f"model has it for one length. {remedy} Or, if no text has padding, fit the "
        "estimator with padding_token=None."
    )


def _without_lengths(
    layers: Iterable[tuple[str, Layer[Any]]],
) -> tuple[str, Layer[Any]] | None:
    """Return the first layer that does not take padded sequences, and its name."""
    for name, layer in layers:
        if not layer.takes_lengths:
            if isinstance(layer, BranchedLayer):
                for branch, chain in layer.chains.items():
                    found = _without_lengths(chain.layers.items())
                    if found is not None:
                        path = "/".join(
                            part for part in (name, branch, found[0]) if part
                        )
                        return path, found[1]
            return name, layer
        if len(layer.out_shape) == 1:  # features, whatever the length
            return None
    return None
