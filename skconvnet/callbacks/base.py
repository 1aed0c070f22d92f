"""What the callbacks of this package share."""

from __future__ import annotations

from typing import Protocol

from skconvnet.training.events import TrainingView


class Task(Protocol):
    """What a context of scikit-learn says of a task."""

    task_name: str


class RunningFit(Protocol):
    """A fit that has not ended, which an estimator of this package keeps meanwhile."""

    @property
    def view(self) -> TrainingView:
        """The losses, scores and rates so far."""
        ...

    def checkpointed(self) -> object:
        """Return what `fit` can go on from, between two epochs."""
        ...


class EpochCallback:
    """A callback that reacts to the end of an epoch.

    Subclasses override `_end_epoch`, and `_begin` if they need it.
    """

    def setup(
        self,
        estimator: object,
        context: Task,  # noqa: ARG002  of the protocol
    ) -> None:
        """Prepare for a fit.

        Raises
        ------
        TypeError
            If the estimator is none of this package.
        ValueError
            If it is not trained epoch by epoch.
        """
        name = type(self).__name__
        if not hasattr(estimator, "_train"):
            raise TypeError(
                f"{name} works on the estimators of skconvnet; got "
                f"{type(estimator).__name__}. Call set_callbacks of such an estimator, "
                "also if it is inside of another one."
            )
        solver = getattr(estimator, "solver", None)
        if solver == "lbfgs" or type(solver).__name__ == "LBFGS":
            raise ValueError(
                f"{name} needs a solver that trains epoch by epoch, such as 'adam'; "
                f"got solver={solver!r}."
            )
        self._begin()

    def teardown(self, estimator: object, context: Task) -> None:
        """Do nothing."""

    def on_fit_task_begin(self, estimator: object, context: Task) -> None:
        """Do nothing."""

    def on_fit_task_end(self, estimator: object, context: Task) -> bool:
        """React to the end of an epoch; return whether training should stop."""
        if context.task_name != "epoch":
            return False
        return bool(self._end_epoch(estimator, running_fit(estimator).view))

    def _begin(self) -> None:
        """Prepare for a fit."""

    def _end_epoch(self, estimator: object, view: TrainingView) -> bool | None:
        """React to the end of an epoch; True stops training."""
        raise NotImplementedError


def running_fit(estimator: object) -> RunningFit:
    """Return the fit of an estimator that has not ended."""
    running: RunningFit = vars(estimator)["_running_fit"]
    return running
