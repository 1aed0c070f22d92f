"""Base classes of augmentations and of the augmenters that they build."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple, TypeAlias, overload

import numpy as np
import numpy.typing as npt

from skconvnet._foreign_words import AUGMENTATION_PARAMETERS, Words
from skconvnet._typing import FeatureMap, Image, Shape, override
from skconvnet.augmentation.checks import check_axes
from skconvnet.augmentation.origin import Epoch, Origin
from skconvnet.ops.outside import Fill
from skconvnet.ops.workspace import Workspace
from skconvnet.params.base import Params

# Number of samples that `augment` changes at a time.
_BATCH_SIZE = 256
# Of the epochs that `augment` shows the first one of.
_MANY = 1000

_RandomState: TypeAlias = int | np.random.Generator | np.random.RandomState | None


class Batch(NamedTuple):
    """A micro-batch, batch last.

    Attributes
    ----------
    x : ndarray of shape (channels, *spatial, batch) or (features, batch)
    targets : ndarray of shape (n_outputs, batch) or (n_outputs, *spatial, batch)
    weights : ndarray of shape (batch,) or (*spatial, batch), or float
    origin : Origin or None
        Which samples they are. Given to augmenters that need it.
    """

    x: FeatureMap
    targets: FeatureMap
    weights: npt.NDArray[np.floating] | float
    origin: Origin | None = None


class Augmenter(ABC):
    """An augmentation built for one shape of samples, shared by all threads.

    Parameters
    ----------
    in_shape : tuple of int
        Shape of one sample, channels last.

    Attributes
    ----------
    mixes_targets : bool
        Whether the targets of several samples are mixed.
    moves_positions : bool
        Whether values change their positions, and targets of positions with them.
    interpolates : bool
        Whether values from between positions are means of their neighbors.
    needs_origin : bool
        Whether the change depends on the epoch, and on which samples they are.
    """

    mixes_targets = False
    moves_positions = False
    interpolates = False
    needs_origin = False

    def __init__(self, in_shape: Shape) -> None:
        self.in_shape = tuple(in_shape)

    @property
    def out_shapes(self) -> set[Shape]:
        """The shapes of a changed sample, channels last, in all epochs."""
        return {self.in_shape}

    def out_shape(
        self,
        in_shape: Shape,
        epoch: Epoch | None,  # noqa: ARG002  for subclasses
    ) -> Shape:
        """Return the shape that samples of shape `in_shape` have after the change.

        `epoch` may be None unless `needs_origin`.
        """
        return in_shape

    def is_comparable(
        self,
        epoch: Epoch,  # noqa: ARG002  for subclasses
    ) -> bool:
        """Return whether the loss of an epoch can be compared with those of later ones.

        It cannot if later epochs change samples to another size.
        """
        return True

    @abstractmethod
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        """Return the micro-batch to train on.

        Parameters
        ----------
        batch : Batch
            Read only.
        rng : Generator
        workspace : Workspace

        Returns
        -------
        batch : Batch
            The next call with the same workspace may overwrite its arrays.
        """


class JointAugmenter(Augmenter):
    """An augmenter that applies others, and has every property that one of them has.

    Parameters
    ----------
    in_shape : tuple of int
    parts : list of Augmenter
    """

    def __init__(self, in_shape: Shape, parts: list[Augmenter]) -> None:
        super().__init__(in_shape)
        self.parts = parts
        self.mixes_targets = any(part.mixes_targets for part in parts)
        self.moves_positions = any(part.moves_positions for part in parts)
        self.interpolates = any(part.interpolates for part in parts)
        self.needs_origin = any(part.needs_origin for part in parts)

    @override
    def is_comparable(self, epoch: Epoch) -> bool:
        return all(part.is_comparable(epoch) for part in self.parts)


class MapAugmenter(Augmenter):
    """An augmenter that changes feature maps.

    If it moves positions, targets and weights of positions are moved in the same way.
    """

    # What positions outside the map are.
    fill: Fill = "nearest"

    @override
    def __call__(
        self, batch: Batch, rng: np.random.Generator, workspace: Workspace
    ) -> Batch:
        if batch.targets.ndim == 2 or not self.moves_positions:
            return batch._replace(x=self.change(batch.x, rng, workspace))
        before = rng.bit_generator.state
        x = self.change(batch.x, rng, workspace)
        # The same random numbers again, so that targets are moved as their samples.
        rng.bit_generator.state = before
        own = copy.copy(self)
        own.fill = self.fill if isinstance(self.fill, str) else 0.0
        return moved_targets(batch, own, rng, workspace.nested("targets"))._replace(x=x)

    @abstractmethod
    def change(
        self, x: FeatureMap, rng: np.random.Generator, workspace: Workspace
    ) -> FeatureMap:
        """Return the changed maps, in an array of the workspace.

        Parameters
        ----------
        x : ndarray of shape (channels, *spatial, batch)
            Read only.
        rng : Generator
        workspace : Workspace

        Returns
        -------
        y : ndarray, shaped like x
        """


def moved_targets(
    batch: Batch,
    augmenter: MapAugmenter,
    rng: np.random.Generator,
    workspace: Workspace,
) -> Batch:
    """Move the targets of positions, and their weights.

    Where targets are interpolated, they are means weighted by the weights. Positions
    that come from outside the map have a weight of 0, unless pixels of the map fill
    them.

    Parameters
    ----------
    batch : Batch
        With targets of shape (n_outputs, *spatial, batch).
    augmenter : MapAugmenter
        Fills positions from outside with 0, or with pixels of the map.
    rng : Generator
    workspace : Workspace
    """
    targets, weights = batch.targets, batch.weights
    n_outputs, *lengths = targets.shape
    is_even = not isinstance(weights, np.ndarray)
    maps = np.empty((n_outputs + 1, *lengths), targets.dtype)
    maps[-1] = 1.0 if is_even else weights
    np.multiply(targets, maps[-1], out=maps[:-1])
    moved = augmenter.change(maps, rng, workspace)
    moved_weights = moved[-1].copy()
    has_weight = moved_weights > 0
    means = np.divide(
        moved[:-1], moved_weights, out=np.zeros_like(targets), where=has_weight
    )
    if is_even:
        moved_weights *= weights
    return batch._replace(targets=means, weights=moved_weights)


def uniform(
    rng: np.random.Generator, bounds: tuple[float, float], batch: int
) -> npt.NDArray[np.float64]:
    """Draw a number within `bounds` for each sample."""
    return rng.uniform(bounds[0], bounds[1], (batch,))


class Augmentation(Params, ABC):
    """Hyperparameters of a random change to training samples.

    An augmentation stores its arguments unchanged, and is cloned, printed and searched
    like an estimator. Pass it as the `augmentation` of an estimator, or try it out with
    `augment`.

    Attributes
    ----------
    spatial_ndims : tuple of int or None
        The numbers of spatial axes that a sample may have; None for any shape.
    """

    spatial_ndims: ClassVar[tuple[int, ...] | None] = (1, 2, 3)
    _words: ClassVar[Words] = AUGMENTATION_PARAMETERS

    def build(self, in_shape: Shape) -> Augmenter | None:
        """Return the augmenter of samples of shape `in_shape`.

        Parameters
        ----------
        in_shape : tuple of int
            Shape of one sample, channels last, without the batch.

        Returns
        -------
        augmenter : Augmenter or None
            None if the hyperparameters leave all samples unchanged.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter is out of range or does not fit `in_shape`.
        """
        if self.spatial_ndims is not None:
            check_axes(type(self).__name__, in_shape, self.spatial_ndims)
        return self._build(tuple(in_shape))

    @abstractmethod
    def _build(self, in_shape: Shape) -> Augmenter | None:
        """Check the hyperparameters, and build for a shape whose axes are allowed."""

    @overload
    def augment(
        self, X: npt.ArrayLike, y: None = None, random_state: _RandomState = None
    ) -> Image: ...

    @overload
    def augment(
        self, X: npt.ArrayLike, y: npt.ArrayLike, random_state: _RandomState = None
    ) -> tuple[Image, npt.NDArray[np.float64]]: ...

    def augment(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike | None = None,
        random_state: _RandomState = None,
    ) -> Image | tuple[Image, npt.NDArray[np.float64]]:
        """Return changed copies of samples, as a network would be trained on them.

        What depends on the epoch is as in the first one.

        Parameters
        ----------
        X : array-like of shape (n_samples, *spatial, channels)
            The samples, of any real dtype.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The targets as numbers, such as one-hot rows for classes. Required by
            `Mixup`. Targets of positions, of shape (n_samples, *spatial, n_outputs),
            are moved with their samples.
        random_state : int, Generator, RandomState or None, default=None
            The source of random numbers. Pass an int for reproducible results.

        Returns
        -------
        X : ndarray, shaped like X
            The changed samples, in the dtype of X: integers are rounded. If y is given,
            the pair (X, y) of changed samples and targets.

        Raises
        ------
        ValueError, TypeError
            If a hyperparameter does not fit X.
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
        targets = np.zeros((len(X), 1)) if y is None else np.array(y, dtype=float)
        if augmenter is None:
            out = X.copy()
        else:
            rng = _as_generator(random_state)
            workspace = Workspace()
            seed = int(rng.integers(2**31)) if augmenter.needs_origin else 0
            epoch = Epoch(0, seed, n_planned=_MANY)
            origin = Origin(np.arange(len(X)), epoch)
            shape = augmenter.out_shape(augmenter.in_shape, epoch)
            out = np.empty((len(X), *shape), X.dtype)
            for start in range(0, len(X), _BATCH_SIZE):
                rows = slice(start, start + _BATCH_SIZE)
                own = origin._replace(numbers=origin.numbers[rows])
                batch = _augmented_rows(
                    augmenter, X[rows], targets[rows], own, rng, workspace
                )
                np.copyto(out[rows], batch, casting="unsafe")
        return out if y is None else (out, targets)


def _augmented_rows(
    augmenter: Augmenter,
    X: npt.NDArray[Any],
    targets: npt.NDArray[np.float64],
    origin: Origin,
    rng: np.random.Generator,
    workspace: Workspace,
) -> npt.NDArray[Any]:
    """Return the changed samples, and change the targets in place."""
    dtype = X.dtype if X.dtype == np.float32 else np.float64
    # The same permutation of axes converts channels last to batch last and back.
    batch_last = (X.ndim - 1, *range(1, X.ndim - 1), 0)
    x = np.ascontiguousarray(X.transpose(batch_last), dtype=dtype)
    are_maps = targets.ndim == X.ndim > 2 and targets.shape[:-1] == X.shape[:-1]
    rows = targets if are_maps else targets.reshape(len(X), -1)
    own = np.ascontiguousarray(rows.transpose(batch_last)) if are_maps else rows.T
    batch = augmenter(Batch(x, own, 1.0, origin), rng, workspace)
    changed = batch.x.transpose(batch_last)
    if X.dtype.kind in "iub":
        changed = np.rint(changed)
    rows[...] = batch.targets.transpose(batch_last) if are_maps else batch.targets.T
    return changed


def _as_generator(random_state: _RandomState) -> np.random.Generator:
    if isinstance(random_state, np.random.RandomState):
        random_state = random_state.randint(2**31)
    return np.random.default_rng(random_state)
