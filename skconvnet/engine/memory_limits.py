"""Refusal of networks that cannot fit into the memory of this machine."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from skconvnet._memory import in_words, total_memory
from skconvnet._typing import Shape
from skconvnet.layers.base import Layer


def check_network_fits(
    layers: Mapping[str, Layer[Any]], dtype: npt.DTypeLike, n_copies: float = 1
) -> None:
    """Raise a ValueError if a network needs more than all memory of this machine.

    Parameters
    ----------
    layers : mapping of str to Layer
    dtype : dtype
    n_copies : float, default=1
        How many vectors of the size of the weights there are: the weights themselves
        and, in training, their gradient and the moments of the optimizer.
    """
    itemsize = np.dtype(dtype).itemsize
    weights = {
        name: itemsize * _n_values({**layer.weight_shapes, **layer.buffer_shapes})
        for name, layer in layers.items()
    }
    trained = sum(
        itemsize * _n_values({**layer.trained_shapes, **layer.updated_shapes})
        for layer in layers.values()
    )
    needed = sum(weights.values()) + (n_copies - 1) * trained
    if needed > total_memory():
        for_training = ", their gradient and the optimizer" if n_copies > 1 else ""
        raise ValueError(
            f"This network would need {in_words(sum(weights.values()))} for weights, "
            f"{_largest(weights)}, and {in_words(needed)} for the weights"
            f"{for_training}; this machine has {in_words(total_memory())} of memory. "
            "Use fewer units or filters, smaller kernels, or pooling (or "
            "GlobalAvgPool) before the first dense layer."
        )
    # Every layer keeps its output for the backward pass, for at least one sample.
    maps = {name: itemsize * prod(layer.out_shape) for name, layer in layers.items()}
    if needed + sum(maps.values()) > total_memory():
        raise ValueError(
            f"This network would need {in_words(sum(maps.values()))} for the outputs "
            f"of its layers per sample, {_largest(maps)}; this machine has "
            f"{in_words(total_memory())} of memory. Use fewer filters, less padding, "
            "larger strides or more pooling."
        )


def _n_values(shapes: Mapping[str, Shape]) -> int:
    return sum(prod(shape) for shape in shapes.values())


def _largest(n_bytes: Mapping[str, int]) -> str:
    """Name up to three layers that need most.

    >>> _largest({"conv1": 2000, "dense1": 618 * 10**9})
    'of which dense1 618 GB, conv1 2 kB'
    """
    order = sorted(n_bytes, key=lambda name: -n_bytes[name])
    parts = [f"{name} {in_words(n_bytes[name])}" for name in order if n_bytes[name]]
    return f"of which {', '.join(parts[:3])}"
