"""Which weights of a network are matrices, and which of these are hidden.

Some optimizers, such as `skconvnet.optimizers.Muon`, update them as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from skconvnet.layers.base import Layer
from skconvnet.ops.matrix_form import MatrixForm


def matrices_of(layers: Mapping[str, Layer[Any]]) -> dict[str, MatrixForm]:
    """Return the matrices of layers in a row, by the names ``"layer/array"``."""
    return {
        f"{name}/{array}": form
        for name, layer in layers.items()
        for array, form in layer.matrices.items()
    }


def input_matrices_of(layers: Mapping[str, Layer[Any]]) -> tuple[str, ...]:
    """Return the names of the matrices that multiply the input of layers in a row.

    These are in the first layer that has any. A layer of tokens before it leaves none,
    nor does a kernel that is not learned.
    """
    for name, layer in layers.items():
        if layer.matrices or layer.takes_tokens or "kernel" in layer.buffer_shapes:
            return tuple(f"{name}/{array}" for array in layer.input_matrices)
    return ()


def hidden_matrices_of(layers: Mapping[str, Layer[Any]]) -> dict[str, MatrixForm]:
    """Return the matrices of a network, without those of its input and its output.

    The output is the last layer.

    Examples
    --------
    >>> from skconvnet.layers import Dense, Rescaling
    >>> layers = {
    ...     "scale": Rescaling(2).build((5,)),
    ...     "first": Dense(4).build((5,)),
    ...     "second": Dense(4).build((4,)),
    ...     "output": Dense(3).build((4,)),
    ... }
    >>> list(hidden_matrices_of(layers))
    ['second/kernel']
    """
    *before, _ = layers
    hidden = matrices_of({name: layers[name] for name in before})
    for name in input_matrices_of(layers):
        hidden.pop(name, None)
    return hidden
