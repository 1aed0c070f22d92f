"""Access to the weights, gradients and layers of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from skconvnet._suggestions import did_you_mean
from skconvnet._typing import Index, Shape
from skconvnet.engine.executor import Executor
from skconvnet.engine.finite import all_finite
from skconvnet.engine.inputs import Inputs
from skconvnet.engine.interrupts import HeldInterrupts, ReleasedInterrupts
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.engine.predictor import Predictor
from skconvnet.engine.version_mean import VersionMean
from skconvnet.estimators._tensors import check_tensors
from skconvnet.losses import Loss
from skconvnet.training.regularization import add_penalty


def weights_and_buffers(network: Network) -> dict[str, npt.NDArray[Any]]:
    """Return all named arrays of a network, without copying them."""
    return network.arrays


def replace_weights(network: Network, weights: object) -> None:
    """Write arrays into a network; if one is invalid, write none of them."""
    if not isinstance(weights, Mapping):
        raise TypeError(
            "weights must be a mapping of names to arrays, as returned by get_weights; "
            f"got {weights!r}."
        )
    own = weights_and_buffers(network)
    checked = {}
    for name, values in weights.items():
        if name not in own:
            raise ValueError(
                f"weights has an unknown name {name!r}; the names are "
                f"{', '.join(map(repr, own))}."
            )
        checked[name] = checked_copy(values, own[name], f"weights[{name!r}]")
    write_arrays(network, [(own[name], array) for name, array in checked.items()])


def write_arrays(
    network: Network, pairs: Iterable[tuple[npt.NDArray[Any], npt.NDArray[Any]]]
) -> None:
    """Write each second array into the first, a view of the network's weights.

    If this is interrupted, no array has been changed.
    """
    before = network.state.copy()
    try:
        for own, array in pairs:
            own[...] = array
    except BaseException:
        network.state[:] = before
        raise


def checked_copy(values: object, own: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    """Return a copy of new values for the array `own`, or raise an error.

    It is a copy since the values may be views of the same network's weights.
    """
    check_tensors(values, name)
    try:
        array: npt.NDArray[Any] = check_array(
            values,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,
            ensure_min_features=0,
            dtype=own.dtype,
            copy=True,
            input_name=name,
        )
    except (TypeError, ValueError) as error:
        if name in str(error):
            raise
        message = f"{name} must be an array of numbers, of shape {own.shape}: {error}"
        raise ValueError(message) from error
    if array.shape != own.shape:
        raise ValueError(
            f"{name} must have shape {own.shape}; got an array of shape {array.shape}."
        )
    return array


def loss_and_gradients(
    network: Network,
    loss: Loss,
    samples: Samples,
    *,
    n_threads: int,
    alpha: float,
    l1_ratio: float,
    alpha_factors: Mapping[str, float],
) -> tuple[float, dict[str, npt.NDArray[Any]]]:
    """Return the loss, including the penalty, and its gradients by name."""
    gradient = np.empty_like(network.vector)
    full_batch = slice(0, len(samples))
    executor = Executor(network, loss, n_threads)
    with HeldInterrupts(), executor, ReleasedInterrupts():
        value, total = executor.loss_and_gradient(
            samples, full_batch, gradient, train=False
        )
        n = network.layout.n_penalized
        runs = network.layout.penalized_runs(alpha_factors)
        value += add_penalty(
            network.vector[:n], gradient[:n], alpha / total, l1_ratio, runs
        )
    if not np.isfinite(value) or not all_finite(gradient):
        raise ValueError(
            f"The loss is {value} and its gradients are not all finite: numbers inside "
            f"the network exceed the largest {network.dtype}, which is "
            f"{np.finfo(network.dtype).max:.2g}. X, y or a weight is very large. "
            "Rescale X and y, for example with StandardScaler, and fit again."
        )
    views = network.layout.views(gradient)
    return value, {name: view.copy() for name, view in views.items()}


def outputs_of(
    network: Network,
    loss: Loss,
    inputs: Inputs,
    index: Index | None = None,
    *,
    n_threads: int,
    stop: int | None = None,
    scores: bool = False,
    pooling: str | None = None,
    means: Mapping[Shape, VersionMean] | None = None,
) -> Any:  # noqa: ANN401  an array, or a list of maps of different sizes
    """Return what `Predictor.outputs` returns, from a predictor for this call alone.

    Outputs that are maps of different sizes are returned as a list.
    """
    predictor = Predictor(network, loss, n_threads)
    with HeldInterrupts(), predictor, ReleasedInterrupts():
        if stop is None and pooling is None and network.predicts_maps:
            return predictor.maps(inputs, index, scores=scores, means=means)
        return predictor.outputs(
            inputs, index, stop=stop, scores=scores, pooling=pooling, means=means
        )


def position_after(network: Network, layer: object) -> int | None:
    """Return the number of layers up to and including `layer`; None for the output."""
    names = list(network.layers)
    if layer not in names:
        raise ValueError(
            f"layer must be one of {', '.join(map(repr, names))}; got {layer!r}."
            f"{did_you_mean(str(layer), names)}"
        )
    position = names.index(str(layer)) + 1
    return None if position == len(names) else position
