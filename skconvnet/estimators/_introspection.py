"""Access to the weights, gradients and layers of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_array

from skconvnet.engine.executor import Executor
from skconvnet.engine.finite import all_finite
from skconvnet.engine.minibatches import Samples
from skconvnet.engine.network import Network
from skconvnet.losses import Loss
from skconvnet.training.regularization import add_penalty


def weights_and_buffers(network: Network) -> dict[str, npt.NDArray[Any]]:
    """Return all named arrays of a network, without copying them."""
    return {**network.weights, **network.buffers}


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
        checked[name] = _checked(name, values, own[name])
    for name, array in checked.items():
        own[name][...] = array


def _checked(name: str, values: object, own: npt.NDArray[Any]) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = check_array(
        values,
        ensure_2d=False,
        allow_nd=True,
        ensure_min_samples=0,
        dtype=own.dtype,
        input_name=f"weights[{name!r}]",
    )
    if array.shape != own.shape:
        raise ValueError(
            f"weights[{name!r}] must have shape {own.shape}; got an array of shape "
            f"{array.shape}."
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
) -> tuple[float, dict[str, npt.NDArray[Any]]]:
    """Return the loss, including the penalty, and its gradients by name."""
    gradient = np.empty_like(network.vector)
    full_batch = slice(0, len(samples))
    with Executor(network, loss, n_threads) as executor:
        value, total = executor.loss_and_gradient(
            samples, full_batch, gradient, train=False
        )
        n = network.layout.n_penalized
        value += add_penalty(network.vector[:n], gradient[:n], alpha / total, l1_ratio)
    if not np.isfinite(value) or not all_finite(gradient):
        raise ValueError(
            f"The loss is {value} and its gradients are not all finite: numbers inside "
            f"the network exceed the largest {network.dtype}, which is "
            f"{np.finfo(network.dtype).max:.2g}. X, y or a weight is very large. "
            "Rescale X and y, for example with StandardScaler, and fit again."
        )
    views = network.layout.views(gradient)
    return value, {name: view.copy() for name, view in views.items()}


def position_after(network: Network, layer: object) -> int | None:
    """Return the number of layers up to and including `layer`; None for the output."""
    names = list(network.layers)
    if layer not in names:
        raise ValueError(
            f"layer must be one of {', '.join(map(repr, names))}; got {layer!r}."
        )
    position = names.index(str(layer)) + 1
    return None if position == len(names) else position
