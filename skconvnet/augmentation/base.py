"""The protocol of an augmentation: hyperparameters, and what changes minibatches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np

from skconvnet.augmentation.checks import check_axes
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import Params

# Samples that `augment` changes at a time.
_BLOCK = 256


class Batch(NamedTuple):
    """A part of a minibatch, batch last.

    Attributes
    ----------
    x : ndarray of shape (channels, *spatial, batch) or (features, batch)
    targets : ndarray of shape (n_outputs, batch)
    weights : ndarray of shape (batch,), or float
    """

    x: np.ndarray
    targets: np.ndarray
    weights: np.ndarray | float


class Augmenter(ABC):
    """A built augmentation, which knows the shape of a sample; threads share it.

    Parameters
    ----------
    in_shape : tuple of int
        Of one sample, channels last.

    Attributes
    ----------
    mixes_targets : bool
        Whether targets become mixtures of several samples'.
    """

    mixes_targets = False

    def __init__(self, in_shape: tuple[int, ...]) -> None:
        self.in_shape = tuple(in_shape)

    @abstractmethod
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        """Return the batch as it is trained on.

        The arrays of `batch` are not written to; those returned may be overwritten by
        the next call with the same workspace.
        """


class MapAugmenter(Augmenter):
    """An augmenter that changes maps alone."""

    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        return batch._replace(x=self.change(batch.x, rng, workspace))

    @abstractmethod
    def change(
        self, x: np.ndarray, rng: np.random.Generator, workspace: Workspace
    ) -> np.ndarray:
        """Return the changed maps, in an array of the workspace."""


def uniform(
    rng: np.random.Generator, bounds: tuple[float, float], batch: int
) -> np.ndarray:
    """Draw a number within `bounds` for each sample."""
    return rng.uniform(bounds[0], bounds[1], (batch,))


class Augmentation(Params, ABC):
    """Hyperparameters of a random change to training samples.

    An augmentation stores what it was given, and is cloned, printed and searched like
    an estimator. Pass it as the `augmentation` of an estimator, or try it out with
    `augment`.

    Attributes
    ----------
    spatial_ndims : tuple of int or None
        The numbers of spatial axes that it works on; None for samples of any shape.
    """

    spatial_ndims: ClassVar[tuple[int, ...] | None] = (1, 2, 3)

    def build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        """Return what changes samples of shape `in_shape`.

        Parameters
        ----------
        in_shape : tuple of int
            Shape of one sample, channels last, without the batch.

        Returns
        -------
        augmenter : Augmenter or None
            None where no sample would ever change.

        Raises
        ------
        ValueError, TypeError
            Where a hyperparameter is out of range or does not fit `in_shape`.
        """
        if self.spatial_ndims is not None:
            check_axes(type(self).__name__, in_shape, self.spatial_ndims)
        return self._build(tuple(in_shape))

    @abstractmethod
    def _build(self, in_shape: tuple[int, ...]) -> Augmenter | None:
        """Check the hyperparameters, and build for a shape of the right axes."""

    def augment(self, X: Any, y: Any = None, random_state: Any = None) -> Any:
        """Return changed copies of samples, as a network would be trained on them.

        Parameters
        ----------
        X : array-like of shape (n_samples, *spatial, channels)
            Of any real dtype, which the result has too: integers are rounded.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            Numbers, such as one-hot rows for classes; needed by `Mixup` alone.
        random_state : int, Generator, RandomState or None, default=None

        Returns
        -------
        X : ndarray, shaped like X
            Or the pair (X, y) where y is given.

        Raises
        ------
        ValueError, TypeError
            Where a hyperparameter does not fit X.
        """
        X = np.asarray(X)
        if X.ndim < 2:
            raise ValueError(
                "X must be an array of shape (n_samples, *spatial, channels); got one "
                f"of shape {X.shape}."
            )
        augmenter = self.build(X.shape[1:])
        if y is None and augmenter is not None and augmenter.mixes_targets:
            raise ValueError(
                f"{type(self).__name__} mixes targets too: pass y as numbers, one-hot "
                "rows of shape (n_samples, n_classes) for classes."
            )
        out = X.copy()
        targets = np.zeros((len(X), 1)) if y is None else np.array(y, dtype=float)
        if augmenter is not None:
            rng = micro_batch_rng(random_state)
            workspace = Workspace()
            for start in range(0, len(X), _BLOCK):
                block = slice(start, start + _BLOCK)
                _augment_block(augmenter, out[block], targets[block], rng, workspace)
        return out if y is None else (out, targets)


def _augment_block(
    augmenter: Augmenter,
    X: np.ndarray,
    targets: np.ndarray,
    rng: np.random.Generator,
    workspace: Workspace,
) -> None:
    """Change samples and targets in place."""
    dtype = X.dtype if X.dtype == np.float32 else np.float64
    batch_last = (X.ndim - 1, *range(1, X.ndim - 1), 0)
    x = np.ascontiguousarray(X.transpose(batch_last), dtype=dtype)
    rows = targets.reshape(len(X), -1)
    batch = augmenter(Batch(x, rows.T, 1.0), rng, workspace)
    changed = batch.x.transpose(batch_last)
    if X.dtype.kind in "iub":
        changed = np.rint(changed)
    np.copyto(X, changed, casting="unsafe")
    rows[...] = batch.targets.T


def micro_batch_rng(random_state: Any) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    return np.random.default_rng(random_state)
