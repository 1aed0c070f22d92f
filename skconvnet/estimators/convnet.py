"""ConvNetClassifier and ConvNetRegressor: blocks of convolutions, then dense layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from skconvnet._typing import Shape, override
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._classifier import NetworkClassifier
from skconvnet.estimators._convnet_blocks import GLOBAL_POOLS, POOLS, convnet_layers
from skconvnet.estimators._docs import documented
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._regressor import NetworkRegressor
from skconvnet.estimators._targets import ClassTargets, RealTargets, Targets
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.params.constraints import BOOLEAN, COUNT, ObjectOf, one_of

_T = TypeVar("_T", bound=Targets)


# One value per block.
_SEVERAL: list[Any] = [tuple, list, np.ndarray]
_CONSTRAINTS: dict[str, list[Any]] = {
    "filters": ["array-like", *COUNT],
    "hidden_layer_sizes": ["array-like", *COUNT],
    "pooling": [*one_of(*POOLS), *_SEVERAL, None],
    "input_shape": [*_SEVERAL, None],
    "conv_method": [*one_of("auto", "im2col", "winograd", "fft"), *_SEVERAL],
    "kernel_initializer": [
        *one_of("auto", *INITIALIZERS),
        ObjectOf("skconvnet.initializers", Initializer),
    ],
    "global_pooling": [*one_of(*GLOBAL_POOLS), None],
    **{name: [*BOOLEAN, *_SEVERAL] for name in ("batch_norm", "separable", "residual")},
    **{name: [*COUNT, *_SEVERAL] for name in ("groups", "convs_per_block")},
}


@dataclass(eq=False, repr=False)
class _ConvNet(NetworkEstimator[_T], Generic[_T]):
    """The hyperparameters of the stack, and the layers that they describe."""

    filters: Any = (32, 64)
    kernel_size: Any = 3
    strides: Any = 1
    padding: Any = "same"
    dilation: Any = 1
    pooling: Any = "max"
    pool_size: Any = 2
    hidden_layer_sizes: Any = (128,)
    activation: Any = "relu"
    dropout: Any = 0.0
    input_shape: Any = None
    conv_method: Any = "auto"
    kernel_initializer: Any = "auto"
    batch_norm: Any = False
    groups: Any = 1
    separable: Any = False
    convs_per_block: Any = 1
    residual: Any = False
    global_pooling: Any = None
    augmentation: Any = field(default=None, kw_only=True)

    _prefixed_lists: ClassVar[tuple[str, ...]] = ("augmentation",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _CONSTRAINTS

    @property
    @override
    def _spatial_ndim(self) -> int:
        return 2

    @override
    def _hidden_layers(self, in_shape: Shape, *, is_guessed: bool) -> list[Entry]:
        return convnet_layers(self, is_guessed=is_guessed)


@documented
@dataclass(eq=False, repr=False)
class ConvNetClassifier(_ConvNet[ClassTargets], NetworkClassifier):
    """Convolutional network classifier for images.

    The network consists of blocks of convolution, activation and pooling, followed by
    dense layers. The output layer is derived from y.

    Parameters
    ----------
    {convnet}
    {augmentation}
    {training}
    {classifier}

    Attributes
    ----------
    {attributes}
    classes_ : ndarray of shape (n_classes,)
        The class labels.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skconvnet import ConvNetClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = ConvNetClassifier(
    ...     filters=8, hidden_layer_sizes=32, max_iter=5, batch_size=32,
    ...     learning_rate_init=0.01, tol=0.5, n_iter_no_change=1, random_state=0,
    ... )
    >>> clf.fit(X / 16, y).score(X / 16, y) > 0.9
    True
    """


@documented
@dataclass(eq=False, repr=False)
class ConvNetRegressor(_ConvNet[RealTargets], NetworkRegressor):
    """Convolutional network regressor for images.

    The network consists of blocks of convolution, activation and pooling, followed by
    dense layers. The output layer is derived from y.

    Parameters
    ----------
    {convnet}
    {augmentation}
    {training}
    {regressor}

    Attributes
    ----------
    {attributes}

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import ConvNetRegressor
    >>> rng = np.random.RandomState(0)
    >>> X = rng.uniform(size=(200, 6, 6))
    >>> y = X[:, 2:4, 2:4].mean(axis=(1, 2))
    >>> reg = ConvNetRegressor(filters=4, hidden_layer_sizes=16, solver="lbfgs",
    ...                        max_iter=5000, random_state=0)
    >>> reg.fit(X, y).score(X, y) > 0.9
    True
    """
