"""MLPClassifier and MLPRegressor, drop-in replacements for scikit-learn's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from skconvnet._checks import check_fraction, check_n_layers, check_positive_int
from skconvnet._typing import Shape, override
from skconvnet.estimators._base import NetworkEstimator
from skconvnet.estimators._classifier import NetworkClassifier
from skconvnet.estimators._docs import documented
from skconvnet.estimators._layer_arrays import LayerArrays
from skconvnet.estimators._network_builder import Entry
from skconvnet.estimators._per_layer_values import check_hidden_layer_sizes, per_block
from skconvnet.estimators._regressor import NetworkRegressor
from skconvnet.estimators._targets import ClassTargets, RealTargets, Targets
from skconvnet.initializers import INITIALIZERS, Initializer
from skconvnet.layers.dense import Dense
from skconvnet.layers.dropout import Dropout
from skconvnet.losses import REGRESSION_LOSSES, Loss, MeanOutputSquaredError
from skconvnet.ops.activations import ACTIVATIONS
from skconvnet.params.constraints import (
    BELOW_1,
    COUNT,
    COUNT_OR_0,
    ObjectOf,
    one_of,
)

_T = TypeVar("_T", bound=Targets)

_CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", *COUNT],
    "activation": [*one_of(*ACTIVATIONS), tuple, list, np.ndarray],
    "n_hidden_layers": [None, *COUNT_OR_0],
    "n_hidden_units": [None, *COUNT],
    "dropout": [*BELOW_1, tuple, list, np.ndarray],
    "kernel_initializer": [
        *one_of("auto", *INITIALIZERS),
        ObjectOf("skconvnet.initializers", Initializer),
    ],
}
_CHECK_X: dict[str, Any] = {
    "accept_sparse": ["csr", "csc"],
    "dtype": (np.float64, np.float32),
}


def _perceptron_layers(estimator: _Perceptron[Any], in_shape: Shape) -> list[Entry]:
    if len(in_shape) != 1:
        raise ValueError(
            f"X must be rows of shape (n_samples, n_features) for "
            f"{type(estimator).__name__}; got samples of shape {in_shape}. Reshape X "
            "with X.reshape(len(X), -1), or use ConvNetClassifier or "
            "ConvNetRegressor for images."
        )
    sizes = _hidden_sizes(estimator)
    of_layer = partial(per_block, n_blocks=len(sizes), block="hidden layer")
    activations = of_layer("activation", estimator.activation)
    rates = of_layer("dropout", estimator.dropout)
    for rate in rates:
        check_fraction("dropout", rate)
    layers: list[Entry] = []
    for i, (size, rate) in enumerate(zip(sizes, rates, strict=True)):
        dense = Dense(size, activations[i], estimator.kernel_initializer)
        layers.append((f"dense{i + 1}", dense))
        if rate != 0:
            layers.append((f"dropout{i + 1}", Dropout(rate)))
    return layers


def _hidden_sizes(estimator: _Perceptron[Any]) -> list[int]:
    n_layers, n_units = estimator.n_hidden_layers, estimator.n_hidden_units
    sizes, default = estimator.hidden_layer_sizes, type(estimator).hidden_layer_sizes
    if n_layers is None and n_units is None:
        return check_hidden_layer_sizes(sizes)
    if not np.array_equal(sizes, default):
        raise ValueError(
            f"hidden_layer_sizes={sizes!r} must be left at its default {default!r} "
            f"if n_hidden_layers={n_layers!r} or n_hidden_units={n_units!r} is set; "
            "set either hidden_layer_sizes or the other two."
        )
    n_layers = 1 if n_layers is None else n_layers
    n_units = 100 if n_units is None else n_units
    check_n_layers("n_hidden_layers", n_layers)
    return [check_positive_int("n_hidden_units", n_units)] * int(n_layers)


def _arrays(estimator: _Perceptron[Any], kind: str, name: str) -> LayerArrays:
    """Return the kernels or the biases of all layers, from input to output."""
    if "network_" not in vars(estimator):
        raise AttributeError(f"This {type(estimator).__name__} is not fitted yet.")
    return LayerArrays(estimator.network_, kind, name)


def _set_arrays(
    estimator: _Perceptron[Any], kind: str, name: str, values: object
) -> None:
    if "network_" not in vars(estimator):
        raise NotFittedError(
            f"This {type(estimator).__name__} has no network yet, so {name} cannot be "
            "set. Call initialize(X, y) first, which builds it without training."
        )
    _arrays(estimator, kind, name).replace(values)


@dataclass(eq=False, repr=False)
class _Perceptron(NetworkEstimator[_T], Generic[_T]):
    """The hyperparameters of a perceptron, and scikit-learn's view of its weights."""

    hidden_layer_sizes: int | Sequence[int] = (100,)
    activation: str | Sequence[str] = "relu"
    n_hidden_layers: int | None = field(default=None, kw_only=True)
    n_hidden_units: int | None = field(default=None, kw_only=True)
    dropout: float | Sequence[float] = field(default=0.0, kw_only=True)
    kernel_initializer: str | Initializer = field(default="auto", kw_only=True)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = _CONSTRAINTS
    _input_checks: ClassVar[dict[str, Any]] = _CHECK_X
    # Like scikit-learn's perceptrons, which warn of convergence only.
    _warns_of_values: ClassVar[bool] = False
    _prints_like_sklearn: ClassVar[bool] = True

    @override
    def _hidden_layers(self, in_shape: Shape, *, is_guessed: bool) -> list[Entry]:
        return _perceptron_layers(self, in_shape)

    @property
    def coefs_(self) -> LayerArrays:
        """Weight matrices of shape (n_in, n_out), views into the network's weights."""
        return _arrays(self, "kernel", "coefs_")

    @coefs_.setter
    def coefs_(self, values: Iterable[npt.ArrayLike]) -> None:
        _set_arrays(self, "kernel", "coefs_", values)

    @property
    def intercepts_(self) -> LayerArrays:
        """Bias vectors, views into the network's weights."""
        return _arrays(self, "bias", "intercepts_")

    @intercepts_.setter
    def intercepts_(self, values: Iterable[npt.ArrayLike]) -> None:
        _set_arrays(self, "bias", "intercepts_", values)


@documented
@dataclass(eq=False, repr=False)
class MLPClassifier(_Perceptron[ClassTargets], NetworkClassifier):
    """Multi-layer perceptron classifier, a drop-in replacement for scikit-learn's.

    With the same `random_state` and float64 input, it draws the same random numbers in
    the same order, and its `coefs_` are the same up to rounding.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int or int, default=(100,)
        The number of units of each hidden layer.
    activation : str or tuple of str, default="relu"
        The activation function of the hidden layers: "identity", "logistic", "tanh",
        "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "hard_swish",
        "mish", "softplus", "softsign", "hard_sigmoid" or "step" (only for weights that
        are set by hand). A tuple gives one function per hidden layer.
    n_hidden_layers : int, default=None
        The number of hidden layers. Together with `n_hidden_units`, it is an
        alternative to `hidden_layer_sizes`: plain numbers that a random search can draw
        from distributions. None means 1 if `n_hidden_units` is given.
    n_hidden_units : int, default=None
        The number of units in each hidden layer. None means 100 if `n_hidden_layers` is
        given.
    dropout : float or tuple, default=0.0
        The fraction of values set to zero in training after each hidden layer. A tuple
        gives one rate per hidden layer.
    kernel_initializer : str or Initializer, default="auto"
        The distribution of the initial kernels, see `skconvnet.layers.Dense`. "auto"
        is the one that scikit-learn uses.
    {training}
    {classifier}

    Attributes
    ----------
    coefs_ : list of ndarray
        The weight matrices, of shape (n_in, n_out). They, their items and their
        elements can be assigned, as in scikit-learn, for ``predict``, ``partial_fit``
        and warm starts. A plain ``fit`` draws new weights; use `set_weights` for those
        that `fit` shall start from.
    intercepts_ : list of ndarray
        The bias vectors, which can be assigned as well.
    {attributes}
    classes_ : ndarray of shape (n_classes,), or list of such arrays
        The class labels, of each column of y if it has several columns of labels.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skconvnet import MLPClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier((20,), solver="lbfgs", random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.95
    True
    """

    # scikit-learn's MLPClassifier accepts y of a single class, and so does this one.
    _allows_one_class: ClassVar[bool] = True


@documented
@dataclass(eq=False, repr=False)
class MLPRegressor(_Perceptron[RealTargets], NetworkRegressor):
    """Multi-layer perceptron regressor, a drop-in replacement for scikit-learn's.

    With the same `random_state` and float64 input, it draws the same random numbers in
    the same order, and its `coefs_` are the same up to rounding.

    Parameters
    ----------
    loss : str or Loss, default="squared_error"
        The loss function, summed over the outputs:

        - "squared_error": half the squared error. As in scikit-learn, the reported
          value is the mean over the outputs.
        - "absolute_error": the absolute error.
        - "huber": the Huber loss with ``delta=1``.
        - "quantile": the pinball loss of the median.
        - "poisson": half the Poisson deviance, with an exponential output; requires
          y >= 0.

        Alternatively, an object of `skconvnet.losses`, such as ``Huber(delta=2)`` or
        ``Quantile(0.9)``, whose parameters a search reaches as ``loss__delta``.
    hidden_layer_sizes : array-like of int or int, default=(100,)
        The number of units of each hidden layer.
    activation : str or tuple of str, default="relu"
        The activation function of the hidden layers: "identity", "logistic", "tanh",
        "relu", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "hard_swish",
        "mish", "softplus", "softsign", "hard_sigmoid" or "step" (only for weights that
        are set by hand). A tuple gives one function per hidden layer.
    n_hidden_layers : int, default=None
        The number of hidden layers. Together with `n_hidden_units`, it is an
        alternative to `hidden_layer_sizes`: plain numbers that a random search can draw
        from distributions. None means 1 if `n_hidden_units` is given.
    n_hidden_units : int, default=None
        The number of units in each hidden layer. None means 100 if `n_hidden_layers` is
        given.
    dropout : float or tuple, default=0.0
        The fraction of values set to zero in training after each hidden layer. A tuple
        gives one rate per hidden layer.
    kernel_initializer : str or Initializer, default="auto"
        The distribution of the initial kernels, see `skconvnet.layers.Dense`. "auto"
        is the one that scikit-learn uses.
    {training}

    Attributes
    ----------
    coefs_ : list of ndarray
        The weight matrices, of shape (n_in, n_out). They, their items and their
        elements can be assigned, as in scikit-learn, for ``predict``, ``partial_fit``
        and warm starts. A plain ``fit`` draws new weights; use `set_weights` for those
        that `fit` shall start from.
    intercepts_ : list of ndarray
        The bias vectors, which can be assigned as well.
    {attributes}

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skconvnet import MLPRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> reg = MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", max_iter=5000,
    ...                    random_state=0)
    >>> reg = make_pipeline(StandardScaler(), reg).fit(X, y)
    >>> reg.score(X, y) > 0.5
    True
    """

    loss: str | Loss = "squared_error"
    _losses: ClassVar[dict[str, type[Loss]]] = {
        **REGRESSION_LOSSES,
        "squared_error": MeanOutputSquaredError,
    }
