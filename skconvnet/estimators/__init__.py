"""The public estimators."""

from skconvnet.estimators.convnet import ConvNetClassifier, ConvNetRegressor
from skconvnet.estimators.mlp import MLPClassifier, MLPRegressor
from skconvnet.estimators.sequential import SequentialClassifier, SequentialRegressor

__all__ = [
    "ConvNetClassifier",
    "ConvNetRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "SequentialClassifier",
    "SequentialRegressor",
]
