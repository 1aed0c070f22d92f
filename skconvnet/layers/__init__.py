"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.layers.adaptive_pooling import GlobalAvgPool as GlobalAvgPool
    from skconvnet.layers.adaptive_pooling import GlobalMaxPool as GlobalMaxPool
    from skconvnet.layers.adaptive_pooling import (
        SpatialPyramidPool as SpatialPyramidPool,
    )
    from skconvnet.layers.batch_norm import BatchNorm as BatchNorm
    from skconvnet.layers.composition import Parallel as Parallel
    from skconvnet.layers.composition import Residual as Residual
    from skconvnet.layers.convolution import Conv1D as Conv1D
    from skconvnet.layers.convolution import Conv2D as Conv2D
    from skconvnet.layers.convolution import Conv3D as Conv3D
    from skconvnet.layers.dense import Dense as Dense
    from skconvnet.layers.depthwise import DepthwiseConv2D as DepthwiseConv2D
    from skconvnet.layers.depthwise import SeparableConv2D as SeparableConv2D
    from skconvnet.layers.elementwise import Activation as Activation
    from skconvnet.layers.elementwise import Dropout as Dropout
    from skconvnet.layers.elementwise import Rescaling as Rescaling
    from skconvnet.layers.embedding import Embedding as Embedding
    from skconvnet.layers.flatten import Flatten as Flatten
    from skconvnet.layers.layer_norm import LayerNorm as LayerNorm
    from skconvnet.layers.local_response_norm import (
        LocalResponseNorm as LocalResponseNorm,
    )
    from skconvnet.layers.locally_connected import (
        LocallyConnected1D as LocallyConnected1D,
    )
    from skconvnet.layers.locally_connected import (
        LocallyConnected2D as LocallyConnected2D,
    )
    from skconvnet.layers.maxout import Maxout as Maxout
    from skconvnet.layers.noise import GaussianNoise as GaussianNoise
    from skconvnet.layers.noise import SpatialDropout as SpatialDropout
    from skconvnet.layers.pooling import AvgPool1D as AvgPool1D
    from skconvnet.layers.pooling import AvgPool2D as AvgPool2D
    from skconvnet.layers.pooling import AvgPool3D as AvgPool3D
    from skconvnet.layers.pooling import MaxPool1D as MaxPool1D
    from skconvnet.layers.pooling import MaxPool2D as MaxPool2D
    from skconvnet.layers.pooling import MaxPool3D as MaxPool3D
    from skconvnet.layers.rectifiers import PReLU as PReLU
    from skconvnet.layers.rectifiers import RReLU as RReLU
    from skconvnet.layers.reshape import Permute as Permute
    from skconvnet.layers.reshape import Reshape as Reshape
    from skconvnet.layers.spatially_separable import (
        SpatiallySeparableConv2D as SpatiallySeparableConv2D,
    )
    from skconvnet.layers.standardize import Standardize as Standardize
    from skconvnet.layers.transposed import Conv1DTranspose as Conv1DTranspose
    from skconvnet.layers.transposed import Conv2DTranspose as Conv2DTranspose
    from skconvnet.layers.transposed import Conv3DTranspose as Conv3DTranspose
    from skconvnet.layers.upsampling import Upsample as Upsample

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "adaptive_pooling": ["GlobalAvgPool", "GlobalMaxPool", "SpatialPyramidPool"],
        "batch_norm": ["BatchNorm"],
        "composition": ["Parallel", "Residual"],
        "convolution": ["Conv1D", "Conv2D", "Conv3D"],
        "dense": ["Dense"],
        "depthwise": ["DepthwiseConv2D", "SeparableConv2D"],
        "elementwise": ["Activation", "Dropout", "Rescaling"],
        "embedding": ["Embedding"],
        "flatten": ["Flatten"],
        "layer_norm": ["LayerNorm"],
        "local_response_norm": ["LocalResponseNorm"],
        "locally_connected": ["LocallyConnected1D", "LocallyConnected2D"],
        "maxout": ["Maxout"],
        "noise": ["GaussianNoise", "SpatialDropout"],
        "pooling": [
            "AvgPool1D",
            "AvgPool2D",
            "AvgPool3D",
            "MaxPool1D",
            "MaxPool2D",
            "MaxPool3D",
        ],
        "rectifiers": ["PReLU", "RReLU"],
        "reshape": ["Permute", "Reshape"],
        "spatially_separable": ["SpatiallySeparableConv2D"],
        "standardize": ["Standardize"],
        "transposed": ["Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"],
        "upsampling": ["Upsample"],
    },
)
