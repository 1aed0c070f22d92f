"""DeepFace: locally connected layers for aligned faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skconvnet.architectures._parts import conv, dense, scaled
from skconvnet.layers import Dropout, Flatten, LocallyConnected2D, MaxPool2D

if TYPE_CHECKING:
    from skconvnet.architectures._parts import Layers


def deepface(width: float = 1.0) -> Layers:
    """Return DeepFace for aligned faces of 152x152x3 [1]_.

    Two convolutions are followed by three locally connected layers, which have a
    different kernel at every position, since eyes, nose and mouth are always in the
    same place. With the shapes of the paper, there are 102,412,864 weights up to the
    4,096 units that describe a face, and 118,923,774 with the output layer for 4,030
    people ("more than 120 million" in the paper). All but 53,136 of them belong to
    locally connected and dense layers. The names of the layers are those of the paper.

    Parameters
    ----------
    width : float, default=1.0
        Factor by which the numbers of channels and units are multiplied.

    Returns
    -------
    layers : list of (str, layer)

    References
    ----------
    .. [1] Y. Taigman, M. Yang, M. Ranzato and L. Wolf, "DeepFace: Closing the gap to
       human-level performance in face verification", CVPR 2014.

    Examples
    --------
    >>> from skconvnet.architectures import deepface
    >>> shape = (152, 152, 3)
    >>> for name, layer in deepface():
    ...     shape = layer.build(shape).out_shape
    ...     print(name, shape)
    C1 (142, 142, 32)
    M2 (71, 71, 32)
    C3 (63, 63, 16)
    L4 (55, 55, 16)
    L5 (25, 25, 16)
    L6 (21, 21, 16)
    flatten (7056,)
    F7 (4096,)
    drop7 (4096,)
    """
    filters = scaled("filters", 16, width)

    def local(kernel_size: int, strides: int = 1) -> LocallyConnected2D:
        return LocallyConnected2D(filters, kernel_size, strides, activation="relu")

    return [
        ("C1", conv(scaled("filters", 32, width), 11, padding="valid")),
        ("M2", MaxPool2D(3, 2, "same")),
        ("C3", conv(filters, 9, padding="valid")),
        ("L4", local(9)),
        ("L5", local(7, 2)),
        ("L6", local(5)),
        ("flatten", Flatten()),
        ("F7", dense(scaled("units", 4096, width))),
        ("drop7", Dropout(0.5)),
    ]
