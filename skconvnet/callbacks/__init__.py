"""Callbacks of training, for `set_callbacks` of every estimator.

They follow the protocol of `sklearn.callback`, whose `ProgressBar` and `ScoringMonitor`
work as well.
"""

from skconvnet.callbacks.checkpoint import Checkpoint
from skconvnet.callbacks.learning_curve import LearningCurve
from skconvnet.callbacks.prune import Prune

__all__ = ["Checkpoint", "LearningCurve", "Prune"]
