"""Optimizers, for the hyperparameter `solver`."""

from skconvnet._foreign_words import OPTIMIZER_CLASSES
from skconvnet._suggestions import module_getattr
from skconvnet.optimizers.adadelta import Adadelta
from skconvnet.optimizers.adagrad import Adagrad
from skconvnet.optimizers.adam import Adam, Adamax, AdamW, Nadam
from skconvnet.optimizers.base import Optimizer
from skconvnet.optimizers.lbfgs import LBFGS
from skconvnet.optimizers.lookahead import Lookahead
from skconvnet.optimizers.muon import Muon
from skconvnet.optimizers.rmsprop import RMSprop
from skconvnet.optimizers.schedule_free import ScheduleFreeAdamW
from skconvnet.optimizers.sgd import SGD

__all__ = [
    "LBFGS",
    "OPTIMIZERS",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lookahead",
    "Muon",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "ScheduleFreeAdamW",
]

#: The optimizers, by the names that `solver` accepts.
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adam": Adam,
    "adamw": AdamW,
    "nadam": Nadam,
    "adamax": Adamax,
    "rmsprop": RMSprop,
    "adagrad": Adagrad,
    "adadelta": Adadelta,
    "muon": Muon,
    "schedule_free_adamw": ScheduleFreeAdamW,
}

__getattr__ = module_getattr(__name__, __all__, OPTIMIZER_CLASSES)
