"""Small networks of convolution, pooling and dense layers without published names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import conv, dense, scaled
from skconvnet.layers import Flatten, MaxPool2D

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def cifar_convnet(width: float = 1.0) -> Layers:
    """Return a convolution with ReLU and pooling, a minimal network for 32x32x3 images.

    A convolution with 12 filters of 3x3 keeps the size of the map, and pooling halves
    it. This is the INPUT-CONV-RELU-POOL-FC network that many courses start with, where
    FC is the output layer. Images may have any size.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the number of channels is multiplied.

    Returns
    -------
    layers : list of (str, layer)

    Examples
    --------
    >>> from skconvnet.architectures import cifar_convnet
    >>> shape = (32, 32, 3)
    >>> for name, layer in cifar_convnet():
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    conv (32, 32, 12)
    pool (16, 16, 12)
    """
    return [
        ("conv", conv(scaled("filters", 12, width), 3)),
        ("pool", MaxPool2D(2)),
    ]


def two_convolutions(width: float = 1.0) -> Layers:
    """Return two large convolutions and a dense layer for images of 90x117x3.

    The network has 11x11 kernels with strides of 3, pooling without overlap, 7x7
    kernels with strides of 2, pooling with overlap, and 128 dense units. Images may
    have any size of at least 37x37.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    Examples
    --------
    >>> from skconvnet.architectures import two_convolutions
    >>> shape = (90, 117, 3)
    >>> for name, layer in two_convolutions():
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    conv1 (30, 39, 96)
    pool1 (10, 13, 96)
    conv2 (5, 7, 256)
    pool2 (3, 5, 256)
    flatten (3840,)
    dense (128,)
    """
    return [
        ("conv1", conv(scaled("filters", 96, width), 11, 3)),
        ("pool1", MaxPool2D(3)),
        ("conv2", conv(scaled("filters", 256, width), 7, 2)),
        ("pool2", MaxPool2D(3, 1)),
        ("flatten", Flatten()),
        ("dense", dense(scaled("units", 128, width))),
    ]
