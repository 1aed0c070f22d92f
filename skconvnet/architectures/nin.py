"""Network in network: convolutions followed by 1x1 convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skconvnet.architectures._parts import check_name, conv, each_scaled
from skconvnet.layers import AvgPool2D, Dropout, GlobalAvgPool, MaxPool2D

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers, Padding, PerAxis


def nin_block(
    filters: Sequence[int],
    kernel_size: PerAxis,
    strides: PerAxis = 1,
    padding: Padding = "same",
    *,
    width: float = 1.0,
    name: str = "mlpconv",
) -> Layers:
    """Return a convolution followed by a perceptron at every position [1]_.

    The perceptron mixes the channels and consists of 1x1 convolutions.

    Parameters
    ----------
    filters : sequence of int
        Numbers of output channels of the convolution and of each 1x1 convolution.
    kernel_size, strides, padding : as in Conv2D
        Parameters of the first convolution. The defaults are strides of 1 and "same"
        padding.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.
    name : str, default="mlpconv"
        The layers are named ``"{name}_conv"``, ``"{name}_mix1"``, ``"{name}_mix2"``.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] M. Lin, Q. Chen and S. Yan, "Network in network", ICLR 2014.

    Examples
    --------
    >>> from skconvnet.architectures import nin_block
    >>> shape = (32, 32, 3)
    >>> for name, layer in nin_block((192, 160, 96), 5, name="a"):
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    a_conv (32, 32, 192)
    a_mix1 (32, 32, 160)
    a_mix2 (32, 32, 96)
    """
    first, *others = each_scaled("filters", filters, width)
    name = check_name(name)
    return [
        (f"{name}_conv", conv(first, kernel_size, strides, padding)),
        *((f"{name}_mix{i}", conv(n, 1)) for i, n in enumerate(others, 1)),
    ]


def nin(width: float = 1.0) -> Layers:
    """Return network in network for images of 32x32x3, or any other size [1]_.

    Three blocks are followed by the mean of each map. In the paper, a final 1x1
    convolution computes one map per class, whose mean is the input of the softmax.
    Since both steps are linear, their order does not matter: here, the output layer
    after the mean has the same weights and the same effect. For 10 classes, the network
    has 966,986 weights.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] M. Lin, Q. Chen and S. Yan, "Network in network", ICLR 2014. The numbers of
       channels are those of the authors' network for CIFAR-10.

    Examples
    --------
    >>> from skconvnet.architectures import nin
    >>> shape = (32, 32, 3)
    >>> for name, layer in nin():
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("block3_mix1", "mean"):
    ...         print(name, shape)
    block3_mix1 (8, 8, 192)
    mean (192,)
    """
    return [
        *nin_block((192, 160, 96), 5, width=width, name="block1"),
        ("pool1", MaxPool2D(3, 2, "same")),
        ("drop1", Dropout(0.5)),
        *nin_block((192, 192, 192), 5, width=width, name="block2"),
        ("pool2", AvgPool2D(3, 2, "same")),
        ("drop2", Dropout(0.5)),
        *nin_block((192, 192), 3, width=width, name="block3"),
        ("mean", GlobalAvgPool()),
    ]
