"""SequentialClassifier and SequentialRegressor: any list of named layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.augmentation import Augmentation, Versions
from skconvnet.engine.ragged import MapList
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._classifier import NetworkClassifier
from skconvnet.estimators._data_format import DATA_FORMATS
from skconvnet.estimators._docs import documented
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._output_layer import (
    warn_of_flattened_steps,
    warn_of_second_output,
)
from skconvnet.estimators._regressor import NetworkRegressor
from skconvnet.estimators._targets import ClassTargets, RealTargets, Targets
from skconvnet.estimators._versions import CONSTRAINTS as PREDICT_AUGMENTATION
from skconvnet.layers.chain import Chain
from skconvnet.layers.dense import Dense
from skconvnet.params.base import LayerSpec
from skconvnet.params.constraints import one_of
from skconvnet.params.naming import check_layers

_T = TypeVar("_T", bound=Targets)


def _named_specs(
    estimator: _Sequential[Any],
) -> list[tuple[str, LayerSpec]]:
    if estimator.layers is None:
        return [("dense1", Dense(100, activation="relu"))]
    return check_layers(estimator.layers, estimator.get_params(deep=False))


def _spatial_ndim(specs: list[tuple[str, LayerSpec]]) -> int | None:
    """Return the number of spatial axes of the first layer that prescribes one."""
    kinds = (spec.spatial_ndim for _, spec in specs)
    return next((ndim for ndim in kinds if ndim is not None), None)


def _n_columns(targets: Targets, n_outputs: int) -> int:
    """Return how many columns a flat y has."""
    groups = getattr(targets, "groups", None)
    if groups is not None:
        return len(groups.classes)
    return 1 if getattr(targets, "is_exclusive", False) else n_outputs


@dataclass(eq=False, repr=False)
class _Sequential(NetworkEstimator[_T], Generic[_T]):
    """A list of layers as a hyperparameter."""

    layers: Sequence[LayerSpec | str | tuple[str, LayerSpec | str]] | None = None
    input_shape: Sequence[int] | None = None
    augmentation: (
        Augmentation
        | Sequence[Augmentation | str | tuple[str, Augmentation | str]]
        | None
    ) = field(default=None, kw_only=True)
    predict_augmentation: str | Versions | None = field(default=None, kw_only=True)
    data_format: str = field(default="channels_last", kw_only=True)

    _lists: ClassVar[tuple[str, ...]] = ("layers",)
    _takes_map_targets: ClassVar[bool] = True
    _prefixed_lists: ClassVar[tuple[str, ...]] = ("augmentation",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "input_shape": [tuple, list, np.ndarray, None],
        "data_format": one_of(*DATA_FORMATS),
        **PREDICT_AUGMENTATION,
    }

    @override
    def _build(
        self,
        X: CheckedX,
        n_outputs: int,
        rng: np.random.RandomState,
        *,
        n_copies: float = 1,
    ) -> None:
        super()._build(X, n_outputs, rng, n_copies=n_copies)
        if self.layers is not None:
            n_classes = len(getattr(self, "classes_", ()))
            warn_of_second_output(
                _named_specs(self),
                {n_outputs, n_classes},
                predicts_maps=self.network_.predicts_maps,
            )
            n_columns = _n_columns(self._targets, n_outputs)
            warn_of_flattened_steps(self.network_, _named_specs(self), n_columns)

    @override
    def _shape_of_samples(self, X: CheckedX) -> Shape:
        specs = _named_specs(self)
        if isinstance(X, MapList) and X.maps[0].ndim == 1 and self.input_shape is None:
            texts = (max(map(len, X.maps)),)
            if self._takes_tokens(texts):
                return texts
        shape = super()._shape_of_samples(X)
        is_guessed = X.ndim == 2 and self.input_shape is None and len(shape) > 1
        if is_guessed and self._takes_tokens(shape):
            raise ValueError(
                f"X has shape {X.shape}, but layer {specs[0][0]!r} takes documents: "
                "tokens of shape (n_samples, sentences, words), as DocumentTokens of "
                "skconvnet.text gives. For rows, set input_shape=(sentences, words)."
            )
        return shape

    def _takes_tokens(self, in_shape: Shape) -> bool:
        """Return whether the first layer takes samples of this shape as tokens."""
        try:
            return Chain(_named_specs(self)[:1], in_shape).takes_tokens
        except (TypeError, ValueError):  # which building the network explains
            return False

    @override
    def _spatial_ndim_of(self, X: CheckedX) -> int | None:
        return _spatial_ndim(_named_specs(self))

    @override
    def _hidden_layers(self, in_shape: Shape, *, is_guessed: bool) -> list[Entry]:
        return list(_named_specs(self))


@documented
@dataclass(eq=False, repr=False)
class SequentialClassifier(_Sequential[ClassTargets], NetworkClassifier):
    """Classifier with a network of any list of layers.

    The output layer, named "output", is derived from y. If the last layer returns maps,
    a Flatten is inserted before the output layer. An empty list is equivalent to
    logistic regression.

    If y has a label for each position of the maps that the last layer returns, as in
    the segmentation of images, the output layer is a convolution with kernels of size 1
    instead.

    Parameters
    ----------
    {sequential}
    {augmentation}
    {training}
    {classifier}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of such arrays
        The class labels, of each column of y if it has several columns of labels.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.layers import Conv2D, Dense, Flatten, MaxPool2D, Rescaling
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = SequentialClassifier(
    ...     layers=[
    ...         ("scale", Rescaling(1 / 16)),
    ...         ("conv1", Conv2D(8, 3, activation="relu")),
    ...         ("pool1", MaxPool2D(2)),
    ...         ("flatten", Flatten()),
    ...         ("dense1", Dense(32, activation="relu")),
    ...     ],
    ...     learning_rate_init=0.01, batch_size=32, max_iter=5, tol=0.5,
    ...     n_iter_no_change=1, random_state=0,
    ... )
    >>> clf.set_params(conv1__filters=6).fit(X, y).score(X, y) > 0.9
    True
    """


@documented
@dataclass(eq=False, repr=False)
class SequentialRegressor(_Sequential[RealTargets], NetworkRegressor):
    """Regressor with a network of any list of layers.

    The output layer, named "output", is derived from y. If the last layer returns maps,
    a Flatten is inserted before the output layer. An empty list is equivalent to linear
    regression.

    If y has targets for each position of the maps that the last layer returns, as in
    the denoising of images, the output layer is a convolution with kernels of size 1
    instead.

    Parameters
    ----------
    {sequential}
    {augmentation}
    {training}
    {regressor}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skconvnet import SequentialRegressor
    >>> from skconvnet.layers import Dense
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = SequentialRegressor([Dense(5, activation="tanh")], solver="lbfgs",
    ...                           max_iter=5000, random_state=0)
    >>> reg.fit(scale(X), y).score(scale(X), y) > 0.5
    True
    """
