"""Where a new training starts: from drawn weights, or from those that the user set.

`set_weights` says where the next `fit` starts. That fit builds its network as always,
and so draws the same random numbers as always; then it copies the arrays of the
previous network over the drawn ones. Only the weights stay: the optimizer, the
schedule and the history are new. After that, `fit` draws new weights again. A warning
tells that frozen layers have weights that were drawn, since nothing changes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._typing import Shape
from skconvnet.engine.network import Network
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.estimators._introspection import weights_and_buffers


def start_from(network: Network, previous: Network) -> None:
    """Copy all weights and buffers of the previous network into a new one.

    Raises
    ------
    ValueError
        If their names or shapes differ, or a value is too large for the dtype of the
        new network. Then nothing is copied.
    """
    if network.shapes != previous.shapes:
        raise ValueError(
            "set_weights was called, so fit starts from the weights of the present "
            "network, but these do not fit the network for this X, y and these "
            f"hyperparameters: {_differences(previous.shapes, network.shapes)}. Call "
            "initialize(X, y) to build the network that is needed, with new weights."
        )
    own, others = weights_and_buffers(network), weights_and_buffers(previous)
    with np.errstate(over="ignore"):
        copies = {name: others[name].astype(own[name].dtype) for name in own}
    _check_finite(copies, network.dtype)
    for name, array in copies.items():
        own[name][...] = array


def warn_of_frozen_start(network: Network) -> None:
    """Warn if layers are frozen whose weights have just been drawn.

    Layers with statistics of the training set are of use without training.
    """
    names = [name for name in network.weights if name not in network.layout.shapes]
    frozen = dict.fromkeys(name.rpartition("/")[0] for name in names)
    useful = {name for name, la in network.layers.items() if la.keeps_statistics}
    layers = [name for name in frozen if name not in useful]
    if layers:
        warn_caller(
            f"The weights of {', '.join(map(repr, layers))} are frozen "
            "(trainable=False), but this fit draws them, and does not train them. "
            "To keep the weights of a network, set warm_start=True before another fit, "
            "or call initialize(X, y) and set_weights before this one. Clones, which "
            "searches fit, have no weights."
        )


def _check_finite(arrays: Mapping[str, npt.NDArray[Any]], dtype: np.dtype) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f"fit starts from the weights that were set, but {name!r} has values "
                f"that are not finite in {dtype}, the dtype of the network for this X. "
                "Set smaller values, or dtype='float64'."
            )


def _differences(present: Mapping[str, Shape], needed: Mapping[str, Shape]) -> str:
    """Describe which arrays have another shape, are missing or are left over."""
    parts = [
        f"{name!r} has shape {shape}, but {needed[name]} is needed"
        for name, shape in present.items()
        if needed.get(name, shape) != shape
    ]
    missing = [name for name in needed if name not in present]
    if missing:
        parts.append(f"the present network has no {', '.join(map(repr, missing))}")
    extra = [name for name in present if name not in needed]
    if extra:
        parts.append(f"the new network has no {', '.join(map(repr, extra))}")
    return "; ".join(parts)
