"""The size of outputs, which is the same for all samples of one array."""

from __future__ import annotations

from skconvnet._typing import Shape
from skconvnet.engine.network import Network


class DifferentSizesError(ValueError):
    """The outputs of samples differ in size, and cannot be one array."""


def output_shape(network: Network, stop: int | None) -> Shape:
    """Return the shape of the outputs, or of the activations before layer `stop`."""
    layers = list(network.layers.values())[:stop]
    return layers[-1].out_shape if layers else network.in_shape


def check_same_size(shape: Shape, expected: Shape) -> None:
    """Raise a DifferentSizesError if the outputs of some samples have another size."""
    if shape != expected:
        raise DifferentSizesError(
            f"The outputs have different sizes, such as {expected} and {shape}, and "
            "cannot be one array; pass samples of one size at a time."
        )
