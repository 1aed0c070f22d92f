"""The base class of all estimators: from X and y to a trained network."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Generic, Self, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.optimize import OptimizeResult
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils.optimize import _check_optimize_result

from skconvnet._typing import Rows
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.executor import Executor
from skconvnet.engine.input_statistics import fit_input_statistics
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._factories import (
    is_stochastic,
    make_lbfgs,
    make_settings,
    make_training_executor,
    make_training_state,
    n_copies_of_weights,
)
from skconvnet.estimators._fitted_network import FittedNetwork
from skconvnet.estimators._guards import finite_weights, unchanged_on_error
from skconvnet.estimators._hyperparameters import TrainingParams, plain_params
from skconvnet.estimators._input_validation import (
    CheckedX,
    check_weights,
    check_X_and_y,
)
from skconvnet.estimators._interrupts import end_interrupted_fit
from skconvnet.estimators._loss_warnings import warn_of_losses
from skconvnet.estimators._map_form import MapForm
from skconvnet.estimators._map_sizes import in_any_size
from skconvnet.estimators._network_builder import (
    build_network,
    build_stack,
    rebuild_network,
)
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_maps,
)
from skconvnet.estimators._reading import (
    tell_reading,
    tell_size_of_guess,
)
from skconvnet.estimators._sample_shape import (
    resolve_dtype,
)
from skconvnet.estimators._size_errors import check_sizes, no_output_explained
from skconvnet.estimators._split_errors import explained_split
from skconvnet.estimators._starting_weights import start_from
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._training_warnings import (
    warn_of_clipped_batch_size,
    warn_of_end,
)
from skconvnet.estimators._units import look_at_values, warn_of_other_unit
from skconvnet.estimators._validation_set import (
    UserScorer,
    ValidationData,
    ValidationSet,
    split_samples,
)
from skconvnet.losses import Loss
from skconvnet.training.lbfgs import minimize_lbfgs
from skconvnet.training.loop import train
from skconvnet.training.state import History, TrainingState

_T = TypeVar("_T", bound=Targets)


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkEstimator(FittedNetwork[_T], Generic[_T]):
    """Base class of the estimators, which fits a network to X and y.

    Subclasses define its layers (`_hidden_layers`, `_spatial_ndim_of`), how y is
    encoded (`_make_targets`) and its loss (`_make_loss`).
    """

    # Whether to warn of values of X, and of losses, that look unintended.
    _warns_of_values: ClassVar[bool] = True

    @abstractmethod
    def _make_targets(self) -> _T:
        """Return an encoder of y, which learns the kind of y from the first one."""

    def _targets_for(self, X: CheckedX, y: CheckedY, targets: _T | None = None) -> _T:
        """Return an encoder of this y: `targets`, or a new one.

        If y has targets for positions, the encoder is told how they are laid out.
        """
        own = targets or self._make_targets()
        if are_maps(y):
            in_shape = self._shape_of_samples(X)
            layers = self._hidden_layers(in_shape, is_guessed=False)
            with no_output_explained(self, X, layers, in_shape):
                stack = build_stack(layers, in_shape)
            own.form = MapForm.of(y, stack.out_shape, next(reversed(stack.layers), "X"))
        return own

    @abstractmethod
    def _make_loss(self) -> Loss:
        """Return the loss for the targets that were last encoded."""

    @explains_arguments
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
        sample_weight_val: npt.ArrayLike | None = None,
    ) -> Self:
        """Fit the network to X and y.

        Each call draws new weights, unless `warm_start` is set, or `set_weights` was
        called since the last training: then this call starts from the weights as they
        are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The training samples: rows, images, sequences or volumes, or a list of
            Pillow images. uint8 images and memory maps are converted one minibatch at a
            time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target values: class labels in classification, real numbers in
            regression. Targets of positions have shape (n_samples, *spatial).
        sample_weight : array-like of shape (n_samples,), default=None
            The sample weights, of shape (n_samples, *spatial) if targets of positions
            differ in weight. None means that all samples have the same weight.
            Weights whose mean is beyond about 1e12 or 1e-12 in float32 (1e102 or 1e-102
            in float64) are divided by their mean.
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set, which is scored after each epoch. With
            ``early_stopping=True``, it replaces the set that is split off from X.

        Returns
        -------
        self : object
            The fitted estimator. If fit raises an error, it is left unchanged. If the
            user interrupts fit, it has the model so far, with a warning; within a
            search or another call of scikit-learn or joblib, the KeyboardInterrupt is
            then raised again.

        Raises
        ------
        ValueError
            If the input is invalid, or if training diverges, which means that the loss
            or a weight becomes NaN or infinite. If early stopping has already found
            weights to keep, these are restored with a RuntimeWarning instead.
        """
        validation = ValidationData(X_val, y_val, sample_weight_val)
        with unchanged_on_error(self):
            interrupt = self._fit(X, y, sample_weight, validation)
        end_interrupted_fit(interrupt)
        return self

    @explains_arguments
    @_fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Build the network without training it.

        The weights are exactly those that `fit` would start from with the same
        `random_state`. If `set_weights` changes some of them, the next `fit` starts
        from all weights as they then are.

        Parameters
        ----------
        X, y : array-like
            As in `fit`. Their shapes and the classes in y determine the network.

        Returns
        -------
        self : object
            The estimator with its initial weights.
        """
        with unchanged_on_error(self):
            maps, labels = check_X_and_y(self, X, y, reset=True, **self._input_checks)
            self._targets = self._targets_for(maps, labels)
            targets = self._encode(labels, exact=True)
            self._build(maps, targets.shape[1], check_random_state(self.random_state))
            self._learn_scale(targets, None)
            with HeldInterrupts(), single_threaded_blas.limited(), ReleasedInterrupts():
                samples = self._make_samples(maps, targets, None)
                samples.inputs.check()
                fit_input_statistics(self.network_, samples)
            return self

    def _fit(
        self,
        X: object,
        y: object,
        sample_weight: object,
        validation: ValidationData,
        *,
        incremental: bool = False,
        targets: _T | None = None,
    ) -> KeyboardInterrupt | None:
        """Check the input, build or resume the network, and train it.

        If `incremental`, train for one epoch. `targets` are given if the classes are
        known, so that they need not be learned from y. If the user interrupts the
        training, the interrupt is returned, and the estimator has its model so far.
        """
        resume = hasattr(self, "network_") and (self.warm_start or incremental)
        names_set: frozenset[str] | None = vars(self).get("_names_set")
        maps, labels = check_X_and_y(self, X, y, reset=not resume, **self._input_checks)
        if not resume:
            self._targets = self._targets_for(maps, labels, targets)
        weights = check_weights(sample_weight, maps, labels, self._targets.form)
        encoded = self._encode(labels, exact=not incremental)
        weights = self._class_weights(labels, weights, incremental=incremental)

        params = self._training_params(len(encoded), incremental=incremental)
        stochastic = is_stochastic(self.solver)
        rng = check_random_state(self.random_state)
        if resume:
            maps = in_any_size(self, maps)
            self._check_shape(maps)
            self._resume()
        else:
            previous = None if names_set is None else self.network_
            copies = n_copies_of_weights(params)
            self._build(maps, encoded.shape[1], rng, n_copies=copies)
            self._learn_scale(encoded, weights)
            if previous is not None:
                start_from(self.network_, previous)

        samples = self._make_samples(maps, encoded, weights)
        self._usual_values = look_at_values(self, samples, resume=resume)
        augmentation = getattr(self, "augmentation", None)
        with (
            HeldInterrupts(),
            finite_weights(self.network_),
            make_training_executor(
                self.network_, self._loss, samples, params, augmentation
            ) as executor,
            ReleasedInterrupts(),
        ):
            if stochastic:
                samples, validate = self._hold_out(
                    executor, samples, labels, validation, rng, incremental=incremental
                )
            if not resume:
                fit_input_statistics(self.network_, samples, keep=names_set or ())
            if stochastic:
                state = self._training_state(params, incremental=incremental)
                # What "auto" stands for may be clipped without a word.
                warn_of_clipped_batch_size(plain_params(self), len(samples))
                settings = make_settings(params, len(samples), incremental=incremental)
                train(executor, samples, state, settings, rng, validate=validate)
            else:
                result = minimize_lbfgs(
                    executor,
                    samples,
                    solver=make_lbfgs(params),
                    alpha=params.alpha,
                    l1_ratio=params.l1_ratio,
                    max_iter=params.max_iter,
                    tol=params.tol,
                )

        if not stochastic:
            return self._publish_search(result)
        self._publish(state)
        self._is_incremental = incremental
        interrupt = state.take_interrupt()
        is_complete = interrupt is None and not incremental
        if is_complete:
            warn_of_end(params, state)
        warn_of_losses(
            self,
            samples,
            state,
            is_new=not resume,
            is_complete=is_complete,
            warns_of_values=self._warns_of_values,
        )
        return interrupt

    def _learn_scale(
        self, targets: Rows | MapTargets, weights: PositionWeights | None
    ) -> None:
        if not isinstance(targets, MapTargets):
            assert not isinstance(weights, MapList)
            self._targets.learn_scale(targets, weights)

    def _training_params(
        self,
        n_samples: int,  # noqa: ARG002  for subclasses
        *,
        incremental: bool,  # noqa: ARG002  for subclasses
    ) -> TrainingParams:
        """Return the hyperparameters of a training with this number of samples."""
        return plain_params(self)

    def _build(
        self,
        X: CheckedX,
        n_outputs: int,
        rng: np.random.RandomState,
        *,
        n_copies: float = 1,
    ) -> None:
        """Build the network for X and draw its first weights."""
        input_shape = getattr(self, "input_shape", None)
        in_shape = self._shape_of_samples(X)
        if self._spatial_ndim_of(X):
            tell_reading(self, X, in_shape)
        is_guessed = X.ndim == 2 and input_shape is None
        layers = self._hidden_layers(in_shape, is_guessed=is_guessed)
        with no_output_explained(self, X, layers, in_shape):
            self.network_ = build_network(
                layers,
                in_shape,
                n_outputs,
                resolve_dtype(self.dtype, X),
                getattr(self, "kernel_initializer", None),
                n_copies=n_copies,
                predicts_maps=self._targets.form is not None,
            )
        if is_guessed:
            tell_size_of_guess(self, in_shape, self.network_.vector.size)
        self.network_.initialize(rng)
        check_sizes(self, X, is_new=True)
        if X.ndim > 1:  # samples of different sizes have no number of features
            self.n_features_in_ = prod(in_shape)
        self._usual_values = None
        self._knows_row_order = X.ndim == 2 or input_shape is not None
        self.n_outputs_ = n_outputs
        built = self.network_.layers.values()
        self.n_layers_ = 1 + sum(bool(layer.weights) for layer in built)
        self._loss = self._make_loss()
        self.out_activation_ = self._loss.output
        self.n_iter_ = 0
        self.t_ = 0
        self._state: TrainingState | None = None
        self._is_incremental = False
        # The names given to set_weights since the last training; None if not called.
        self._names_set: frozenset[str] | None = None
        self._history = (
            History.with_early_stopping() if self.early_stopping else History()
        )

    def _resume(self) -> None:
        """Continue from the current weights, in copies that an error leaves intact."""
        old = self.network_
        input_shape = getattr(self, "input_shape", None)
        is_guessed = input_shape is None and len(old.in_shape) > 1
        self.network_ = rebuild_network(
            old,
            self._hidden_layers(old.in_shape, is_guessed=is_guessed),
            self.n_outputs_,
            getattr(self, "kernel_initializer", None),
            owner=type(self).__name__,
        )
        self._names_set = None
        self._loss = self._make_loss()
        self.out_activation_ = self._loss.output
        self._history, self._state = copy.deepcopy((self._history, self._state))

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
        )

    def _check_validation(self, validation: ValidationData) -> tuple[Samples, CheckedY]:
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
        targets = self._encode(y, exact=False)
        form, name = self._targets.form, "sample_weight_val"
        weights = check_weights(validation.sample_weight, X, y, form, name)
        samples = self._make_samples(X, targets, weights, suffix="_val")
        warn_of_other_unit(self, samples.inputs)
        return samples, y

    def _training_state(
        self, params: TrainingParams, *, incremental: bool
    ) -> TrainingState:
        """Return the state that training continues from, a new one unless incremental.

        The history is always the present one.
        """
        if self._state is None or not incremental:
            n_weights = self.network_.vector.size
            self._state = make_training_state(params, self._history, n_weights)
        self._state.history = self._history
        return self._state

    def _publish(self, state: TrainingState) -> None:
        """Set the public attributes that describe the course of training."""
        history = state.history
        self.n_iter_ = state.n_epochs
        self.t_ = history.n_seen
        self.loss_curve_ = history.loss_curve
        self.learning_rate_curve_ = history.learning_rate_curve
        self.loss_ = history.loss_curve[-1] if history.loss_curve else np.inf
        self.best_loss_ = history.best_loss
        self.validation_scores_ = history.validation_scores
        self.best_validation_score_ = history.best_validation_score
        self.validation_loss_curve_ = history.validation_loss_curve
        self.stopped_ = state.stopped

    def _publish_search(self, result: OptimizeResult) -> KeyboardInterrupt | None:
        """Set the public attributes that describe a search by L-BFGS."""
        interrupt: KeyboardInterrupt | None = result.get("interrupt")
        self.loss_ = float(result.fun)
        if interrupt is None:
            self.n_iter_ = _check_optimize_result("lbfgs", result, self.max_iter)
        else:
            self.n_iter_ = result.nit
        return interrupt
