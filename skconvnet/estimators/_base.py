"""The base class of all estimators: from X and y to a trained network."""

from __future__ import annotations

import copy
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from math import prod
from os import PathLike
from typing import ClassVar, Generic, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
from sklearn.base import _fit_context
from sklearn.utils import check_random_state

from skconvnet._typing import Rows
from skconvnet.engine.blas_threads import single_threaded_blas
from skconvnet.engine.input_statistics import fit_input_statistics
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.engine.map_targets import MapTargets
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._arguments import explains_arguments
from skconvnet.estimators._callbacks import CallbackSupportMixin, FitCallbacks
from skconvnet.estimators._factories import (
    is_stochastic,
    make_training_executor,
    n_copies_of_weights,
)
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
from skconvnet.estimators._padded_steps import leave_out_padding
from skconvnet.estimators._position_weights import (
    CheckedY,
    PositionWeights,
    are_maps,
)
from skconvnet.estimators._reading import (
    tell_reading,
    tell_size_of_guess,
)
from skconvnet.estimators._resume import load_checkpoint, what_fit_was_given
from skconvnet.estimators._sample_shape import resolve_dtype
from skconvnet.estimators._size_errors import check_sizes, no_output_explained
from skconvnet.estimators._starting_weights import start_from, warn_of_frozen_start
from skconvnet.estimators._targets import Targets
from skconvnet.estimators._trained_network import FitRun, TrainedNetwork
from skconvnet.estimators._training_warnings import (
    warn_of_end,
)
from skconvnet.estimators._units import look_at_values
from skconvnet.estimators._validation_set import (
    ValidationData,
)
from skconvnet.estimators._versions import make_means
from skconvnet.losses import Loss
from skconvnet.training.state import History

_T = TypeVar("_T", bound=Targets)


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkEstimator(CallbackSupportMixin, TrainedNetwork[_T], Generic[_T]):
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
        resume_from: str | PathLike[str] | None = None,
    ) -> Self:
        """Fit the network to X and y.

        Each call draws new weights, unless `warm_start` is set, or `set_weights` was
        called since the last training: then this call starts from the weights as they
        are.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            The training samples: rows, images, sequences or volumes, a list of such
            samples of different sizes or of Pillow images, or a DataFrame of series,
            see `skconvnet.series`. uint8 images and memory maps are converted one
            minibatch at a time.
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
        resume_from : str or path-like, default=None
            A file of `skconvnet.callbacks.Checkpoint`, from which fit goes on. Given
            the same parameters and data, it ends with the same bits as a fit that was
            not interrupted.

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
        # Before anything that an error undoes: scikit-learn ends what begins here.
        callbacks = FitCallbacks(self, X, y, sample_weight, validation)
        callbacks.begin()
        with unchanged_on_error(self):
            checkpoint = load_checkpoint(self, resume_from)
            run = FitRun(validation, callbacks=callbacks, checkpoint=checkpoint)
            interrupt = self._fit(X, y, sample_weight, run)
            callbacks.end()
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
            labels, _ = leave_out_padding(self, maps, labels, None, is_new=True)
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
        run: FitRun,
        *,
        targets: _T | None = None,
    ) -> KeyboardInterrupt | None:
        """Check the input, build or resume the network, and train it.

        `targets` are given if the classes are known, so that they need not be learned
        from y. If the user interrupts the training, the interrupt is returned, and the
        estimator has its model so far.
        """
        self.__dict__.pop("_checkpointed", None)  # of a checkpoint that was loaded
        incremental, checkpoint = run.incremental, run.checkpoint
        is_known = hasattr(self, "network_") and checkpoint is None
        resume = is_known and (self.warm_start or incremental)
        names_set = vars(self).get("_names_set") if is_known else None
        maps, labels = check_X_and_y(self, X, y, reset=not resume, **self._input_checks)
        if not resume:
            self._targets = self._targets_for(maps, labels, targets)
        if checkpoint is not None:
            self._targets = cast(_T, copy.deepcopy(checkpoint.encoder))
        weights = check_weights(sample_weight, maps, labels, self._targets.form)
        labels, weights = leave_out_padding(
            self, maps, labels, weights, is_new=not resume
        )
        encode = partial(self._encode, labels, exact=not incremental)
        encoded = encode() if checkpoint is None else checkpoint.encode(encode)
        weights = self._class_weights(labels, weights, incremental=incremental)

        params = self._training_params(len(encoded), incremental=incremental)
        rng = check_random_state(self.random_state)
        if resume:
            maps = in_any_size(self, maps)
            self._check_shape(maps)
            self._resume()
        else:
            previous = None if names_set is None else self.network_
            copies = n_copies_of_weights(params)
            self._build(maps, encoded.shape[1], rng, n_copies=copies)
            if checkpoint is None:
                self._learn_scale(encoded, weights)
            if previous is not None:
                start_from(self.network_, previous)
            elif checkpoint is None:
                warn_of_frozen_start(self.network_)
        find_given = partial(
            what_fit_was_given, self, maps, encoded, weights, run.validation
        )
        rng = run.begin_training(rng, self._targets, find_given)

        samples = self._make_samples(maps, encoded, weights)
        make_means(self, samples.inputs)  # for errors before the training
        self._usual_values = look_at_values(self, samples, resume=resume)
        # Statistics of the training set that are computed once, except those set.
        keep = None if resume else names_set or ()
        augmentation = getattr(self, "augmentation", None)
        with (
            HeldInterrupts(),
            finite_weights(self.network_),
            make_training_executor(
                self.network_, self._loss, samples, params, augmentation
            ) as executor,
            ReleasedInterrupts(),
        ):
            if not is_stochastic(self.solver):
                return self._search(executor, samples, params, run, keep=keep)
            samples, state = self._train(
                executor, samples, labels, params, rng, run, keep=keep
            )

        interrupt = state.take_interrupt()
        is_complete = interrupt is None and not incremental
        if is_complete:
            warn_of_end(params, state)
        warn_of_losses(
            self,
            samples,
            state,
            is_new=not resume and names_set is None,
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
                resolve_dtype(self.dtype, X, self._input_checks.get("dtype")),
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
        self._state = None
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
        if self.network_.layout.shapes != old.layout.shapes:
            # Other layers are frozen: moments of the optimizer, averages and the best
            # weights so far are vectors of the weights that were trained before.
            self._state = None
            self._history.forget_best_weights()
