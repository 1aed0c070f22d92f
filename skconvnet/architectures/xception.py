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

    Each convolution is preceded by a ReLU and followed by a `BatchNorm`. The default is
    a block from the middle of Xception, with 728 channels. The first block of Xception
    is ``xception_block((128, 128), 2, projection=True)``, and the last one is
    ``xception_block((728, 1024), 2, projection=True)``.

    Parameters
    ----------
    filters : sequence of int, default=(728, 728, 728)
        Number of output channels of each separable convolution.
    strides : int, default=1
        If greater than 1, the block ends with a 3x3 max pooling with these strides.
    projection : bool, default=False
        Whether the shortcut consists of a 1x1 convolution and a `BatchNorm`, which is
        required if the strides or the number of channels change the shape. Otherwise
        the shortcut is the input itself.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.
    name : str, default="xception"
        Name of the layer.

    Returns
    -------
    layers : list of (str, layer)
        A single layer, a `Residual`.

    Raises
    ------
    ValueError
        If `strides` are larger than 1 without a projection. Without a projection,
        `build` also raises it if the numbers of input and output channels differ.

    References
    ----------
    .. [1] F. Chollet, "Xception: Deep learning with depthwise separable convolutions",
       CVPR 2017.

    Examples
    --------
    >>> from skconvnet.architectures import xception_block
    >>> [(name, block)] = xception_block()
    >>> block.build((19, 19, 728)).out_shape
    (19, 19, 728)
    >>> [(name, block)] = xception_block((128, 128), 2, projection=True)
    >>> block.build((147, 147, 64)).out_shape
    (74, 74, 128)
    """
    channels = each_scaled("filters", filters, width)
    strides = check_positive_int("strides", strides)
    if strides > 1 and not projection:
        raise ValueError(
            f"strides={strides} makes the map smaller, so the input cannot be added "
            "to it; set projection=True."
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
