"""The estimators."""

from typing import TYPE_CHECKING

from skconvnet._foreign_words import ESTIMATORS
from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.estimators.convnet import ConvNetClassifier as ConvNetClassifier
    from skconvnet.estimators.convnet import ConvNetRegressor as ConvNetRegressor
    from skconvnet.estimators.feature_extractor import (
        FeatureExtractor as FeatureExtractor,
    )
    from skconvnet.estimators.mlp import MLPClassifier as MLPClassifier
    from skconvnet.estimators.mlp import MLPRegressor as MLPRegressor
    from skconvnet.estimators.sequential import (
        SequentialClassifier as SequentialClassifier,
    )
    from skconvnet.estimators.sequential import (
        SequentialRegressor as SequentialRegressor,
    )

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "convnet": ["ConvNetClassifier", "ConvNetRegressor"],
        "feature_extractor": ["FeatureExtractor"],
        "mlp": ["MLPClassifier", "MLPRegressor"],
        "sequential": ["SequentialClassifier", "SequentialRegressor"],
    },
    words=ESTIMATORS,
)
