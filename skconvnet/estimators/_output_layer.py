"""Warnings about a last layer that does not suit the output layer, or y."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from skconvnet.engine.network import Network
from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.layers.conv import Conv1D, Conv2D, Conv3D
from skconvnet.layers.dense import Dense
from skconvnet.layers.flatten import FlattenLayer
from skconvnet.params.base import LayerSpec

# The activations of outputs in Keras, other than softmax, which is refused anyway.
_OF_OUTPUTS = (None, "identity", "logistic")


def warn_of_second_output(
    specs: Sequence[tuple[str, LayerSpec]],
    n_outputs: Collection[int],
    *,
    predicts_maps: bool = False,
) -> None:
    """Warn if the last layer is what Keras and PyTorch have as their output layer.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
        The layers before the output layer.
    n_outputs : collection of int
        The numbers of units that an output layer may have for this y.
    predicts_maps : bool, default=False
        Whether the output layer has outputs for each position. Then a convolution with
        kernels of size 1 looks like it.
    """
    if not specs:
        return
    name, spec = specs[-1]
    word, number = _size_of_output(spec, predicts_maps=predicts_maps)
    if number in n_outputs:
        warn_caller(
            f"The last layer, {name!r} with {word}={number}, looks like an output "
            "layer. The output layer is added from y, after this one: leave out "
            f"{name!r}, or give it another activation or number of {word}.",
        )


def warn_of_flattened_steps(
    network: Network, specs: Sequence[tuple[str, LayerSpec]], n_columns: int
) -> None:
    """Warn if y has as many columns as the sequence that is flattened for it has steps.

    Parameters
    ----------
    network : Network
    specs : sequence of (str, LayerSpec)
        The layers that the user gave.
    n_columns : int
        Number of columns of y.
    """
    *_, (name, before), _ = [("", None), *network.layers.items()]
    if not isinstance(before, FlattenLayer) or name in dict(specs) or not specs:
        return
    if len(before.in_shape) != 2 or n_columns < 2:
        return
    if before.in_shape[0] == n_columns:
        warn_caller(
            f"y of shape (n_samples, {n_columns}) is read as {n_columns} outputs of "
            f"a sample, for which the {n_columns} steps of {specs[-1][0]!r} are "
            "flattened. If it has a target for each step, pass y[..., None], of shape "
            f"(n_samples, {n_columns}, 1). If not, put Flatten() at the end of layers.",
        )


def _size_of_output(spec: LayerSpec, *, predicts_maps: bool) -> tuple[str, int | None]:
    """Return the number of outputs of such a layer, with its name; None for another."""
    if not predicts_maps:
        is_like_it = type(spec) is Dense and spec.activation in _OF_OUTPUTS
        return "units", getattr(spec, "units", None) if is_like_it else None
    if isinstance(spec, (Conv1D, Conv2D, Conv3D)) and spec.activation in _OF_OUTPUTS:
        is_like_it = bool(np.all(np.asarray(spec.kernel_size) == 1))
        return "filters", spec.filters if is_like_it else None
    return "filters", None
