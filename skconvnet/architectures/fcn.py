"""FCN: convolutions of a series without pooling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import scaled
from skconvnet.architectures._sequence_parts import normalized_conv1d
from skconvnet.layers import GlobalAvgPool

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

# Filters and kernel size of each convolution.
CONVOLUTIONS = ((128, 8), (256, 5), (128, 3))


def fcn(width: float = 1.0) -> Layers:
    """Return a fully convolutional network for series of any length [1]_.

    Three convolutions with 128, 256 and 128 filters and kernels of 8, 5 and 3 steps,
    each followed by a `BatchNorm` and a ReLU, keep the length of the series. The mean
    over all steps follows. With the output layer for two classes, the network has
    264,962 weights for series of one channel, as many as in the code of [2]_.

    X may be a list of series of different lengths, which are padded to share a
    micro-batch.

    Parameters
    ----------
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
    >>> from skconvnet.architectures import fcn
    >>> shape = (150, 1)
    >>> for name, layer in fcn():
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("relu3", "mean"):
    ...         print(name, shape)
    relu3 (150, 128)
    mean (128,)
    """
    layers: Layers = []
    for number, (filters, kernel_size) in enumerate(CONVOLUTIONS, 1):
        layers += normalized_conv1d(
            scaled("filters", filters, width), kernel_size, number
        )
    return [*layers, ("mean", GlobalAvgPool())]
