"""Neural networks for people who live in scikit-learn."""

from skconvnet.estimators import (
    ConvNetClassifier,
    ConvNetRegressor,
    MLPClassifier,
    MLPRegressor,
    SequentialClassifier,
    SequentialRegressor,
)
from skconvnet.inspection.versions import show_versions

__version__ = "0.1.0.dev0"

__all__ = [
    "ConvNetClassifier",
    "ConvNetRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "SequentialClassifier",
    "SequentialRegressor",
    "show_versions",
]
