"""Training the network of an estimator, and what the estimator says of it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

import numpy as np
from scipy.optimize import OptimizeResult
from sklearn.utils.optimize import _check_optimize_result

from skconvnet.engine.executor import Executor
from skconvnet.engine.input_statistics import fit_input_statistics
from skconvnet.engine.minibatches import Samples
from skconvnet.estimators._callbacks import FitCallbacks
from skconvnet.estimators._changed_params import (
    follow_changes,
    warn_of_completed_schedule,
)
from skconvnet.estimators._factories import (
    make_lbfgs,
    make_settings,
    make_training_state,
)
from skconvnet.estimators._fitted_network import FittedNetwork
from skconvnet.estimators._hyperparameters import TrainingParams, plain_params
from skconvnet.estimators._input_validation import check_weights, check_X_and_y
from skconvnet.estimators._layer_factors import alpha_factors, check_no_rate_factors
from skconvnet.estimators._map_sizes import in_any_size
from skconvnet.estimators._padded_steps import leave_out_padding
from skconvnet.estimators._position_weights import CheckedY
from skconvnet.estimators._resume import Checkpointed
from skconvnet.estimators._split_errors import explained_split
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._training_warnings import warn_of_clipped_batch_size
from skconvnet.estimators._units import warn_of_other_unit
from skconvnet.estimators._validation_set import (
    UserScorer,
    ValidationData,
    ValidationSet,
    about_validation_data,
    split_samples,
)
from skconvnet.estimators._versions import make_means
from skconvnet.optimizers.lbfgs import STOPPED
from skconvnet.training.events import TrainingObserver
from skconvnet.training.lbfgs import minimize_lbfgs
from skconvnet.training.loop import train
from skconvnet.training.progress import EpochBar, EpochTable
from skconvnet.training.state import History, TrainingState

_T = TypeVar("_T", bound=Targets)


@dataclass(frozen=True)
class FitRun:
    """A call of `fit` or of `partial_fit`.

    Attributes
    ----------
    validation : ValidationData
    incremental : bool
        Whether it is `partial_fit`, which trains for one epoch.
    callbacks : FitCallbacks or None
    checkpoint : Checkpointed or None
        Where training goes on, if not at its beginning.
    """

    validation: ValidationData
    incremental: bool = False
    callbacks: FitCallbacks | None = None
    checkpoint: Checkpointed | None = None

    def begin_training(
        self,
        rng: np.random.RandomState,
        encoder: Targets,
        find_given: Callable[[], dict[str, object]],
    ) -> np.random.RandomState:
        """Return the generator to go on with, when the network has been built.

        `find_given` finds out what `fit` was given, which takes a while.
        """
        if self.checkpoint is not None:
            self.checkpoint.check_given(find_given())
            rng = self.checkpoint.make_rng()
        if self.callbacks is not None:
            self.callbacks.note_begin(rng, encoder, find_given)
        return rng

    def observers(self) -> tuple[TrainingObserver, ...]:
        """Return what calls the callbacks, if there are any."""
        return () if self.callbacks is None else self.callbacks.observers


@dataclass(kw_only=True, eq=False, repr=False)
class TrainedNetwork(FittedNetwork[_T], Generic[_T]):
    """Trains the network that an estimator has built."""

    if TYPE_CHECKING:  # not hyperparameters, which fields are at run time
        _history: History = field(init=False)
        _state: TrainingState | None = field(init=False)

    # Whether verbose=True prints scikit-learn's text.
    _prints_like_sklearn: ClassVar[bool] = False

    def _train(
        self,
        executor: Executor,
        samples: Samples,
        y: CheckedY,
        params: TrainingParams,
        rng: np.random.RandomState,
        run: FitRun,
        *,
        keep: Collection[str] | None,
    ) -> tuple[Samples, TrainingState]:
        """Train by minibatches; return the samples of training, and its state.

        Statistics of the training set are computed, except those named in `keep`, or
        none if it is None.
        """
        samples, validate = self._hold_out(
            executor, samples, y, run.validation, rng, incremental=run.incremental
        )
        if keep is not None:
            fit_input_statistics(self.network_, samples, keep=keep)
        snapshot = None if run.checkpoint is None else run.checkpoint.training
        if snapshot is not None:
            self._state, self._history = snapshot.state, snapshot.state.history
        state = self._training_state(params, run)
        # What "auto" stands for may be clipped without a word.
        warn_of_clipped_batch_size(plain_params(self), len(samples))
        settings = make_settings(
            params,
            self.network_,
            len(samples),
            incremental=run.incremental,
            prints_like_sklearn=self._prints_like_sklearn and not self._shows_bar(),
        )
        train(
            executor,
            samples,
            state,
            settings,
            rng,
            validate=validate,
            observers=(*self._printers(len(samples)), *run.observers()),
            resume=snapshot,
        )
        self._publish(state.history, n_epochs=state.n_epochs, stopped=state.stopped)
        self._is_incremental = run.incremental
        return samples, state

    def _search(
        self,
        executor: Executor,
        samples: Samples,
        params: TrainingParams,
        run: FitRun,
        *,
        keep: Collection[str] | None,
    ) -> KeyboardInterrupt | None:
        """Train by L-BFGS; return the interrupt by which the user ended it, if any."""
        check_no_rate_factors(params)
        if keep is not None:
            fit_input_statistics(self.network_, samples, keep=keep)
        result = minimize_lbfgs(
            executor,
            samples,
            solver=make_lbfgs(params),
            alpha=params.alpha,
            l1_ratio=params.l1_ratio,
            alpha_factors=alpha_factors(params, self.network_),
            max_iter=params.max_iter,
            tol=params.tol,
            on_iteration=None if run.callbacks is None else run.callbacks.on_iteration,
        )
        return self._publish_search(result)

    def _hold_out(
        self,
        executor: Executor,
        samples: Samples,
        y: CheckedY,
        validation: ValidationData,
        rng: np.random.RandomState,
        *,
        incremental: bool,
    ) -> tuple[Samples, ValidationSet | None]:
        """Return the training samples, and the validation set, if any."""
        if validation.is_given:
            held_out, y = self._check_validation(validation)
        elif not self.early_stopping:
            return samples, None
        elif incremental:
            raise ValueError(
                "partial_fit does not support early_stopping=True unless X_val and "
                "y_val are given."
            )
        else:
            fraction, stratify = self.validation_fraction, self._targets.can_stratify
            owner = type(self).__name__
            with explained_split(y, fraction, owner, stratify=stratify):
                samples, held_out = split_samples(
                    samples, rng, fraction, stratify=stratify
                )
        scorer = None
        if self.scoring not in (None, "loss"):
            scorer = UserScorer(self, self.scoring, held_out, y)
        return samples, ValidationSet(
            executor,
            held_out,
            self._targets,
            self._loss,
            negative_loss=self.scoring == "loss",
            scorer=scorer,
            means=make_means(self, held_out.inputs),
        )

    def _check_validation(self, validation: ValidationData) -> tuple[Samples, CheckedY]:
        with about_validation_data():
            X, y = check_X_and_y(
                self,
                validation.X,
                validation.y,
                reset=False,
                suffix="_val",
                **self._input_checks,
            )
        X = in_any_size(self, X)
        self._check_shape(X, "X_val")
        form, name = self._targets.form, "sample_weight_val"
        weights = check_weights(validation.sample_weight, X, y, form, name)
        y, weights = leave_out_padding(self, X, y, weights)
        targets = self._encode(y, exact=False)
        samples = self._make_samples(X, targets, weights, suffix="_val")
        warn_of_other_unit(self, samples.inputs)
        return samples, y

    def _printers(self, n_samples: int) -> tuple[TrainingObserver, ...]:
        """Return what shows the progress of training, besides scikit-learn's text."""
        if self._shows_bar():
            return (EpochBar(type(self).__name__),)
        if self.verbose and not self._prints_like_sklearn:
            return (EpochTable(n_samples),)
        return ()

    def _shows_bar(self) -> bool:
        # scikit-learn's perceptrons print their text for any number.
        asks = self.verbose == 2 or (self.verbose > 2 and not self._prints_like_sklearn)
        return asks and EpochBar.is_available()

    def _training_state(self, params: TrainingParams, run: FitRun) -> TrainingState:
        """Return the state that training continues from, or a new one.

        The history is always the present one.
        """
        if self._state is None or not (run.incremental or run.checkpoint):
            n_weights = self.network_.vector.size
            self._state = make_training_state(params, self._history, n_weights)
        elif run.incremental:
            follow_changes(self._state, params, self.network_)
            warn_of_completed_schedule(params, self._state.schedule)
        self._state.history = self._history
        return self._state

    def _publish(self, history: History, *, n_epochs: int, stopped: bool) -> None:
        """Set the public attributes that describe the course of training."""
        self.n_iter_ = n_epochs
        self.t_ = history.n_seen
        self.loss_curve_ = history.loss_curve
        self.learning_rate_curve_ = history.learning_rate_curve
        self.loss_ = history.loss_curve[-1] if history.loss_curve else np.inf
        self.best_loss_ = history.best_loss
        self.validation_scores_ = history.validation_scores
        self.best_validation_score_ = history.best_validation_score
        self.validation_loss_curve_ = history.validation_loss_curve
        self.stopped_ = stopped

    def _publish_search(self, result: OptimizeResult) -> KeyboardInterrupt | None:
        """Set the public attributes that describe a search by L-BFGS."""
        interrupt: KeyboardInterrupt | None = result.get("interrupt")
        self.loss_ = float(result.fun)
        if interrupt is None and result.get("status") != STOPPED:
            self.n_iter_ = _check_optimize_result("lbfgs", result, self.max_iter)
        else:
            self.n_iter_ = result.nit
        return interrupt
