"""What names of Keras, PyTorch and scikit-learn are called here.

Each table belongs to one kind of name, and maps a foreign word to advice: our name for
it, or a sentence if there is none. A tuple holds several, of which the first that the
object at hand has is given. Upper and lower case, ``_`` and ``-`` make no difference.
In a sentence, ``{value}`` stands for what the user passed.

Foreign words are never accepted as aliases, since `get_params` and `clone` have to hold
what the user passed. `skconvnet._suggestions` puts the advice into error messages, and
docs/coming_from_skorch_and_keras.md lists those that have a name here.
"""

from __future__ import annotations

from skconvnet._foreign_words.estimator_parameters import (
    ESTIMATOR_PARAMETERS,
    FIT_ARGUMENTS,
)
from skconvnet._foreign_words.layer_parameters import LAYER_PARAMETERS
from skconvnet._foreign_words.names import (
    AUGMENTATION_CLASSES,
    ESTIMATORS,
    INITIALIZER_CLASSES,
    LAYERS,
    LOSS_CLASSES,
    METHODS,
    OPTIMIZER_CLASSES,
    SCHEDULE_CLASSES,
)
from skconvnet._foreign_words.object_parameters import (
    AUGMENTATION_PARAMETERS,
    INITIALIZER_PARAMETERS,
    LOSS_PARAMETERS,
    OPTIMIZER_PARAMETERS,
    SCHEDULE_PARAMETERS,
)
from skconvnet._foreign_words.values import VALUES
from skconvnet._foreign_words.words import NUMBER, Advice, Words

__all__ = [
    "AUGMENTATION_CLASSES",
    "AUGMENTATION_PARAMETERS",
    "ESTIMATORS",
    "ESTIMATOR_PARAMETERS",
    "FIT_ARGUMENTS",
    "INITIALIZER_CLASSES",
    "INITIALIZER_PARAMETERS",
    "LAYERS",
    "LAYER_PARAMETERS",
    "LOSS_CLASSES",
    "LOSS_PARAMETERS",
    "METHODS",
    "NUMBER",
    "OPTIMIZER_CLASSES",
    "OPTIMIZER_PARAMETERS",
    "SCHEDULE_CLASSES",
    "SCHEDULE_PARAMETERS",
    "VALUES",
    "Advice",
    "Words",
]
