"""AlexNet: five convolutions, some in two groups, and three dense layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import conv, dense, scaled
from skconvnet.layers import Dropout, Flatten, LocalResponseNorm, MaxPool2D

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def alexnet(width: float = 1.0) -> Layers:
    """Return AlexNet for images of 224x224x3 or 227x227x3 [1]_.

    As in the paper, the second, fourth and fifth convolutions have two groups, since
    the network was trained on two devices. With the output layer for 1,000 classes, the
    network has 60,965,224 weights. The first convolution returns maps of 55x55, as in
    the paper. For images of 224x224, this requires a padding of 3, which the paper does
    not mention; for 227x227, the padding does not change the shape. The number of
    weights in ``dense6`` depends on the size of the images.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] A. Krizhevsky, I. Sutskever and G. E. Hinton, "ImageNet classification with
       deep convolutional neural networks", NeurIPS 2012.

    Examples
    --------
    >>> from skconvnet.architectures import alexnet
    >>> shape = (224, 224, 3)
    >>> for name, layer in alexnet():
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("conv1", "pool5"):
    ...         print(name, shape)
    conv1 (55, 55, 96)
    pool5 (6, 6, 256)
    >>> dict(alexnet())["conv2"].groups
    2
    """

    def filters(n: int) -> int:
        # The groups of a layer must also divide the channels of the layer before it.
        return scaled("filters", n, width, groups=2)

    return [
        ("conv1", conv(filters(96), 11, 4, ((1, 2), (1, 2)))),
        ("norm1", LocalResponseNorm()),
        ("pool1", MaxPool2D(3, 2)),
        ("conv2", conv(filters(256), 5, groups=2)),
        ("norm2", LocalResponseNorm()),
        ("pool2", MaxPool2D(3, 2)),
        ("conv3", conv(filters(384), 3)),
        ("conv4", conv(filters(384), 3, groups=2)),
        ("conv5", conv(filters(256), 3, groups=2)),
        ("pool5", MaxPool2D(3, 2)),
        ("flatten", Flatten()),
        ("dense6", dense(scaled("units", 4096, width))),
        ("drop6", Dropout(0.5)),
        ("dense7", dense(scaled("units", 4096, width))),
        ("drop7", Dropout(0.5)),
    ]
