"""Layers for `SequentialClassifier` and `SequentialRegressor`."""

from skconvnet.layers.batch_norm import BatchNorm
from skconvnet.layers.composition import Parallel, Residual
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

__all__ = [
    "Activation",
    "AvgPool1D",
    "AvgPool2D",
    "AvgPool3D",
    "BatchNorm",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Dense",
    "Dropout",
    "Flatten",
    "MaxPool1D",
    "MaxPool2D",
    "MaxPool3D",
    "Parallel",
    "Rescaling",
    "Residual",
]
