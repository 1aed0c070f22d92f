"""ResNet for series: three residual blocks of three convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import each_scaled
from skconvnet.architectures._sequence_parts import conv1d, normalized_conv1d
from skconvnet.layers import Activation, BatchNorm, GlobalAvgPool, Residual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from skconvnet.architectures._parts import Layers

KERNEL_SIZES = (8, 5, 3)


def resnet_1d(filters: Sequence[int] = (64, 128, 128), width: float = 1.0) -> Layers:
    """Return a residual network for series of any length [1]_.

    Each residual block has three convolutions with kernels of 8, 5 and 3 steps, and a
    `BatchNorm` after each. The sum with the shortcut is followed by a ReLU, and the
    last block by the mean over all steps. All layers keep the length of the series. The
    shortcut is a convolution with a kernel of 1 step, if the number of channels
    changes, and a `BatchNorm`. With the output layer for two classes, the network has
    504,258 weights for series of one channel, as many as in the code of [2]_.

    X may be a list of series of different lengths, which are padded to share a
    micro-batch.

    Parameters
    ----------
    filters : sequence of int, default=(64, 128, 128)
        Number of filters of the convolutions of each block. The shortcut of a block
        with as many filters as the block before has no convolution.
    width : float, default=1.0
        Factor by which the numbers of channels are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] Z. Wang, W. Yan and T. Oates, "Time series classification from scratch with
       deep neural networks: a strong baseline", IJCNN 2017.
    .. [2] H. Ismail Fawaz et al., "Deep learning for time series classification: a
       review", Data Mining and Knowledge Discovery 33, 2019.

    Examples
    --------
    >>> from skconvnet.architectures import resnet_1d
    >>> shape = (150, 1)
    >>> for name, layer in resnet_1d():
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("block1", "block3"):
    ...         print(name, shape)
    block1 (150, 64)
    block3 (150, 128)
    """
    layers: Layers = []
    for i, n_filters in enumerate(each_scaled("filters", filters, width)):
        changes_channels = i == 0 or filters[i] != filters[i - 1]
        block = _block(n_filters, changes_channels=changes_channels)
        layers += [(f"block{i + 1}", block), (f"relu{i + 1}", Activation("relu"))]
    return [*layers, ("mean", GlobalAvgPool())]


def _block(filters: int, *, changes_channels: bool) -> Residual:
    convolutions: Layers = []
    for number, kernel_size in enumerate(KERNEL_SIZES, 1):
        convolutions += normalized_conv1d(filters, kernel_size, number)
    projection: Layers = [("conv", conv1d(filters, 1))] if changes_channels else []
    # The last ReLU comes after the sum.
    return Residual(convolutions[:-1], shortcut=[*projection, ("norm", BatchNorm())])
