"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from skconvnet.layers.convolution import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.layers.depthwise import DepthwiseConv2D, SeparableConv2D
from skconvnet.layers.elementwise import Activation, Dropout, Rescaling
from skconvnet.layers.flatten import Flatten
from skconvnet.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from skconvnet.layers.pooling import (
    AvgPool1D,
    AvgPool2D,
    AvgPool3D,
    MaxPool1D,
    MaxPool2D,
    MaxPool3D,
)
from skconvnet.layers.spatially_separable import SpatiallySeparableConv2D

__all__ = [
    "Activation",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "DepthwiseConv2D",
    "Dropout",
    "Flatten",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Rescaling",
    "SeparableConv2D",
    "SpatiallySeparableConv2D",
]
