"""Xception: separable convolutions with a shortcut around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skconvnet._checks import check_positive_int
from skconvnet.architectures._parts import check_name, each_scaled
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    MaxPool2D,
    Residual,
    SeparableConv2D,
)

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def xception_block(
    filters: Sequence[int] = (728, 728, 728),
    strides: int = 1,
    projection: bool = False,
    *,
    width: float = 1.0,
    name: str = "xception",
) -> Layers:
    """Return separable 3x3 convolutions with a shortcut around them [1]_.

    A ReLU precedes each convolution, and a `BatchNorm` follows it. The default is a
    block from the middle of Xception, for 728 channels. Those at its beginning are
    ``xception_block((128, 128), 2, projection=True)`` and so on, the one at its end is
    ``xception_block((728, 1024), 2, projection=True)``.

    Parameters
    ----------
    filters : sequence of int, default=(728, 728, 728)
        Output channels of each separable convolution.
    strides : int, default=1
        If above 1, the block ends with a 3x3 max pooling with these strides.
    projection : bool, default=False
        Whether the shortcut is a 1x1 convolution and a `BatchNorm`, which is needed if
        the strides or the number of channels change the shape, or the input itself.
    width : float, default=1.0
        Factor of the number of channels.
    name : str, default="xception"

    Returns
    -------
    layers : list of (str, layer)
        A single one, a `Residual`.

    Raises
    ------
    ValueError
        For strides without a projection; and in `build` if the input does not have
        as many channels as the output, and there is no projection.

    References
    ----------
    .. [1] F. Chollet, "Xception: Deep learning with depthwise separable convolutions",
       CVPR 2017.

    Examples
    --------
    >>> from skconvnet.architectures import xception_block
    >>> from skconvnet.layers.chain import build_layers
    >>> build_layers(xception_block(), (19, 19, 728))["xception"].out_shape
    (19, 19, 728)
    >>> first = xception_block((128, 128), 2, projection=True)
    >>> build_layers(first, (147, 147, 64))["xception"].out_shape
    (74, 74, 128)
    """
    channels = each_scaled("filters", filters, width)
    strides = check_positive_int("strides", strides)
    if strides > 1 and not projection:
        raise ValueError(
            f"strides={strides} makes the map smaller, so that the input cannot be "
            "added to it; set projection=True."
        )
    layers: Layers = []
    for i, n in enumerate(channels, 1):
        layers += [
            (f"relu{i}", Activation("relu")),
            (f"conv{i}", SeparableConv2D(n, 3, padding="same")),
            (f"norm{i}", BatchNorm()),
        ]
    if strides > 1:
        layers += [("pool", MaxPool2D(3, strides, "same"))]
    shortcut = [
        ("conv", Conv2D(channels[-1], 1, strides, "same")),
        ("norm", BatchNorm()),
    ]
    block = Residual(layers, shortcut=shortcut if projection else "identity")
    return [(check_name(name), block)]
