"""Losses, each with its output activation, value and gradient.

A loss is chosen by its name or as an object, whose parameters a search reaches as
``loss__delta``.
"""

from skconvnet._foreign_words import LOSS_CLASSES
from skconvnet._suggestions import module_getattr
from skconvnet.losses.base import Loss
from skconvnet.losses.margins import Hinge, Perceptron, SquaredHinge
from skconvnet.losses.probabilities import (
    BinaryLogLoss,
    LogisticSquaredError,
    LogLoss,
    SoftLogLoss,
)
from skconvnet.losses.regression import (
    AbsoluteError,
    Huber,
    MeanOutputSquaredError,
    PoissonDeviance,
    Quantile,
    SquaredError,
)

__all__ = [
    "CLASSIFICATION_LOSSES",
    "REGRESSION_LOSSES",
    "AbsoluteError",
    "BinaryLogLoss",
    "Hinge",
    "Huber",
    "LogLoss",
    "LogisticSquaredError",
    "Loss",
    "MeanOutputSquaredError",
    "Perceptron",
    "PoissonDeviance",
    "Quantile",
    "SoftLogLoss",
    "SquaredError",
    "SquaredHinge",
]

#: The losses of classifiers, by the names that `loss` accepts.
CLASSIFICATION_LOSSES: dict[str, type[Loss]] = {
    loss.name: loss for loss in (LogLoss, SquaredError, Hinge, SquaredHinge, Perceptron)
}
#: The losses of regressors, by the names that `loss` accepts.
REGRESSION_LOSSES: dict[str, type[Loss]] = {
    loss.name: loss
    for loss in (SquaredError, AbsoluteError, Huber, Quantile, PoissonDeviance)
}

__getattr__ = module_getattr(__name__, __all__, LOSS_CLASSES)
