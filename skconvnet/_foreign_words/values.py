"""Values that parameters have in Keras, PyTorch and scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping

from skconvnet._foreign_words.attribution_values import ATTRIBUTION_METHODS
from skconvnet._foreign_words.network_values import (
    CONV_METHODS,
    DATA_FORMATS,
    FILLS,
    GLOBAL_POOLINGS,
    MODES,
    NORMALIZED_AXES,
    PADDINGS,
    POOLINGS,
    REDUCTIONS,
    RESCALINGS,
    SHORTCUTS,
    STATISTICS,
    VERSIONS,
)
from skconvnet._foreign_words.object_values import (
    ACTIVATIONS,
    INITIALIZERS,
    LOSSES,
    SCHEDULES,
    SOLVERS,
)
from skconvnet._foreign_words.training_values import (
    ANNEALINGS,
    AVERAGINGS,
    BATCH_MODES,
    BATCH_SIZES,
    CLASS_WEIGHTS,
    DEVICES,
    DTYPES,
    MONITORED,
    SCORINGS,
    STOPPINGS,
)
from skconvnet._foreign_words.words import Words

# By the name of the parameter whose value it is.
VALUES: Mapping[str, Words] = {
    "solver": SOLVERS,
    "activation": ACTIVATIONS,
    "function": ACTIVATIONS,
    "loss": LOSSES,
    "kernel_initializer": INITIALIZERS,
    "learning_rate": SCHEDULES,
    "padding": PADDINGS,
    "pooling": POOLINGS,
    "global_pooling": GLOBAL_POOLINGS,
    "batch_mode": BATCH_MODES,
    "batch_size": BATCH_SIZES,
    "early_stopping": STOPPINGS,
    "dtype": DTYPES,
    "n_jobs": DEVICES,
    "data_format": DATA_FORMATS,
    "rescale": RESCALINGS,
    "conv_method": CONV_METHODS,
    "class_weight": CLASS_WEIGHTS,
    "averaging": AVERAGINGS,
    "scoring": SCORINGS,
    "mode": MODES,
    "axis": NORMALIZED_AXES,
    "per": STATISTICS,
    "reduce": REDUCTIONS,
    "fill": FILLS,
    "predict_augmentation": VERSIONS,
    "shortcut": SHORTCUTS,
    "anneal": ANNEALINGS,
    "monitor": MONITORED,
    "method": ATTRIBUTION_METHODS,
}
