"""Giving up poor candidates of a search early."""

from __future__ import annotations

from typing import Protocol

from skconvnet._checks import check_choice
from skconvnet._typing import override
from skconvnet.callbacks.base import EpochCallback
from skconvnet.training.events import TrainingView

_MONITORS = ("validation_score", "validation_loss", "loss")


class Trial(Protocol):
    """One candidate of a search, such as a trial of Optuna."""

    def report(self, value: float, step: int) -> None:
        """Take note of a value after an epoch."""

    def should_prune(self) -> bool:
        """Return whether to give the candidate up."""
        ...


class Prune(EpochCallback):
    """Reports each epoch to a trial of a search, which may give it up.

    Parameters
    ----------
    trial : optuna.Trial or the like
        An object with the methods ``report(value, step)`` and ``should_prune()``.
    monitor : str, default="validation_score"
        What is reported: "validation_score", "validation_loss" or "loss". Those of
        validation need `X_val` and `y_val`, or ``early_stopping=True``. The direction
        of the search must fit: "maximize" for the score, "minimize" for a loss.

    Attributes
    ----------
    pruned_ : bool
        Whether the last fit was given up.

    Raises
    ------
    optuna.TrialPruned
        By `fit`, if a trial of Optuna is given up: the estimator is left as it was, and
        the study goes on with the next trial. With another kind of trial, training
        stops, `fit` ends as usual, and `pruned_` says so.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.callbacks import Prune
    >>> class Trial:
    ...     def report(self, value, step):
    ...         self.step = step
    ...
    ...     def should_prune(self):
    ...         return self.step == 2
    >>> X, y = load_iris(return_X_y=True)
    >>> prune = Prune(Trial(), monitor="loss")
    >>> clf = MLPClassifier(random_state=0).set_callbacks(prune).fit(X, y)
    >>> clf.n_iter_, prune.pruned_
    (2, True)
    """

    def __init__(self, trial: Trial, monitor: str = "validation_score") -> None:
        for method in ("report", "should_prune"):
            if not callable(getattr(trial, method, None)):
                raise TypeError(
                    f"trial must have a method {method}, as a trial of Optuna has; got "
                    f"{trial!r}."
                )
        self.trial = trial
        self.monitor = check_choice("monitor", monitor, _MONITORS)
        self.pruned_ = False

    @override
    def _begin(self) -> None:
        self.pruned_ = False

    @override
    def _end_epoch(self, estimator: object, view: TrainingView) -> bool:
        self.trial.report(self._value(estimator, view), view.epoch)
        if not self.trial.should_prune():
            return False
        self.pruned_ = True
        modules = {cls.__module__.partition(".")[0] for cls in type(self.trial).__mro__}
        if "optuna" in modules:
            import optuna

            raise optuna.TrialPruned(f"Pruned after epoch {view.epoch}.")
        return True

    def _value(self, estimator: object, view: TrainingView) -> float:
        if self.monitor == "loss":
            return view.loss_curve[-1]
        if not view.is_validated:
            raise ValueError(
                f"monitor={self.monitor!r} needs a validation set: pass X_val and "
                f"y_val to {type(estimator).__name__}.fit, set early_stopping=True, or "
                "use monitor='loss'."
            )
        if self.monitor == "validation_loss":
            return view.validation_loss_curve[-1]
        return view.validation_scores[-1]
