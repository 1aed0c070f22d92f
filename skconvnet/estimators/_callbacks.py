"""scikit-learn's callbacks during `fit`: an epoch is a task.

scikit-learn calls their interface experimental. This is the only module that knows it.
Where it is missing, everything but `set_callbacks` works.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from skconvnet._typing import override
from skconvnet.estimators._resume import Checkpointed
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._validation_set import ValidationData
from skconvnet.training.events import TrainingObserver, TrainingView
from skconvnet.training.snapshot import RandomNumbers

__all__ = ["CallbackSupportMixin", "FitCallbacks", "RunningFit", "without_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # scikit-learn is another version

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Says that there are no callbacks."""

        def set_callbacks(self, *callbacks: object) -> None:
            """Raise an ImportError."""
            raise ImportError(
                f"set_callbacks{callbacks!r} needs sklearn.callback, which the "
                "installed version of scikit-learn does not have."
            )


# What scikit-learn keeps in an estimator: the callbacks, and what links their tasks.
_OF_SCIKIT_LEARN = (
    "_skl_callbacks",
    "_skl_callbacks_to_teardown",
    "_callback_fit_ctx",
    "_parent_callback_ctx",
)


@dataclass
class RunningFit:
    """A fit that has not ended, as the callbacks of this package see it.

    Attributes
    ----------
    view : TrainingView or None
        The losses, scores and rates so far. None with L-BFGS.
    random_numbers : dict
        The state of the generator before it held out samples.
    encoder : Targets
        The encoding of y.
    find_given : callable
        Returns `what_fit_was_given`, which takes a while.
    """

    random_numbers: RandomNumbers
    encoder: Targets
    find_given: Callable[[], dict[str, object]]
    view: TrainingView | None = None

    @cached_property
    def given(self) -> dict[str, object]:
        """Return what `fit` was given."""
        return self.find_given()

    def checkpointed(self) -> Checkpointed:
        """Return what `fit` can go on from, between two epochs."""
        assert self.view is not None
        snapshot = self.view.take_snapshot()
        return Checkpointed(snapshot, self.random_numbers, self.given, self.encoder)


class FitCallbacks(TrainingObserver):
    """Calls the callbacks of an estimator during one fit.

    The tasks are those of scikit-learn's task tree::

        fit
            epoch, or iteration of L-BFGS
            validation                      after each epoch, if X_val is given
            epoch
            ...

    Each epoch is given X and y, each validation X_val and y_val.

    Parameters
    ----------
    estimator : estimator
    X, y, sample_weight : array-like
        As the user passed them to `fit`.
    validation : ValidationData
    """

    def __init__(
        self,
        estimator: Any,  # noqa: ANN401  estimators have no type
        X: object,
        y: object,
        sample_weight: object,
        validation: ValidationData,
    ) -> None:
        self._estimator = estimator
        self._training = _Data(X, y, sample_weight)
        self._validation: _Data | None = None
        if validation.X is not None:
            self._validation = _Data(*validation)
        self._fit_task: Any = None
        self._epoch_task: Any = None
        self._running: RunningFit | None = None
        self._n_iterations = 0
        if hasattr(estimator, "_init_callback_context"):
            tasks_per_epoch = 1 if self._validation is None else 2
            self._fit_task = estimator._init_callback_context(  # noqa: SLF001  of scikit-learn
                max_subtasks=estimator.max_iter * tasks_per_epoch
            )

    @property
    def observers(self) -> tuple[TrainingObserver, ...]:
        """Itself, unless there is nobody to call."""
        has_callbacks = getattr(self._estimator, "_skl_callbacks", None)
        return (self,) if has_callbacks and self._fit_task is not None else ()

    def begin(self) -> None:
        """Tell the callbacks that `fit` begins."""
        if self.observers:
            self._call("call_on_fit_task_begin", self._fit_task, self._training)

    def end(self) -> None:
        """Tell the callbacks that `fit` has ended. The estimator is fitted."""
        vars(self._estimator).pop("_running_fit", None)
        if self.observers:
            self._call("call_on_fit_task_end", self._fit_task, self._training, dict)

    def note_begin(
        self,
        rng: np.random.RandomState,
        encoder: Targets,
        find_given: Callable[[], dict[str, object]],
    ) -> None:
        """Take note of what a checkpoint needs from before training."""
        if self.observers:
            numbers = rng.get_state(legacy=False)
            self._running = RunningFit(numbers, encoder, find_given)
            vars(self._estimator)["_running_fit"] = self._running

    @override
    def on_train_begin(self, view: TrainingView) -> None:
        assert self._running is not None
        self._running.view = view

    @override
    def on_epoch_begin(self, view: TrainingView) -> None:
        self._epoch_task = self._fit_task.subcontext(task_name="epoch")
        self._call("call_on_fit_task_begin", self._epoch_task, self._training)

    @override
    def on_between_epochs(self, view: TrainingView) -> bool:
        def fitted() -> dict[str, object]:
            return fitted_attributes(self._estimator, view)

        stops = [self._end(self._epoch_task, self._training, fitted)]
        if self._validation is not None:
            task = self._fit_task.subcontext(task_name="validation")
            self._call("call_on_fit_task_begin", task, self._validation)
            stops.append(self._end(task, self._validation, fitted))
        return any(stops)

    @property
    def on_iteration(self) -> Callable[[], bool] | None:
        """What to call after each iteration of L-BFGS, if anything."""
        return self._end_iteration if self.observers else None

    def _end_iteration(self) -> bool:

        self._n_iterations += 1

        def fitted() -> dict[str, object]:
            network = copy.deepcopy(self._estimator.network_)
            return {"network_": network, "n_iter_": self._n_iterations}

        task = self._fit_task.subcontext(task_name="iteration")
        self._call("call_on_fit_task_begin", task, self._training)
        return self._end(task, self._training, fitted)

    def _end(self, task: Any, data: _Data, fitted: object) -> bool:  # noqa: ANN401  scikit-learn has no types
        return bool(self._call("call_on_fit_task_end", task, data, fitted))

    def _call(
        self,
        hook: str,
        task: Any,  # noqa: ANN401  scikit-learn has no types
        data: _Data,
        fitted: object = None,
    ) -> object:
        """Call a hook of all callbacks, with what they ask for.

        `fitted` returns the attributes of a fitted estimator, for those that ask.
        """
        given = {"X": data.X, "y": data.y, "metadata": data.metadata}
        call = getattr(task, hook)
        return call(
            estimator=self._estimator, reconstruction_attributes=fitted, **given
        )


@dataclass
class _Data:
    """What a task works on."""

    X: Any
    y: Any
    sample_weight: Any

    @property
    def metadata(self) -> dict[str, object] | None:
        if self.sample_weight is None:
            return None
        return {"sample_weight": self.sample_weight}


def fitted_attributes(
    estimator: Any,  # noqa: ANN401  estimators have no type
    view: TrainingView,
) -> dict[str, object]:
    """Return the attributes of an estimator that is fitted as far as training is.

    They share no arrays with the training that goes on. With early stopping, the
    weights are those of the epoch, and not the best ones so far.
    """
    fitted = copy.copy(estimator)
    with view.averaged():
        fitted.network_ = copy.deepcopy(view.network)
    fitted._history = copy.deepcopy(view.history)  # noqa: SLF001  of this package
    fitted._publish(  # noqa: SLF001  of this package
        fitted._history,  # noqa: SLF001  of this package
        n_epochs=view.epoch,
        stopped=view.stopped,
    )
    before = vars(estimator)
    return {
        name: value
        for name, value in vars(fitted).items()
        if name not in before or before[name] is not value
    }


def without_callbacks(state: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an estimator to be pickled.

    A fitted model does not take its callbacks along. One that is not fitted does: a
    search sends it to other processes.
    """
    is_fitted = state.get("n_iter_", 0) > 0  # and not only initialized
    of_callbacks = {*_OF_SCIKIT_LEARN, "_running_fit"} if is_fitted else ()
    return {name: value for name, value in state.items() if name not in of_callbacks}
