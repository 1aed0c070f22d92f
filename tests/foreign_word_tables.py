"""The tables of foreign words, with the names that exist where each is looked up."""

from sklearn.metrics import get_scorer_names

import skconvnet
from skconvnet import (
    _foreign_words as words,
)
from skconvnet import (
    augmentation,
    initializers,
    layers,
    losses,
    optimizers,
    schedules,
)
from skconvnet._suggestions import plain
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.inspection.attribution.attribute import METHODS
from skconvnet.losses import CLASSIFICATION_LOSSES, REGRESSION_LOSSES
from skconvnet.ops.activations import ACTIVATIONS
from skconvnet.ops.convolution.selection import ALGORITHMS
from skconvnet.ops.padding import PADDINGS
from skconvnet.optimizers import LBFGS, OPTIMIZERS
from skconvnet.params.base import Params
from skconvnet.schedules import SCHEDULES
from skconvnet.training.averaging import SWA


def parameters(classes):
    return {name for cls in classes for name in cls._get_param_names()}


def classes_of(module):
    found = [getattr(module, name) for name in module.__all__]
    return [cls for cls in found if isinstance(cls, type) and issubclass(cls, Params)]


_INITIALIZER_CLASSES = [type(value) for value in INITIALIZERS.values()]
_ESTIMATORS = [
    getattr(skconvnet, name)
    for name in skconvnet.__all__
    if name.endswith(("Classifier", "Regressor"))
]

# The values of each parameter that are names. "function" has those of "activation".
VALUE_NAMES = {
    "solver": {*OPTIMIZERS, "lbfgs"},
    "activation": set(ACTIVATIONS),
    "loss": {*CLASSIFICATION_LOSSES, *REGRESSION_LOSSES},
    "kernel_initializer": {"auto", *INITIALIZERS},
    "learning_rate": set(SCHEDULES),
    "padding": set(PADDINGS),
    "pooling": {"max", "avg"},
    "global_pooling": {"max", "avg"},
    "data_format": {"channels_first", "channels_last"},
    "rescale": {"auto"},
    "conv_method": {"auto", *ALGORITHMS},
    "batch_mode": {"mbgd", "bgd", "sgd"},
    "batch_size": {"auto"},
    "early_stopping": set(),
    "scoring": {"loss", *get_scorer_names()},
    "class_weight": {"balanced"},
    "averaging": {SWA},
    "dtype": {"auto", "float32", "float64"},
    "n_jobs": set(),
    "mode": {"nearest", "bilinear"},
    "axis": {"channels", "all"},
    "per": {"channel", "pixel"},
    "reduce": {"sum", "mean", "max"},
    "shortcut": {"auto", "identity", "projection"},
    "predict_augmentation": {"mirror", "shifts", "mirror+shifts"},
    "fill": {"constant", "nearest", "reflect"},
    "anneal": {"cosine", "linear"},
    "monitor": {"auto", "training_loss", "validation_loss", "validation_score"},
    "method": set(METHODS),
}

# The heading of each table in the documentation: the words, and our names.
TABLES = {
    "parameter of an estimator": (
        words.ESTIMATOR_PARAMETERS,
        parameters(_ESTIMATORS),
    ),
    "argument of `fit`": (
        words.FIT_ARGUMENTS,
        {"X", "y", "sample_weight", "X_val", "y_val"},
    ),
    "parameter of a layer": (
        words.LAYER_PARAMETERS,
        parameters(classes_of(layers)),
    ),
    "parameter of an optimizer": (
        words.OPTIMIZER_PARAMETERS,
        parameters(classes_of(optimizers)),
    ),
    "parameter of a schedule": (
        words.SCHEDULE_PARAMETERS,
        parameters(classes_of(schedules)),
    ),
    "parameter of a loss": (words.LOSS_PARAMETERS, parameters(classes_of(losses))),
    "parameter of an initializer": (
        words.INITIALIZER_PARAMETERS,
        parameters(_INITIALIZER_CLASSES),
    ),
    "parameter of an augmentation": (
        words.AUGMENTATION_PARAMETERS,
        parameters(classes_of(augmentation)),
    ),
    **{f"`{name}`": (words.VALUES[name], own) for name, own in VALUE_NAMES.items()},
    "layer": (words.LAYERS, set(layers.__all__)),
    "optimizer": (words.OPTIMIZER_CLASSES, {*optimizers.__all__, LBFGS.__name__}),
    "schedule": (words.SCHEDULE_CLASSES, set(schedules.__all__)),
    "loss": (words.LOSS_CLASSES, set(losses.__all__)),
    "initializer": (
        words.INITIALIZER_CLASSES,
        {cls.__name__ for cls in (*_INITIALIZER_CLASSES, Initializer)},
    ),
    "augmentation": (words.AUGMENTATION_CLASSES, set(augmentation.__all__)),
    "estimator": (words.ESTIMATORS, {cls.__name__ for cls in _ESTIMATORS}),
}

MODULES = {
    "layer": layers,
    "optimizer": optimizers,
    "schedule": schedules,
    "loss": losses,
    "initializer": initializers,
    "augmentation": augmentation,
    "estimator": skconvnet,
}


def advice_of(word, table):
    """Return all advice for a word, as a tuple."""
    advice = table[word]
    return (advice,) if isinstance(advice, str) else advice


def first_name(word, table, names):
    """Return our first name for a word, None if there is only a sentence."""
    return next((own for own in advice_of(word, table) if own in names), None)


def documented_rows():
    """Return the rows of the table in the documentation: what, ours, foreign words."""
    rows = []
    for what, (table, names) in TABLES.items():
        by_own = {}
        for word in table:
            own = first_name(word, table, names)
            if own is not None and plain(word) != plain(own):
                by_own.setdefault(own, []).append(word)
        for own, foreign in sorted(by_own.items()):
            listed = ", ".join(f"`{word}`" for word in foreign)
            rows.append(f"| {what} | {listed} | `{own}` |")
    return rows
