"""Convolutional and fully connected neural networks as scikit-learn estimators."""

from typing import TYPE_CHECKING

from skconvnet._foreign_words import ESTIMATORS
from skconvnet._lazy import lazily
from skconvnet._pickles import recognize_moved_modules

if TYPE_CHECKING:
    from skconvnet.estimators import ConvNetClassifier as ConvNetClassifier
    from skconvnet.estimators import ConvNetRegressor as ConvNetRegressor
    from skconvnet.estimators import FeatureExtractor as FeatureExtractor
    from skconvnet.estimators import MLPClassifier as MLPClassifier
    from skconvnet.estimators import MLPRegressor as MLPRegressor
    from skconvnet.estimators import SequentialClassifier as SequentialClassifier
    from skconvnet.estimators import SequentialRegressor as SequentialRegressor
    from skconvnet.inspection.versions import show_versions as show_versions

__version__ = "0.1.0"

recognize_moved_modules()

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "estimators.convnet": ["ConvNetClassifier", "ConvNetRegressor"],
        "estimators.feature_extractor": ["FeatureExtractor"],
        "estimators.mlp": ["MLPClassifier", "MLPRegressor"],
        "estimators.sequential": ["SequentialClassifier", "SequentialRegressor"],
        "inspection.versions": ["show_versions"],
    },
    packages=[
        "architectures",
        "augmentation",
        "callbacks",
        "datasets",
        "distributed",
        "initializers",
        "inspection",
        "interop",
        "layers",
        "losses",
        "onnx",
        "optimizers",
        "schedules",
        "series",
        "shards",
        "tabular",
        "text",
    ],
    words=ESTIMATORS,
)
