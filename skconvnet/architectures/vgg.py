"""VGG: stacks of 3x3 convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import conv, dense, scaled
from skconvnet.layers import Dropout, Flatten, MaxPool2D

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers

FILTERS = (64, 128, 256, 512, 512)
# Number of convolutions in each of the five blocks, by depth.
CONVOLUTIONS = {
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}


def vgg(depth: int = 16, width: float = 1.0) -> Layers:
    """Return VGG for images of 224x224x3, or any of at least 32x32 [1]_.

    The network consists of blocks of 3x3 convolutions, each followed by a pooling layer
    that halves the size of the map. Two such convolutions cover windows of 5x5 with 18
    weights per pair of channels, whereas a single 5x5 convolution has 25. With the
    output layer for 1,000 classes, VGG-16 has 138,357,544 weights for images of
    224x224x3. Convolutions are named by block: "conv1_1" and so on.

    Parameters
    ----------
    depth : {11, 13, 16, 19}, default=16
        Number of layers with weights, including the output layer. These are the
        configurations A, B, D and E of the paper.
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    Raises
    ------
    ValueError
        If `depth` is not one of these numbers.

    References
    ----------
    .. [1] K. Simonyan and A. Zisserman, "Very deep convolutional networks for
       large-scale image recognition", ICLR 2015.

    Examples
    --------
    >>> from skconvnet.architectures import vgg
    >>> shape = (224, 224, 3)
    >>> for name, layer in vgg(16):
    ...     shape = layer.build(shape).out_shape
    ...     if name in ("pool5", "dense7"):
    ...         print(name, shape)
    pool5 (7, 7, 512)
    dense7 (4096,)
    """
    if depth not in CONVOLUTIONS:
        raise ValueError(f"depth must be 11, 13, 16 or 19; got {depth!r}.")
    layers: Layers = []
    blocks = zip(FILTERS, CONVOLUTIONS[depth], strict=True)
    for block, (filters, n) in enumerate(blocks, 1):
        filters = scaled("filters", filters, width)
        layers += [(f"conv{block}_{i}", conv(filters, 3)) for i in range(1, n + 1)]
        layers += [(f"pool{block}", MaxPool2D(2))]
    return [
        *layers,
        ("flatten", Flatten()),
        ("dense6", dense(scaled("units", 4096, width))),
        ("drop6", Dropout(0.5)),
        ("dense7", dense(scaled("units", 4096, width))),
        ("drop7", Dropout(0.5)),
    ]
