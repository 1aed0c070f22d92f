"""Weights as the list that `set_weights` of a model of Keras takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from skconvnet.engine.network import Network
from skconvnet.interop.counterparts import Counterpart, arrays_of, check_layer_names
from skconvnet.interop.estimators import (
    Estimator,
    Weights,
    checked_network,
    in_units_of_network,
    in_units_of_y,
    is_binary,
)
from skconvnet.interop.foreign_values import as_array, listed
from skconvnet.interop.keras_layers import keras_counterparts
from skconvnet.interop.keras_variables import Slot, aligned
from skconvnet.interop.variants import (
    check_padding,
    difference_of_two,
    without_padding,
)
from skconvnet.layers.embedding import EmbeddingLayer
from skconvnet.params.naming import OUTPUT_NAME

_E = TypeVar("_E", bound=Estimator)


def to_keras_state(
    est: Estimator, *, order: Sequence[str] | None = None
) -> list[npt.NDArray[Any]]:
    """Return the weights of an estimator as the list of a model of Keras 3.

    The model must have the same layers, channels last. `SeparableConv3D` and
    `SpatiallySeparableConv2D` are two convolutions, of which the first has
    ``use_bias=False``; `PReLU` of maps has their spatial axes as ``shared_axes``. A
    `TransformerEncoder` is a ``MultiHeadAttention``, two ``Dense`` and two
    ``LayerNormalization``, in the order in which they run. In Keras, ``epsilon`` of a
    batch, layer or group normalization is 1e-3 unless it is set. `InstanceNorm` is
    ``GroupNormalization(groups=-1)``.

    The model returns what `decision_function` returns, or for a regressor what
    `predict` returns. Layers without weights that are learned are not in the list: for
    a ConvNet with ``rescale="auto"``, pass the model ``est.activations(X, "rescale")``.

    Parameters
    ----------
    est : estimator
        Any estimator of skconvnet that is fitted or initialized.
    order : sequence of str, default=None
        Our layers with weights, in the order of ``model.layers``. A layer inside of
        another is ``"branch/layer"``. None stands for all layers in our order, which is
        that of a ``keras.Sequential``; a functional model has the layers of parallel
        branches in another order.

    Returns
    -------
    weights : list of ndarray
        Copies, for ``model.set_weights(weights)``.

    Raises
    ------
    ValueError
        If a layer has no counterpart in Keras.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import SequentialClassifier
    >>> from skconvnet.interop import to_keras_state
    >>> from skconvnet.layers import Conv2D, Flatten
    >>> layers = [("conv1", Conv2D(4, 3, activation="relu")), ("flatten", Flatten())]
    >>> clf = SequentialClassifier(layers, random_state=0)
    >>> clf = clf.initialize(np.zeros((3, 8, 8, 1)), ["a", "b", "c"])
    >>> [array.shape for array in to_keras_state(clf)]
    [(3, 3, 1, 4), (4,), (144, 3), (3,)]
    """
    counterparts = _ordered(checked_network(est), order)
    weights = in_units_of_y(est, est.get_weights())
    arrays = []
    for own, _, array in arrays_of(counterparts):
        values = weights[own.own_name(array)]
        if isinstance(own.layer, EmbeddingLayer):
            values = without_padding(own, values)
        arrays.append(np.ascontiguousarray(array.arrange(values)))
    return arrays


def from_keras_state(
    est: _E, weights: Sequence[Any], *, order: Sequence[str] | None = None
) -> _E:
    """Replace the weights of an estimator by those of a model of Keras 3.

    The model must have the same layers, see `to_keras_state`. After that, the estimator
    is as after `set_weights`. The two outputs of a softmax for two classes give one
    output, their difference. The buffers of `Standardize`, which ``rescale="auto"`` of
    a ConvNet is, are left as they are.

    Parameters
    ----------
    est : estimator
        An estimator of skconvnet that is fitted or initialized, so that its network is
        known.
    weights : sequence of array or of variable
        ``model.get_weights()``, or ``model.weights``. The names of the latter tell
        which layers have no bias (``use_bias=False``) or no weights (``scale=False``,
        ``center=False``): they get zeros, and a factor of one.
    order : sequence of str, default=None
        Our layers, in the order of the layers with weights of the model, as in
        `to_keras_state`. Layers that are not mentioned keep their weights.

    Returns
    -------
    est : estimator
        The same estimator.

    Raises
    ------
    ValueError
        If number or shapes of the arrays do not fit; all that do not are listed. No
        weight is changed then.

    Examples
    --------
    >>> import numpy as np
    >>> from skconvnet import MLPClassifier
    >>> from skconvnet.interop import from_keras_state
    >>> X, y = np.eye(2), [0, 1]
    >>> clf = MLPClassifier((3,)).initialize(X, y)
    >>> weights = [np.ones((2, 3)), np.zeros(3), np.ones((3, 1)), np.array([-4])]
    >>> from_keras_state(clf, weights).decision_function(X)
    array([-1., -1.])
    """
    counterparts = _ordered(checked_network(est), order)
    ours: Weights = {}
    problems: list[str] = []
    for slot in aligned(counterparts, _checked(weights)):
        _read(slot, ours, problems, binary=is_binary(est))
    if problems:
        raise ValueError(
            f"The weights do not fit the network of this {type(est).__name__}: "
            f"{listed(problems, '; ')}. If the model has its layers in another order, "
            "pass order=[layer, ...]. No weight was changed."
        )
    est.set_weights(in_units_of_network(est, ours))
    return est


def _ordered(network: Network, order: Sequence[str] | None) -> list[Counterpart]:
    """Return the counterparts of the layers that the user gave, in this order."""
    if order is None:
        return keras_counterparts(network)
    if isinstance(order, str) or not isinstance(order, Sequence):
        raise TypeError(
            "order must be a list of names of layers, such as ['conv1', 'output']; got "
            f"{order!r}."
        )
    check_layer_names(order, network, "order")
    if len(set(order)) < len(order):
        raise ValueError(f"order must have each layer once; got {list(order)!r}.")
    by_name = {own.name: own for own in keras_counterparts(network, order)}
    return [by_name[name] for name in order]


def _checked(weights: object) -> list[Any]:
    """Return arrays or variables, or raise a TypeError if they are not in a list."""
    if isinstance(weights, Sequence) and not isinstance(weights, str):
        return list(weights)
    hint = ""
    if hasattr(weights, "get_weights"):
        hint = " Pass model.weights."
    raise TypeError(
        "weights must be a list of arrays, as model.get_weights() returns it; got "
        f"{type(weights).__name__}.{hint}"
    )


def _read(slot: Slot, ours: Weights, problems: list[str], *, binary: bool) -> None:
    """Add an array to `ours`, or what is wrong with it to `problems`."""
    own, module, array, given, where = slot
    own_shape = own.own_shape(array)
    shape = array.shape(own_shape)
    values = np.full(shape, array.default) if given is None else as_array(given, where)
    if isinstance(own.layer, EmbeddingLayer):
        check_padding(own, values)
    if binary and own.name == OUTPUT_NAME:
        values = difference_of_two({"": values}, axis=-1)[""]
    if values.shape != shape:
        problems.append(
            f"{where} must be {array.theirs!r} of layer {own.name!r} ({module.kind}) "
            f"with shape {shape}, but has shape {values.shape}"
        )
        return
    ours[own.own_name(array)] = array.inverse(values, own_shape)
