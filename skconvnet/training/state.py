"""The state and the settings of training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from skconvnet._typing import FlatVector
from skconvnet.augmentation.origin import Epoch
from skconvnet.optimizers import Optimizer
from skconvnet.schedules import Schedule
from skconvnet.training.averaging import Average
from skconvnet.training.regularization import Regularizer

# Samples whose mean loss is the first loss of a training: many, so that outliers among
# them count little, unless the mean of the very first, before many updates, is less.
N_FIRST = 100
N_VERY_FIRST = 8


@dataclass
class Settings:
    """Hyperparameters of the training loop, with names as in scikit-learn.

    Attributes
    ----------
    max_iter : int
        Largest number of epochs.
    batch_size : int
        Number of samples of an update.
    shuffle : bool
        Whether each epoch draws a new order of the samples.
    alpha : float
        Strength of the penalty on kernels, before it is divided by the sum of the
        sample weights of an update.
    tol : float
        An epoch has stalled if it improves by less than this.
    n_iter_no_change : float
        Training ends if more than this number of epochs in a row have stalled.
    max_grad_norm : float or None
        Bound on the Euclidean norm of the gradient.
    early_stopping : bool
        Whether epochs are judged by the validation score rather than by the loss, and
        training ends with the weights of the best epoch.
    verbose : bool
        Whether to print each epoch.
    incremental : bool
        Whether a later call continues where this one ends. With early stopping, the
        best weights are then restored only when training has stopped.
    l1_ratio : float
        Share of the L1 part in the penalty.
    max_grad_value : float or None
        Bound on the absolute value of each element of the gradient.
    rate_factors, alpha_factors : mapping of str to float
        Factors of the learning rate, and of `alpha` and of the weight decay, by the
        names of arrays such as ``"conv1/kernel"``. Those that are left out have a
        factor of 1.
    warns_of_interrupt : bool
        Whether training warns that the user interrupted it. Otherwise the caller looks
        at the `interrupt` of the state.
    """

    max_iter: int
    batch_size: int
    shuffle: bool
    alpha: float
    tol: float
    n_iter_no_change: float
    max_grad_norm: float | None
    early_stopping: bool
    verbose: bool
    incremental: bool = False
    l1_ratio: float = 0.0
    max_grad_value: float | None = None
    rate_factors: Mapping[str, float] = field(default_factory=dict)
    alpha_factors: Mapping[str, float] = field(default_factory=dict)
    warns_of_interrupt: bool = True


@dataclass
class History:
    """What is known of training so far, which a later call may continue.

    Attributes
    ----------
    loss_curve : list of float
        Mean training loss of each epoch.
    best_loss : float or None
        Of the epochs that can be compared, infinite before the first of them. None with
        early stopping.
    validation_scores : list of float or None
    best_validation_score : float or None
    validation_loss_curve : list of float or None
        None without a validation set.
    best_weights : ndarray or None
        Weights and buffers of the epoch with the best validation score. They are kept
        from call to call of an incremental training with early stopping.
    learning_rate_curve : list of float
        Learning rate of the last update of each epoch.
    n_seen : int
        Number of training samples seen in all epochs.
    n_stalled : int
        Number of stalled epochs in a row.
    n_comparable : int
        Number of epochs up to the last one whose losses can be compared with each
        other and with those to come. 0 while samples are smaller than they will be.
    augmentation_seed : int or None
        Seed of what augmentation draws once for all epochs. None if it draws nothing,
        or before the first epoch.
    """

    loss_curve: list[float] = field(default_factory=list)
    best_loss: float | None = np.inf
    validation_scores: list[float] | None = None
    best_validation_score: float | None = None
    validation_loss_curve: list[float] | None = None
    best_weights: FlatVector | None = None
    learning_rate_curve: list[float] = field(default_factory=list)
    n_seen: int = 0
    n_stalled: int = 0
    n_comparable: int = 0
    augmentation_seed: int | None = None

    @classmethod
    def with_early_stopping(cls) -> History:
        """Return the history that a training with early stopping starts from."""
        return cls(
            best_loss=None,
            validation_scores=[],
            best_validation_score=-np.inf,
            validation_loss_curve=[],
        )

    def forget_best_weights(self) -> None:
        """Begin anew to look for the best epoch, if its weights are kept."""
        if self.best_weights is not None:
            self.best_weights, self.best_validation_score = None, -np.inf

    def add_epoch(
        self,
        loss: float,
        rate: float,
        n_samples: int,
        validation: tuple[float, float] | None = None,
        *,
        is_comparable: bool = True,
    ) -> None:
        """Record an epoch of training, and its validation score and loss if any."""
        self.n_seen += n_samples
        self.n_comparable = self.n_comparable + 1 if is_comparable else 0
        self.loss_curve.append(loss)
        self.learning_rate_curve.append(rate)
        if validation is not None:
            self._add_validation(*validation)

    def _add_validation(self, score: float, loss: float) -> None:
        if self.validation_scores is None or self.best_validation_score is None:
            self.validation_scores, self.best_validation_score = [], -np.inf
        if self.validation_loss_curve is None:
            self.validation_loss_curve = []
        self.validation_scores.append(score)
        self.validation_loss_curve.append(loss)

    def next_epoch(self, rng: np.random.RandomState, n_planned: int) -> Epoch:
        """Return the epoch that is to begin; the first one draws a seed for all."""
        if self.augmentation_seed is None:
            self.augmentation_seed = int(rng.randint(2**31))
        return Epoch(len(self.loss_curve), self.augmentation_seed, n_planned)

    def latest(self) -> dict[str, float]:
        """Return the measurements of the last epoch, by the names of a `monitor`.

        There are none if it cannot be compared with later epochs.
        """
        if not self.n_comparable:
            return {}
        curves = {
            "training_loss": self.loss_curve,
            "validation_loss": self.validation_loss_curve,
            "validation_score": self.validation_scores,
        }
        return {name: curve[-1] for name, curve in curves.items() if curve}


@dataclass
class TrainingState:
    """What training changes besides the weights, and a later call continues from.

    Attributes
    ----------
    optimizer : Optimizer
    schedule : Schedule
    average : Average or None
        Average of the weights, for validation and prediction.
    regularizer : Regularizer
    history : History
    n_epochs : int
        Number of epochs of the last call, including one that was interrupted.
    stopped : bool
        Whether the last call ended before its last epoch.
    first_losses : list of (float, int)
        Loss of the first minibatches, without the penalty, and their lengths: of as
        many as have `N_FIRST` samples together, or all of the first epoch.
    interrupt : KeyboardInterrupt or None
        The interrupt by which the user ended the last call, until it is taken.
    """

    optimizer: Optimizer
    schedule: Schedule
    average: Average | None = None
    regularizer: Regularizer = field(default_factory=Regularizer)
    history: History = field(default_factory=History)
    n_epochs: int = 0
    stopped: bool = False
    first_losses: list[tuple[float, int]] = field(default_factory=list)
    interrupt: KeyboardInterrupt | None = None
    _n_noted: int = field(default=0, init=False)

    @property
    def first_loss(self) -> float | None:
        """The mean loss of the first samples, without the penalty, or None."""
        if not self.first_losses:
            return None
        losses, lengths = map(np.asarray, zip(*self.first_losses, strict=True))
        n = 1 + np.searchsorted(np.cumsum(lengths), N_VERY_FIRST)
        very_first = np.average(losses[:n], weights=lengths[:n])
        return float(np.fmin(very_first, np.average(losses, weights=lengths)))

    def note_loss(self, loss: float, n_samples: int) -> None:
        """Take note of the loss of a minibatch if it is one of the first."""
        if self.n_epochs == 1 and self._n_noted < N_FIRST:
            self.first_losses.append((loss, n_samples))
            self._n_noted += n_samples

    def begin(self, weights: FlatVector) -> None:
        """Begin a call of the loop, given the weights and buffers of the network."""
        self.n_epochs, self.stopped, self.interrupt = 0, False, None
        if self.average is not None:
            self.average.begin(weights)

    @contextmanager
    def averaged(self, weights: FlatVector) -> Iterator[None]:
        """Replace `weights` with the average, if there is one, inside a context."""
        if self.average is None:
            yield
            return
        with self.average.shown(weights):
            yield

    def take_interrupt(self) -> KeyboardInterrupt | None:
        """Return `interrupt`, and forget it: its traceback refers to the data."""
        interrupt, self.interrupt = self.interrupt, None
        return interrupt

    def end(self, weights: FlatVector) -> None:
        """End a call of the loop: give the network the average, if there is one."""
        if self.average is not None:
            self.average.end(weights)
