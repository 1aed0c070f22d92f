"""ConvNetClassifier and ConvNetRegressor: the conventional stack of layers."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from skconvnet.estimators import _convnet_blocks as _stack
from skconvnet.estimators._augmentation import AugmentedEstimator
from skconvnet.estimators._classifier import NetworkClassifier
from skconvnet.estimators._docs import documented
from skconvnet.estimators._per_layer_values import check_hidden_layer_sizes, per_block
from skconvnet.estimators._regressor import NetworkRegressor
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.layers.dense import Dense
from skconvnet.params.base import LayerSpec
from skconvnet.params.constraints import BOOLEAN

# Hyperparameters of one value for all blocks, or a tuple with one for each.
_OF_BLOCK = (
    "kernel_size",
    "strides",
    "padding",
    "dilation",
    "groups",
    "separable",
    "convs_per_block",
    "residual",
    "batch_norm",
    "pooling",
    "pool_size",
    "conv_method",
)

_CONSTRAINTS: dict[str, list[Any]] = {
    "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "pooling": [StrOptions(set(_stack.POOLS)), list, tuple, None],
    "input_shape": [tuple, list, None],
    "conv_method": [StrOptions({"auto", "im2col", "winograd", "fft"}), tuple, list],
    "kernel_initializer": [StrOptions({"auto", *INITIALIZERS}), Initializer],
    "global_pooling": [StrOptions(set(_stack.GLOBAL_POOLS)), None],
    **{
        name: [*BOOLEAN, tuple, list]
        for name in ("batch_norm", "separable", "residual")
    },
    **{
        name: [Interval(Integral, 1, None, closed="left"), tuple, list]
        for name in ("groups", "convs_per_block")
    },
}


@dataclass(eq=False, repr=False)
class _ConvNet(AugmentedEstimator):
    """The hyperparameters of the stack, and the layers they stand for."""

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

    _spatial_ndim: ClassVar[int] = 2

    def _hidden_layers(
        self, in_shape: tuple[int, ...], is_guessed: bool
    ) -> list[tuple[str, LayerSpec]]:
        filters = _sizes("filters", self.filters)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        n_blocks = len(filters)
        of_block = {
            name: per_block(name, getattr(self, name), n_blocks) for name in _OF_BLOCK
        }
        of_block["filters"] = filters
        activations = _through_hidden("activation", self.activation, n_blocks, hidden)
        of_block["activation"] = activations[:n_blocks]
        rates = _through_hidden("dropout", self.dropout, n_blocks, hidden, 0.0)
        layers: list[tuple[str, LayerSpec]] = []
        for i in range(n_blocks):
            params = {name: values[i] for name, values in of_block.items()}
            params["kernel_initializer"] = self.kernel_initializer
            layers += _stack.block(i + 1, params)
            pool_size = params["pool_size"]
            if is_guessed and params["pooling"] is not None:
                pool_size = _stack.fitting_pool(layers, in_shape, pool_size)
            layers += _stack.pool(i + 1, params["pooling"], pool_size)
            layers += _stack.dropout(i + 1, rates[i])
        layers += _stack.head(self.global_pooling)
        for i, size in enumerate(hidden):
            activation = activations[n_blocks + i]
            dense = Dense(size, activation, self.kernel_initializer)
            layers.append((f"dense{i + 1}", dense))
            layers += _stack.dropout(n_blocks + i + 1, rates[n_blocks + i])
        return layers


def _sizes(name: str, value: Any) -> list[int]:
    values = list(value) if hasattr(value, "__iter__") else [value]
    for size in values:
        if not isinstance(size, Integral) or isinstance(size, bool) or size < 1:
            raise ValueError(
                f"{name} must be a positive int or a tuple of them, one a block; got "
                f"{value!r}."
            )
    return [int(size) for size in values]


def _through_hidden(
    name: str, value: Any, n_blocks: int, hidden: list[int], fill: Any = None
) -> list[Any]:
    """One value for each block and each hidden layer behind them."""
    n_all = n_blocks + len(hidden)
    if not isinstance(value, (tuple, list)):
        return [value] * n_all
    if len(value) == n_blocks:
        return list(value) + [value[-1] if fill is None else fill] * len(hidden)
    if len(value) != n_all:
        raise ValueError(
            f"{name} must be a single value, a tuple of {n_blocks}, one for each block "
            f"of filters, or a tuple of {n_all}, the hidden layers included; got "
            f"{value!r}, of length {len(value)}."
        )
    return list(value)


@documented
@dataclass(eq=False, repr=False)
class ConvNetClassifier(_ConvNet, NetworkClassifier):
    """Convolutional network classifier for images.

    Blocks of convolution, activation and pooling, then dense layers; the output
    layer is added from y.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkClassifier._parameter_constraints,
        **_CONSTRAINTS,
    }


@documented
@dataclass(eq=False, repr=False)
class ConvNetRegressor(_ConvNet, NetworkRegressor):
    """Convolutional network regressor for images.

    Blocks of convolution, activation and pooling, then dense layers; the output
    layer is added from y.

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

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkRegressor._parameter_constraints,
        **_CONSTRAINTS,
    }
