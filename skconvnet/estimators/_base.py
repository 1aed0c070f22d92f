"""What all estimators share: from X and y to a trained network and its outputs."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.optimize import _check_optimize_result
from sklearn.utils.validation import _check_sample_weight

from skconvnet.augmentation.base import Augmenter
from skconvnet.engine.blas_threads import resolve_n_threads, single_threaded_blas
from skconvnet.engine.executor import Executor
from skconvnet.engine.input_statistics import fit_input_statistics
from skconvnet.engine.inputs import Samples
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.estimators._input_validation import check_same_shape, check_X
from skconvnet.estimators._network_builder import BuiltEstimator
from skconvnet.estimators._validation_set import Validation
from skconvnet.training.averaging import Average
from skconvnet.training.lbfgs import minimize_lbfgs
from skconvnet.training.loop import train
from skconvnet.training.state import TrainingState
from skconvnet.training.stopping import TrainingDivergedError


def stochastic_only(estimator: TrainingParams) -> bool:
    """Say that partial_fit is there, or raise an AttributeError that says why not."""
    if not estimator._is_stochastic:
        raise AttributeError(
            "partial_fit is only available for stochastic optimizers. "
            f"{estimator.solver} is not stochastic."
        )
    return True


@dataclass(kw_only=True, eq=False, repr=False)
class NetworkEstimator(BuiltEstimator, ABC):
    """Fits a network to X and y.

    Subclasses say what y is (`_encode_y`, `_score_outputs`).
    """

    @abstractmethod
    def _encode_y(self, y: Any, *, reset: bool, incremental: bool) -> np.ndarray:
        """Return the targets, of shape (n_samples, n_outputs)."""

    @abstractmethod
    def _score_outputs(
        self, targets: np.ndarray, scores: np.ndarray, weights: np.ndarray | None
    ) -> float:
        """Return accuracy or R^2 of raw `scores`, for early stopping."""

    def _adjust_weights(
        self, y: Any, weights: np.ndarray | None, incremental: bool
    ) -> np.ndarray | None:
        """Return the sample weights with those of the classes multiplied in."""
        return weights

    def _make_augmenter(self, samples: Samples) -> Augmenter | None:
        """Return what changes the samples that are trained on, if anything does."""
        return None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Any:
        """Fit the network to X and y.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ..., channels)
            Rows, or images with the channels last. uint8 images and memory maps are
            converted one minibatch at a time.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Class labels, or real numbers.
        sample_weight : array-like of shape (n_samples,), default=None
        X_val, y_val, sample_weight_val : array-like, default=None
            A validation set of your own. It is scored after each epoch, and used by
            ``early_stopping=True`` in place of a part of X.

        Returns
        -------
        self : object
            The fitted estimator. If fit raises, it is left as it was.

        Raises
        ------
        ValueError
            For input that cannot be used, or if training diverges: the loss or a
            weight turns NaN or infinite. Under early stopping a RuntimeWarning says so
            instead, and the weights of the best score are kept, if there are any.
        """
        with unchanged_on_error(self):
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    @_fit_context(prefer_skip_nested_validation=True)
    def initialize(self, X: Any, y: Any) -> Any:
        """Build the network without training it.

        The weights are exactly those that `fit` would start from with the same
        `random_state`.

        Parameters
        ----------
        X, y : array-like
            As in `fit`; their shapes and the classes of y decide the network.

        Returns
        -------
        self : object
        """
        with unchanged_on_error(self):
            X, y = check_X(self, X, y=y, reset=True, **self._input_checks)
            targets = self._encode_y(y, reset=True, incremental=False)
            rng = check_random_state(self.random_state)
            self._start(X, targets, rng)
            with single_threaded_blas:
                fit_input_statistics(self.network_, self._samples(X, targets, None))
            return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any],
        incremental: bool = False,
    ) -> Any:
        resume = hasattr(self, "network_") and (self.warm_start or incremental)
        X, y = check_X(self, X, y=y, reset=not resume, **self._input_checks)
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, X, ensure_non_negative=True)
        targets = self._encode_y(y, reset=not resume, incremental=incremental)
        weights = self._adjust_weights(y, weights, incremental)
        rng = check_random_state(self.random_state)
        if resume:
            check_same_shape(self, X, self.network_.in_shape)
            self._resume()
        else:
            self._start(X, targets, rng)
        samples = self._samples(X, targets, weights)
        n_threads = resolve_n_threads(self.n_jobs)
        augmenter = self._make_augmenter(samples)
        loss = self._loss
        if augmenter is not None and augmenter.mixes_targets:
            loss = loss.for_mixtures()
        with Executor(self.network_, loss, n_threads, augmenter) as engine:
            if self._is_stochastic:
                held_out = self._held_out(samples, y, validation, rng, incremental)
                validate = None
                if held_out is not None:
                    samples, *rest = held_out
                    validate = Validation(self, engine, *rest)
                if not resume:
                    fit_input_statistics(self.network_, samples)
                self._fit_stochastic(engine, samples, validate, rng, incremental)
            else:
                if not resume:
                    fit_input_statistics(self.network_, samples)
                self._fit_lbfgs(engine, samples)
        if not np.isfinite(self.network_.vector).all():
            raise ValueError(_NON_FINITE)
        return self

    def _held_out(
        self,
        samples: Samples,
        y: Any,
        validation: tuple[Any, Any, Any],
        rng: np.random.RandomState,
        incremental: bool,
    ) -> tuple[Samples, Samples, Any] | None:
        """Return training samples, validation samples and the y of the latter."""
        if validation[0] is not None or validation[1] is not None:
            return samples, *self._check_validation(validation)
        if not self.early_stopping:
            return None
        if incremental:
            raise ValueError(
                "partial_fit does not support early_stopping=True unless X_val and "
                "y_val are given."
            )
        return *self._split(samples, rng), y

    def _check_validation(
        self, validation: tuple[Any, Any, Any]
    ) -> tuple[Samples, Any]:
        X, y, weights = validation
        if X is None or y is None:
            missing = "X_val" if X is None else "y_val"
            raise ValueError(f"{missing}=None: X_val and y_val must be given together.")
        X, y = check_X(self, X, y=y, reset=False, **self._input_checks)
        check_same_shape(self, X, self.network_.in_shape)
        targets = self._encode_y(y, reset=False, incremental=True)
        if weights is not None:
            weights = _check_sample_weight(weights, X, ensure_non_negative=True)
        return self._samples(X, targets, weights), y

    def _fit_stochastic(
        self,
        engine: Executor,
        samples: Samples,
        validate: Validation | None,
        rng: np.random.RandomState,
        incremental: bool,
    ) -> None:
        if self._optimizer is None or not incremental:
            optimizer = self._make_optimizer()
            average = self._make_average(optimizer, self.network_.vector.size)
            self._optimizer = TrainingState(optimizer, self._make_schedule(), average)
        state = self._optimizer
        state.history = self._history
        size = 0 if isinstance(self.batch_size, str) else self.batch_size
        if size > len(samples) and self.batch_mode == "mbgd":
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going "
                "to be clipped",
                stacklevel=5,
            )
        settings = self._make_settings(len(samples), incremental)
        history = self._history
        try:
            train(engine, samples, state, settings, rng, validate=validate)
        except TrainingDivergedError as error:
            raise ValueError(f"{_NON_FINITE} {error}") from error
        self.n_iter_, stopped = state.n_epochs, state.stopped
        if stopped and not incremental:
            self._warn_of_no_average(state.average)
        # A schedule that was run to its end has trained for as long as it was meant to.
        if not stopped and not incremental and not state.schedule.is_complete:
            warnings.warn(
                f"Stochastic Optimizer: Maximum iterations ({self.max_iter}) reached "
                "and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=5,
            )
        self._is_incremental = incremental
        self.t_ = history.n_seen
        self.loss_curve_ = history.loss_curve
        self.learning_rate_curve_ = history.learning_rate_curve
        self.loss_ = history.loss_curve[-1] if history.loss_curve else np.inf
        self.best_loss_ = history.best_loss
        self.validation_scores_ = history.validation_scores
        self.best_validation_score_ = history.best_validation_score
        self.validation_loss_curve_ = history.validation_loss_curve
        self.stopped_ = stopped

    def _warn_of_no_average(self, average: Average | None) -> None:
        if average is not None and not average.has_begun:
            warnings.warn(
                f"averaging={self.averaging!r} had no effect: training ended after "
                f"{self.n_iter_} epochs, before the last quarter of max_iter="
                f"{self.max_iter}. Lower max_iter, or set n_iter_no_change=np.inf.",
                UserWarning,
                stacklevel=6,
            )

    def _split(
        self, samples: Samples, rng: np.random.RandomState
    ) -> tuple[Samples, Samples]:
        """Set aside `validation_fraction` of the samples, by index."""
        targets = samples.targets
        stratify = targets.astype(bool) if self._stratifies else None
        training, validation = train_test_split(
            np.arange(len(samples)),
            random_state=rng,
            test_size=self.validation_fraction,
            stratify=stratify,
        )
        if len(validation) < 2:
            raise ValueError(
                "The validation set is too small. Increase 'validation_fraction' or "
                "the size of your dataset."
            )
        return (
            Samples(samples.inputs, targets, samples.weights, training),
            Samples(samples.inputs, targets, samples.weights, validation),
        )

    @property
    def _stratifies(self) -> bool:
        return False

    def _fit_lbfgs(self, engine: Executor, samples: Samples) -> None:
        try:
            result = minimize_lbfgs(
                engine,
                samples,
                alpha=self.alpha,
                max_iter=self.max_iter,
                tol=self.tol,
                solver=self._make_lbfgs(),
                l1_ratio=self.l1_ratio,
            )
        except TrainingDivergedError as error:
            raise ValueError(f"{_NON_FINITE} {error}") from error
        self.n_iter_ = _check_optimize_result("lbfgs", result, self.max_iter)
        self.loss_ = float(result.fun)


_NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large "
    "values and need to be preprocessed."
)


@contextmanager
def unchanged_on_error(estimator: Any) -> Iterator[None]:
    """Put back every attribute of `estimator` if the block raises."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise
