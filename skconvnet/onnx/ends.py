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
from skconvnet.layers.lp_pooling import LpPoolLayer
from skconvnet.layers.pooling import AvgPoolLayer, MaxPoolLayer
from skconvnet.layers.upsampling import BilinearUpsampleLayer

_NO_PADDING = "Set its padding to 'valid' or to a number."
_REMEDIES: dict[type[Layer[Any]], str] = {
    AdaptivePoolLayer: "Replace it by GlobalMaxPool() or GlobalAvgPool().",
    AvgPoolLayer: "Set its padding to 'valid'.",
    BilinearUpsampleLayer: "Set its mode to 'nearest'.",
    ConvolutionLayer: _NO_PADDING,
    LpPoolLayer: _NO_PADDING,
    MaxPoolLayer: _NO_PADDING,
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
    remedy = _REMEDIES.get(type(layer), "Leave it out.")
    raise ValueError(
        f"The layer {path!r} cannot be exported to ONNX after an Embedding with a "
        "padding_token: the estimator builds it for the length of each text, but a "
        f"model has it for one length. {remedy} Or, if no text has padding, fit the "
        "estimator with padding_token=None."
    )


def _without_lengths(
    layers: Iterable[tuple[str, Layer[Any]]], path: tuple[str, ...] = ()
) -> tuple[str, Layer[Any]] | None:
    """Return the first layer that does not take padded sequences, and its name.

    `path` are the names of the layers that it is in.
    """
    for name, layer in layers:
        own = (*path, name)
        if not layer.takes_lengths:
            chains = layer.chains if isinstance(layer, BranchedLayer) else {}
            inner = (
                _without_lengths(chain.layers.items(), (*own, branch))
                for branch, chain in chains.items()
            )
            return next(filter(None, inner), ("/".join(filter(None, own)), layer))
        if len(layer.out_shape) == 1:  # features, whatever the length
            return None
    return None
