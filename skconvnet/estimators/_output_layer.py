"""A warning about a last layer that repeats the output layer."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from skconvnet.estimators._caller_warnings import warn_caller
from skconvnet.layers.dense import Dense
from skconvnet.params.base import LayerSpec

# The activations of outputs in Keras, other than softmax, which is refused anyway.
_OF_OUTPUTS = (None, "identity", "logistic")


def warn_of_second_output(
    specs: Sequence[tuple[str, LayerSpec]], n_outputs: Collection[int]
) -> None:
    """Warn if the last layer is what Keras and PyTorch have as their output layer.

    Parameters
    ----------
    specs : sequence of (str, LayerSpec)
        The layers before the output layer.
    n_outputs : collection of int
        The numbers of units that an output layer may have for this y.
    """
    if not specs:
        return
    name, spec = specs[-1]
    if type(spec) is not Dense or spec.activation not in _OF_OUTPUTS:
        return
    if spec.units in n_outputs:
        warn_caller(
            f"The last layer, {name!r} with units={spec.units}, looks like an output "
            "layer. The output layer is added from y, after this one: leave out "
            f"{name!r}, or give it another activation or number of units.",
        )
