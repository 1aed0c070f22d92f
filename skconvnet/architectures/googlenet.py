"""GoogLeNet: convolutions of several sizes in parallel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import check_name, conv, scaled
from skconvnet.layers import (
    Dropout,
    GlobalAvgPool,
    LocalResponseNorm,
    MaxPool2D,
    Parallel,
)

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

# Arguments of `inception_block`: filters of the 1x1, 3x3 and 5x5 convolutions and after
# the pooling, then filters of the reductions before 3x3 and 5x5.
MODULES = {
    "3a": (64, 128, 32, 32, 96, 16),
    "3b": (128, 192, 96, 64, 128, 32),
    "4a": (192, 208, 48, 64, 96, 16),
    "4b": (160, 224, 64, 64, 112, 24),
    "4c": (128, 256, 64, 64, 128, 24),
    "4d": (112, 288, 64, 64, 144, 32),
    "4e": (256, 320, 128, 128, 160, 32),
    "5a": (256, 320, 128, 128, 160, 32),
    "5b": (384, 384, 128, 128, 192, 48),
}


def inception_block(
    filters_1x1: int,
    filters_3x3: int,
    filters_5x5: int,
    filters_pool: int | None = None,
    reduce_3x3: int | None = None,
    reduce_5x5: int | None = None,
    *,
    width: float = 1.0,
    name: str = "inception",
) -> Layers:
    """Return 1x1, 3x3 and 5x5 convolutions and a pooling layer in parallel [1]_.

    All branches keep the size of the map, and their channels are joined. 1x1
    convolutions before the large kernels and after the pooling reduce the number of
    channels, and thereby the number of weights. The branches are named "conv1",
    "conv3", "conv5" and "pool", and their convolutions "reduce" and "conv".

    Parameters
    ----------
    filters_1x1, filters_3x3, filters_5x5 : int
        Numbers of output channels of the three convolutions.
    filters_pool : int, default=None
        Number of output channels of a 1x1 convolution after the pooling. None leaves it
        out.
    reduce_3x3, reduce_5x5 : int, default=None
        Numbers of output channels of the 1x1 convolutions before the 3x3 and the 5x5
        convolution. None leaves a reduction out.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.
    name : str, default="inception"
        Name of the layer.

    Returns
    -------
    layers : list of (str, layer)
        A single layer, a `Parallel`.

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.architectures import inception_block
    >>> [(name, block)] = inception_block(8, 16, 4, reduce_3x3=6)
    >>> block.build((14, 14, 12)).out_shape
    (14, 14, 40)
    """

    def convolution(parameter: str, n: int, size: int, role: str) -> Layers:
        return [(role, conv(scaled(parameter, n, width), size))]

    def reduction(parameter: str, n: int | None) -> Layers:
        return [] if n is None else convolution(parameter, n, 1, "reduce")

    pool: Layers = [("pool", MaxPool2D(3, 1, "same"))]
    if filters_pool is not None:
        pool += convolution("filters_pool", filters_pool, 1, "conv")
    three = convolution("filters_3x3", filters_3x3, 3, "conv")
    five = convolution("filters_5x5", filters_5x5, 5, "conv")
    branches = [
        ("conv1", convolution("filters_1x1", filters_1x1, 1, "conv")),
        ("conv3", reduction("reduce_3x3", reduce_3x3) + three),
        ("conv5", reduction("reduce_5x5", reduce_5x5) + five),
        ("pool", pool),
    ]
    return [(check_name(name), Parallel(branches))]


def inception_3a(width: float = 1.0) -> Layers:
    """Return the first module of GoogLeNet: maps of 28x28x192 into 256 maps [1]_.

    It has 163,696 weights, and would have 393,472 without the two reductions.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.architectures import inception_3a
    >>> [(name, block)] = inception_3a()
    >>> block.build((28, 28, 192)).out_shape
    (28, 28, 256)
    """
    return inception_block(*MODULES["3a"], width=width, name="inception3a")


def googlenet(width: float = 1.0) -> Layers:
    """Return GoogLeNet for images of 224x224x3, or any other size [1]_.

    Three convolutions and nine modules are followed by the mean of each map. With the
    output layer for 1,000 classes, the network has 6,998,552 weights. The two auxiliary
    outputs that the paper uses in training are left out.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] C. Szegedy et al., "Going deeper with convolutions", CVPR 2015.

    Examples
    --------
    >>> from skconvnet.architectures import googlenet
    >>> shape = (224, 224, 3)
    >>> for name, layer in googlenet():
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("inception3a", "inception5b"):
    ...         print(name, shape)
    inception3a (28, 28, 256)
    inception5b (7, 7, 1024)
    """
    layers: Layers = [
        ("conv1", conv(scaled("filters", 64, width), 7, 2, 3)),
        ("pool1", MaxPool2D(3, 2, "same")),
        ("norm1", LocalResponseNorm()),
        ("reduce2", conv(scaled("filters", 64, width), 1)),
        ("conv2", conv(scaled("filters", 192, width), 3)),
        ("norm2", LocalResponseNorm()),
        ("pool2", MaxPool2D(3, 2, "same")),
    ]
    for module, filters in MODULES.items():
        layers += inception_block(*filters, width=width, name=f"inception{module}")
        if module in ("3b", "4e"):
            layers += [(f"pool{module[0]}", MaxPool2D(3, 2, "same"))]
    return [*layers, ("mean", GlobalAvgPool()), ("drop", Dropout(0.4))]
