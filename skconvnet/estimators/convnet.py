"""ConvNetClassifier and ConvNetRegressor: the conventional stack of layers."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from skconvnet._spec import Spec
from skconvnet.estimators._augmentation import AugmentedEstimator
from skconvnet.estimators._blocks import check_hidden_layer_sizes, per_block
from skconvnet.estimators._docs import documented
from skconvnet.estimators._targets import NetworkClassifier, NetworkRegressor
from skconvnet.layers import AvgPool2D, Conv2D, Dense, Dropout, Flatten, MaxPool2D
from skconvnet.network import build_layers
from skconvnet.ops.method import METHODS
from skconvnet.ops.windows import per_axis

_POOLS: dict[str, Any] = {"max": MaxPool2D, "avg": AvgPool2D}

_CONSTRAINTS: dict[str, list[Any]] = {
    "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "pooling": [StrOptions(set(_POOLS)), list, tuple, None],
    "input_shape": [tuple, list, None],
    "conv_method": [StrOptions({"auto", *METHODS}), tuple, list],
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

    _spatial_ndim: ClassVar[int] = 2

    def _hidden_layers(
        self, in_shape: tuple[int, ...], is_guessed: bool
    ) -> list[tuple[str, Spec]]:
        filters = _sizes("filters", self.filters)
        hidden = check_hidden_layer_sizes(self.hidden_layer_sizes)
        n_blocks = len(filters)
        of_block = {
            name: per_block(name, getattr(self, name), n_blocks)
            for name in (
                "kernel_size",
                "strides",
                "padding",
                "dilation",
                "pooling",
                "pool_size",
                "conv_method",
            )
        }
        activations = _through_hidden("activation", self.activation, n_blocks, hidden)
        rates = _through_hidden("dropout", self.dropout, n_blocks, hidden, 0.0)
        layers: list[tuple[str, Spec]] = []
        for i in range(n_blocks):
            conv = Conv2D(
                filters[i],
                of_block["kernel_size"][i],
                of_block["strides"][i],
                of_block["padding"][i],
                of_block["dilation"][i],
                activation=activations[i],
                conv_method=of_block["conv_method"][i],
            )
            layers.append((f"conv{i + 1}", conv))
            pooling, pool_size = of_block["pooling"][i], of_block["pool_size"][i]
            if pooling is not None:
                if is_guessed:
                    pool_size = _fitting_pool(layers, in_shape, pool_size)
                layers.append((f"pool{i + 1}", _pool(pooling, pool_size)))
            if rates[i]:
                layers.append((f"dropout{i + 1}", Dropout(rates[i])))
        layers.append(("flatten", Flatten()))
        for i, size in enumerate(hidden):
            dense = Dense(size, activation=activations[n_blocks + i])
            layers.append((f"dense{i + 1}", dense))
            if rates[n_blocks + i]:
                number = n_blocks + i + 1
                layers.append((f"dropout{number}", Dropout(rates[n_blocks + i])))
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


def _pool(pooling: Any, pool_size: Any) -> Spec:
    if not isinstance(pooling, str) or pooling not in _POOLS:
        raise ValueError(
            f"pooling must be None or one of {', '.join(map(repr, _POOLS))}, or a "
            f"tuple of them; got {pooling!r}."
        )
    return _POOLS[pooling](pool_size)


def _fitting_pool(
    layers: list[tuple[str, Spec]], in_shape: tuple[int, ...], pool_size: Any
) -> Any:
    """Leave axes of length 1 unpooled, where the shape was guessed from rows."""
    shape = list(build_layers(layers, in_shape).values())[-1].out_shape
    sizes = per_axis("pool_size", pool_size, 2)
    return tuple(
        1 if n == 1 else size for n, size in zip(shape[:-1], sizes, strict=True)
    )


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
    ...                        max_iter=1000, random_state=0)
    >>> reg.fit(X, y).score(X, y) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **NetworkRegressor._parameter_constraints,
        **_CONSTRAINTS,
    }
