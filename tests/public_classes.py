"""All public classes of hyperparameters, estimators and what estimators are given."""

import inspect

from sklearn.base import BaseEstimator

from skconvnet import (
    augmentation,
    estimators,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
)

MODULES = [
    estimators,
    layers,
    losses,
    optimizers,
    schedules,
    initializers,
    augmentation,
]


def classes_of(module):
    found = (getattr(module, name) for name in getattr(module, "__all__", dir(module)))
    return [
        cls
        for cls in found
        if inspect.isclass(cls)
        and issubclass(cls, BaseEstimator)
        and cls.__module__.startswith(module.__name__)
        and not inspect.isabstract(cls)
    ]


CLASSES = [
    cls for module in MODULES for cls in classes_of(module) if cls._get_param_names()
]
