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

# Number of blocks in each of the four stages, by depth.
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
    """Return a residual block with a 3x3 convolution between two 1x1 convolutions [1]_.

    The first convolution reduces the number of channels, and the last one increases it
    to four times `filters`. With 256 input channels and ``filters=64``, the three
    kernels have 69,632 weights, whereas a single 3x3 kernel from 256 to 256 channels
    has 589,824. Each convolution is followed by a `BatchNorm`, and the sum by a ReLU.

    Parameters
    ----------
    filters : int, default=64
        Number of channels of the 3x3 convolution. The block has four times as many
        output channels.
    strides : int, default=1
        Strides of the first convolution, as in the paper.
    projection : bool, default=False
        Whether the shortcut consists of a 1x1 convolution and a `BatchNorm`, which is
        required if the strides or the number of channels change the shape. Otherwise
        the shortcut is the input itself.
    width : float, default=1.0
        Factor by which `filters` is multiplied.
    name : str, default="bottleneck"
        Name of the block.

    Returns
    -------
    layers : list of (str, layer)
        A `Residual`, and the ReLU after it, named ``"{name}_relu"``.

    Raises
    ------
    ValueError
        If `strides` are larger than 1 without a projection. Without a projection,
        `build` also raises it if the input does not have four times `filters` channels.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.architectures import resnet_bottleneck
    >>> (name, block), (relu_name, relu) = resnet_bottleneck(64)
    >>> layer = block.build((56, 56, 256))
    >>> layer.weight_shapes["conv/kernel"]
    (64, 64, 3, 3)
    >>> layer.out_shape
    (56, 56, 256)
    """
    narrow = scaled("filters", filters, width)
    strides = check_positive_int("strides", strides)
    if strides > 1 and not projection:
        raise ValueError(
            f"strides={strides} makes the map smaller, so the input cannot be added "
            "to it; set projection=True."
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
    """Return ResNet with bottlenecks for images of 224x224x3, or any other size [1]_.

    A convolution is followed by four stages of residual blocks and the mean of each
    map. With the output layer for 1,000 classes, ResNet-50 has 25,583,592 weights for
    images with three channels, including the biases of convolutions. Blocks are named
    by stage: "block1_1" and so on.

    Parameters
    ----------
    depth : {50, 101, 152}, default=50
        Number of layers with kernels, including the output layer but not the
        projections.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    Raises
    ------
    ValueError
        If `depth` is not one of these numbers.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image
       recognition", CVPR 2016.

    Examples
    --------
    >>> from skconvnet.architectures import resnet
    >>> shape = (224, 224, 3)
    >>> for name, layer in resnet(50):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("block1_1", "block4_3"):
    ...         print(name, shape)
    block1_1 (56, 56, 256)
    block4_3 (7, 7, 2048)
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
    """Return a convolution without activation: a normalization precedes its ReLU."""
    return conv(filters, kernel_size, strides, padding, activation=None)
