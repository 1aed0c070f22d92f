"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from skconvnet.layers.adaptive_pooling import (
    GlobalAvgPool,
    GlobalMaxPool,
    SpatialPyramidPool,
)
from skconvnet.layers.batch_norm import BatchNorm
from skconvnet.layers.composition import Parallel, Residual
from skconvnet.layers.convolution import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from skconvnet.layers.elementwise import Activation, Dropout, Rescaling
from skconvnet.layers.flatten import Flatten
from skconvnet.layers.layer_norm import LayerNorm
from skconvnet.layers.local_response_norm import LocalResponseNorm
from skconvnet.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from skconvnet.layers.maxout import Maxout
from skconvnet.layers.noise import GaussianNoise, SpatialDropout
from skconvnet.layers.pooling import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from skconvnet.layers.rectifiers import PReLU, RReLU
from skconvnet.layers.reshape import Permute, Reshape
from skconvnet.layers.spatially_separable import SpatiallySeparableConv2D
from skconvnet.layers.standardize import Standardize
from skconvnet.layers.transposed import (
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
)
from skconvnet.layers.upsampling import Upsample

__all__ = [
    "Activation",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "GaussianNoise",
    "GlobalAvgPool",
    "GlobalMaxPool",
    "LayerNorm",
    "LocalResponseNorm",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Maxout",
    "PReLU",
    "Parallel",
    "Permute",
    "RReLU",
    "Rescaling",
    "Reshape",
    "Residual",
    "SeparableConv2D",
    "SpatialDropout",
    "SpatialPyramidPool",
    "SpatiallySeparableConv2D",
    "Standardize",
    "Upsample",
]
