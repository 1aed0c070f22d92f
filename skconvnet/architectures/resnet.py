"""ResNet: blocks with a shortcut around their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet._checks import check_positive_int
from skconvnet.architectures._parts import check_name, conv, scaled
from skconvnet.layers import (
    Activation,
    BatchNorm,
    Conv2D,
    GlobalAvgPool,
    MaxPool2D,
    Residual,
)

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

# Blocks of each of the four stages, by the number of layers with weights.
BLOCKS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
EXPANSION = 4


def resnet_bottleneck(
    filters: int = 64,
    strides: int = 1,
    projection: bool = False,
    *,
    width: float = 1.0,
    name: str = "bottleneck",
) -> Layers:
    """Return a residual block with a 3x3 convolution between two of 1x1 [1]_.

    The first reduces the number of channels, the last raises it to four times
    `filters`: from 256 channels to 64, 64 and 256, with 69,632 weights in the three
    kernels; one 3x3 kernel from 256 to 256 channels has 589,824. A `BatchNorm` follows
    each convolution, and a ReLU the sum.

    Parameters
    ----------
    filters : int, default=64
        Channels of the 3x3 convolution; the block puts out four times as many.
    strides : int, default=1
        Of the first convolution, as in the paper.
    projection : bool, default=False
        Whether the shortcut is a 1x1 convolution and a `BatchNorm`, which is needed if
        the strides or the number of channels change the shape, or the input itself.
    width : float, default=1.0
        Factor of `filters`.
    name : str, default="bottleneck"

    Returns
    -------
    layers : list of (str, layer)
        A `Residual`, and the ReLU after it, named ``"{name}_relu"``.

    Raises
    ------
    ValueError
        For strides without a projection; and in `build` if the input does not have
        four times `filters` channels, and there is no projection.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.architectures import resnet_bottleneck
    >>> from skconvnet.layers.chain import build_layers
    >>> layers = build_layers(resnet_bottleneck(64), (56, 56, 256))
    >>> layers["bottleneck"].weight_shapes["conv/kernel"]
    (64, 64, 3, 3)
    >>> layers["bottleneck"].out_shape
    (56, 56, 256)
    """
    narrow = scaled("filters", filters, width)
    strides = check_positive_int("strides", strides)
    if strides > 1 and not projection:
        raise ValueError(
            f"strides={strides} makes the map smaller, so that the input cannot be "
            "added to it; set projection=True."
        )
    wide = EXPANSION * narrow
    shortcut = [("conv", _linear(wide, 1, strides)), ("norm", BatchNorm())]
    block = Residual(
        [
            ("reduce", _linear(narrow, 1, strides)),
            ("norm1", BatchNorm()),
            ("relu1", Activation("relu")),
            ("conv", _linear(narrow, 3)),
            ("norm2", BatchNorm()),
            ("relu2", Activation("relu")),
            ("expand", _linear(wide, 1)),
            ("norm3", BatchNorm()),
        ],
        shortcut=shortcut if projection else "identity",
    )
    name = check_name(name)
    return [(name, block), (f"{name}_relu", Activation("relu"))]


def resnet(depth: int = 50, width: float = 1.0) -> Layers:
    """Return ResNet of bottlenecks for images of 224x224x3, or any other size [1]_.

    A convolution, four stages of residual blocks, and the mean of each map. With the
    output layer for 1,000 classes ResNet-50 has 25,583,592 weights on images of three
    channels, the biases of convolutions included. Blocks are named "block1_1" and so
    on, by stage.

    Parameters
    ----------
    depth : {50, 101, 152}, default=50
        Layers with kernels, the output layer among them, but not the projections.
    width : float, default=1.0
        Factor of the number of channels.

    Returns
    -------
    layers : list of (str, layer)

    Raises
    ------
    ValueError
        For another depth.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.architectures import resnet
    >>> from skconvnet.layers.chain import build_layers
    >>> layers = build_layers(resnet(50), (224, 224, 3))
    >>> layers["block1_1"].in_shape, layers["block4_3"].out_shape
    ((56, 56, 64), (7, 7, 2048))
    """
    if depth not in BLOCKS:
        raise ValueError(f"depth must be 50, 101 or 152; got {depth!r}.")
    layers: Layers = [
        ("conv1", _linear(scaled("filters", 64, width), 7, 2, 3)),
        ("norm1", BatchNorm()),
        ("relu1", Activation("relu")),
        ("pool1", MaxPool2D(3, 2, "same")),
    ]
    for stage, n in enumerate(BLOCKS[depth]):
        for i in range(n):
            layers += resnet_bottleneck(
                64 * 2**stage,
                strides=2 if stage and not i else 1,
                projection=not i,
                width=width,
                name=f"block{stage + 1}_{i + 1}",
            )
    return [*layers, ("mean", GlobalAvgPool())]


def _linear(
    filters: int, kernel_size: int, strides: int = 1, padding: int | str = "same"
) -> Conv2D:
    """Return a convolution whose ReLU comes later, after a normalization."""
    return conv(filters, kernel_size, strides, padding, activation=None)
