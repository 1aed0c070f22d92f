"""Schedules of the learning rate, for the hyperparameter `learning_rate`."""

from skconvnet._foreign_words import SCHEDULE_CLASSES
from skconvnet._suggestions import module_getattr
from skconvnet.schedules.annealing import Cosine, OneCycle, Polynomial
from skconvnet.schedules.base import Schedule
from skconvnet.schedules.decay import (
    Constant,
    Exponential,
    InverseScaling,
    StepDecay,
)
from skconvnet.schedules.plateau import Adaptive, ReduceOnPlateau

__all__ = [
    "SCHEDULES",
    "Adaptive",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "OneCycle",
    "Polynomial",
    "ReduceOnPlateau",
    "Schedule",
    "StepDecay",
]

#: The schedules, by the names that `learning_rate` accepts.
SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "invscaling": InverseScaling,
    "adaptive": Adaptive,
    "step": StepDecay,
    "exponential": Exponential,
    "polynomial": Polynomial,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "plateau": ReduceOnPlateau,
}

__getattr__ = module_getattr(__name__, __all__, SCHEDULE_CLASSES)
