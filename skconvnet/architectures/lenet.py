"""LeNet-5: convolutions and average pooling for handwritten digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import scaled
from skconvnet.layers import AvgPool2D, Conv2D, Dense, Flatten

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def lenet(width: float = 1.0) -> Layers:
    """Return LeNet-5 for images of 28x28x1, or any of at least 28x28 [1]_.

    The paper centers digits of 28x28 in images of 32x32; here, the first convolution
    pads them instead. With the output layer for 10 classes, the network has 61,706
    weights. This is the variant in common use: the second convolution connects all
    channels (in the paper, only some), average pooling has no weights, and the output
    is a softmax rather than a distance.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning
       applied to document recognition", Proceedings of the IEEE 86(11), 1998.

    Examples
    --------
    >>> from skconvnet.architectures import lenet
    >>> shape = (28, 28, 1)
    >>> for name, layer in lenet():
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    conv1 (28, 28, 6)
    pool1 (14, 14, 6)
    conv2 (10, 10, 16)
    pool2 (5, 5, 16)
    conv3 (1, 1, 120)
    flatten (120,)
    dense (84,)
    """
    return [
        (
            "conv1",
            Conv2D(scaled("filters", 6, width), 5, padding="same", activation="tanh"),
        ),
        ("pool1", AvgPool2D(2)),
        ("conv2", Conv2D(scaled("filters", 16, width), 5, activation="tanh")),
        ("pool2", AvgPool2D(2)),
        ("conv3", Conv2D(scaled("filters", 120, width), 5, activation="tanh")),
        ("flatten", Flatten()),
        ("dense", Dense(scaled("units", 84, width), "tanh")),
    ]
