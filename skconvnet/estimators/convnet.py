"""ConvNetClassifier and ConvNetRegressor: blocks of convolutions, then dense layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from skconvnet._typing import PerBlock, Shape, override
from skconvnet.augmentation import Augmentation, Versions
from skconvnet.estimators._automatic import with_automatic_values
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._classifier import NetworkClassifier
from skconvnet.estimators._convnet_blocks import GLOBAL_POOLS, POOLS, convnet_layers
from skconvnet.estimators._data_format import DATA_FORMATS, is_channels_first
from skconvnet.estimators._docs import documented
from skconvnet.estimators._hyperparameters import TrainingParams
from skconvnet.estimators._input_shape import convnet_spatial_ndim
from skconvnet.estimators._input_validation import CheckedX
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._regressor import NetworkRegressor
from skconvnet.estimators._targets import (
    ClassTargets,
    RealTargets,
    StandardizedTargets,
    Targets,
)
from skconvnet.estimators._versions import CONSTRAINTS as PREDICT_AUGMENTATION
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.params.constraints import BOOLEAN, COUNT, ObjectOf, one_of
from skconvnet.schedules import SCHEDULES, Schedule

_T = TypeVar("_T", bound=Targets)


# One value per block.
_SEVERAL: list[Any] = [tuple, list, np.ndarray]
_CONSTRAINTS: dict[str, list[Any]] = {
    "filters": ["array-like", *COUNT],
    "hidden_layer_sizes": ["array-like", *COUNT],
    "pooling": [*one_of(*POOLS), *_SEVERAL, None],
    "input_shape": [*_SEVERAL, None],
    "data_format": one_of(*DATA_FORMATS),
    "rescale": [*one_of("auto"), None],
    "learning_rate": [
        *one_of("auto", *SCHEDULES),
        ObjectOf("skconvnet.schedules", Schedule),
    ],
    "conv_method": [*one_of("auto", "im2col", "winograd", "fft"), *_SEVERAL],
    "kernel_initializer": [
        *one_of("auto", *INITIALIZERS),
        ObjectOf("skconvnet.initializers", Initializer),
    ],
    "global_pooling": [*one_of(*GLOBAL_POOLS), None],
    **PREDICT_AUGMENTATION,
    **{name: [*BOOLEAN, *_SEVERAL] for name in ("batch_norm", "separable", "residual")},
    **{name: [*COUNT, *_SEVERAL] for name in ("groups", "convs_per_block")},
}


@dataclass(eq=False, repr=False)
class _ConvNet(NetworkEstimator[_T], Generic[_T]):
    """The hyperparameters of the stack, and the layers that they describe."""

    filters: int | Sequence[int] = (32, 64)
    kernel_size: PerBlock[int | Sequence[int]] = 3
    strides: PerBlock[int | Sequence[int]] = 1
    padding: PerBlock[str | int | Sequence[int | Sequence[int]]] = "same"
    dilation: PerBlock[int | Sequence[int]] = 1
    pooling: PerBlock[str | None] = "max"
    pool_size: PerBlock[int | Sequence[int]] = 2
    hidden_layer_sizes: int | Sequence[int] = (128,)
    activation: str | Sequence[str] = "relu"
    dropout: float | Sequence[float] = 0.0
    input_shape: Sequence[int | None] | None = None
    conv_method: PerBlock[str] = "auto"
    kernel_initializer: str | Initializer = "auto"
    batch_norm: PerBlock[bool] = True
    groups: PerBlock[int] = 1
    separable: PerBlock[bool] = False
    convs_per_block: PerBlock[int] = 1
    residual: PerBlock[bool] = False
    global_pooling: str | None = None
    augmentation: (
        Augmentation
        | Sequence[Augmentation | str | tuple[str, Augmentation | str]]
        | None
    ) = field(default=None, kw_only=True)
    predict_augmentation: str | Versions | None = field(default=None, kw_only=True)
    rescale: str | None = field(default="auto", kw_only=True)
    alpha: float = field(default=1.0, kw_only=True)
    learning_rate: str | Schedule = field(default="auto", kw_only=True)
    learning_rate_init: float = field(default=0.003, kw_only=True)
    max_iter: int = field(default=30, kw_only=True)
    data_format: str = field(default="channels_last", kw_only=True)

    _prefixed_lists: ClassVar[tuple[str, ...]] = ("augmentation",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _CONSTRAINTS

    @override
    def _spatial_ndim_of(self, X: CheckedX) -> int:
        return convnet_spatial_ndim(
            X, self.input_shape, channels_first=is_channels_first(self)
        )

    @override
    def _hidden_layers(self, in_shape: Shape, *, is_guessed: bool) -> list[Entry]:
        return convnet_layers(self, len(in_shape) - 1, is_guessed=is_guessed)

    @override
    def _training_params(self, n_samples: int, *, incremental: bool) -> TrainingParams:
        params = super()._training_params(n_samples, incremental=incremental)
        return with_automatic_values(params, n_samples, incremental=incremental)


@documented
@dataclass(eq=False, repr=False)
class ConvNetClassifier(_ConvNet[ClassTargets], NetworkClassifier):
    """Convolutional network classifier for images, sequences and volumes.

    The network consists of blocks of convolution, activation and pooling, followed by
    dense layers. The output layer is derived from y.

    Parameters
    ----------
    {convnet}
    {augmentation}
    {rescale}
    {convnet_training}
    {classifier}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of such arrays
        The class labels, of each column of y if it has several columns of labels.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ConvNetClassifier(filters=8, hidden_layer_sizes=32, random_state=0)
    >>> clf.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """


@documented
@dataclass(eq=False, repr=False)
class ConvNetRegressor(_ConvNet[RealTargets], NetworkRegressor):
    """Convolutional network regressor for images, sequences and volumes.

    The network consists of blocks of convolution, activation and pooling, followed by
    dense layers. The output layer is derived from y.

    Parameters
    ----------
    {convnet}
    {augmentation}
    {rescale}
    {rescale_y}
    {convnet_training}
    {regressor}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetRegressor
    >>> X = load_digits().images
    >>> y = X.sum(axis=(1, 2))  # the amount of ink
    >>> reg = ConvNetRegressor(filters=8, hidden_layer_sizes=32, random_state=0)
    >>> reg.fit(X[:500], y[:500]).score(X[500:], y[500:]) > 0.9
    True
    """

    @override
    def _make_targets(self) -> RealTargets:
        loss = self.loss if isinstance(self.loss, str) else self.loss.name
        if self.rescale is None or loss == "poisson":  # whose y must not be negative
            return super()._make_targets()
        return StandardizedTargets(type(self).__name__)
