"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from skconvnet.layers.convolution import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.layers.elementwise import Activation, Dropout, Rescaling
from skconvnet.layers.flatten import Flatten
from skconvnet.layers.pooling import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
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
    "Conv1D",
    "Conv1DTranspose",
    "Conv2D",
    "Conv2DTranspose",
    "Conv3D",
    "Conv3DTranspose",
    "Dense",
    "Dropout",
    "Flatten",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Rescaling",
    "Upsample",
]
