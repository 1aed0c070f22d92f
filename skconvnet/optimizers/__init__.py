"""Optimizers: what a `solver` is made of, by name or as objects."""

from skconvnet.optimizers.adagrad import Adadelta, Adagrad, RMSprop
from skconvnet.optimizers.adam import Adam, Adamax, AdamW, Nadam
from skconvnet.optimizers.base import Optimizer
from skconvnet.optimizers.sgd import SGD

__all__ = [
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Nadam",
    "Optimizer",
    "RMSprop",
]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "adamax": Adamax,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
}
