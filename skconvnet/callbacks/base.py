"""What the callbacks of this package share."""

from __future__ import annotations

from typing import Any

from skconvnet.training.events import TrainingView

# Estimators and contexts of tasks come from scikit-learn, which has no types.


class EpochCallback:
    """A callback that reacts to the end of an epoch.

    Subclasses override `_end_epoch`, and `_begin` and `_end` if they need them.
    """

    def setup(
        self,
        estimator: Any,  # noqa: ANN401
        context: Any,  # noqa: ANN401, ARG002  of the protocol
    ) -> None:
        """Prepare for a fit."""
        if not hasattr(estimator, "network_") and not hasattr(estimator, "_train"):
            raise TypeError(
                f"{type(self).__name__} works on the estimators of skconvnet; got "
                f"{type(estimator).__name__}. Call set_callbacks of such an estimator, "
                "also if it is inside of another one."
            )
        self._begin(estimator)

    def teardown(
        self,
        estimator: Any,  # noqa: ANN401
        context: Any,  # noqa: ANN401, ARG002  of the protocol
    ) -> None:
        """Clean up after a fit, even one that failed."""
        self._end(estimator)

    def on_fit_task_begin(self, estimator: Any, context: Any) -> None:  # noqa: ANN401
        """Do nothing."""

    def on_fit_task_end(self, estimator: Any, context: Any) -> bool:  # noqa: ANN401
        """React to the end of an epoch; return whether training should stop."""
        if context.task_name != "epoch":
            return False
        return bool(self._end_epoch(estimator, view_of(estimator)))

    def _begin(self, estimator: Any) -> None:  # noqa: ANN401
        """Prepare for a fit."""

    def _end_epoch(
        self,
        estimator: Any,  # noqa: ANN401
        view: TrainingView,
    ) -> bool | None:
        """React to the end of an epoch; True stops training."""
        raise NotImplementedError

    def _end(self, estimator: Any) -> None:  # noqa: ANN401
        """Clean up after a fit."""


def view_of(estimator: Any) -> TrainingView:  # noqa: ANN401
    """Return the losses, scores and rates of a fit that has not ended."""
    view: TrainingView = estimator._running_fit.view  # noqa: SLF001
    return view


def check_minibatches(callback: object, estimator: Any) -> None:  # noqa: ANN401
    """Raise a ValueError if the estimator is not trained epoch by epoch."""
    solver = estimator.solver
    if solver == "lbfgs" or type(solver).__name__ == "LBFGS":
        raise ValueError(
            f"{type(callback).__name__} needs a solver that trains epoch by epoch, "
            f"such as 'adam'; got solver={solver!r}."
        )
