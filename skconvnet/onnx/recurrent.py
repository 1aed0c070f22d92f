"""Recurrent layers, as operators of ONNX or step by step.

The operators have the states of all steps as (length, directions, batch, units), and
inputs of shape (length, batch, channels).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from skconvnet.layers.bidirectional import BidirectionalLayer
from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.onnx.graph import Graph
from skconvnet.onnx.lengths import last_steps, reverse_steps
from skconvnet.onnx.recurrent_steps import all_steps
from skconvnet.ops.recurrent.cell import Cell
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.recurrent.gru_reset_after import ResetAfterCell
from skconvnet.ops.recurrent.lstm import LSTMCell

# The activations that all runtimes have in these operators.
_ACTIVATIONS = {"tanh": "Tanh", "logistic": "Sigmoid", "relu": "Relu"}


class _Operator(NamedTuple):
    """An operator, and the position in our kernels of each gate that it has."""

    name: str
    order: tuple[int, ...]
    activations: tuple[str, ...]


def recurrent(graph: Graph, layer: RecurrentLayer, x: str) -> str:
    """Convert `LSTM`, `GRU` and `SimpleRNN`."""
    lengths = graph.lengths.get(x)
    return _as_output(graph, layer, _states(graph, layer, x, lengths), lengths)


def bidirectional(graph: Graph, layer: BidirectionalLayer, x: str) -> str:
    """Convert `Bidirectional`."""
    ys, lengths = [], graph.lengths.get(x)
    for name, own in layer.directions.items():
        with graph.layer(name):
            states = _states(graph, own, x, lengths)
            if own.options.go_backwards and own.options.return_sequences:
                states = _reversed(graph, states, lengths)
            ys.append(_as_output(graph, own, states, lengths))
    if layer.merge == "concat":
        return graph.add("Concat", *ys, axis=1)
    y = graph.add("Mul" if layer.merge == "mul" else "Add", *ys)
    if layer.merge == "ave":
        y = graph.add("Mul", y, graph.numbers(0.5))
    return y


def _states(graph: Graph, layer: RecurrentLayer, x: str, lengths: str | None) -> str:
    """Add all steps; return the states (length, batch, units) as they are computed.

    Padding comes last among them.
    """
    steps = graph.add("Transpose", x, perm=[2, 0, 1])
    backwards = layer.options.go_backwards
    if backwards and lengths is not None:
        steps, backwards = _reversed(graph, steps, lengths), False
    operator = _operator(layer.cell)
    known = all(name in _ACTIVATIONS for name in operator.activations)
    if graph.is_double or not known:  # for which runtimes have no operators
        return all_steps(graph, layer, steps, backwards=backwards)
    cell = layer.cell
    arrays = [
        _rows(cell, layer.weights[name].T, operator.order)[np.newaxis]
        for name in ("kernel", "recurrent_kernel")
    ]
    inputs = [graph.numbers(array, "kernel") for array in arrays]
    bias = layer.weights.get("bias", np.zeros(layer.weights["kernel"].shape[1]))
    two = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    both = [_rows(cell, row, operator.order) for row in two]
    inputs.append(graph.numbers(np.concatenate(both)[np.newaxis], "bias"))
    if lengths is not None:  # the states of other steps are 0
        inputs.append(graph.cast(lengths, np.int32))
    attributes = {}
    if isinstance(cell, GRUCell):
        attributes["linear_before_reset"] = int(isinstance(cell, ResetAfterCell))
    y = graph.add(
        operator.name,
        steps,
        *inputs,
        hidden_size=cell.units,
        direction="reverse" if backwards else "forward",
        activations=[_ACTIVATIONS[name] for name in operator.activations],
        **attributes,
    )
    y = graph.add("Squeeze", y, graph.constant(np.array([1]), "axes"))
    return _reversed(graph, y, None) if backwards else y


def _operator(cell: Cell) -> _Operator:
    f, s = cell.activation.name, cell.recurrent_activation.name
    if isinstance(cell, LSTMCell):
        return _Operator("LSTM", (0, 3, 1, 2), (s, f, f))
    if isinstance(cell, GRUCell):
        return _Operator("GRU", (0, 1, 2), (s, f))
    return _Operator("RNN", (0,), (f,))


def _rows(
    cell: Cell, array: npt.NDArray[np.floating], order: tuple[int, ...]
) -> npt.NDArray[np.floating]:
    """Return the rows of the gates in another order."""
    return np.concatenate([array[cell.block(number)] for number in order])


def _as_output(
    graph: Graph, layer: RecurrentLayer, states: str, lengths: str | None
) -> str:
    """Return the output of a layer, given the states in its order."""
    if layer.options.return_sequences:
        return graph.add("Transpose", states, perm=[1, 2, 0])
    if lengths is not None:
        return last_steps(graph, states, lengths)
    last = graph.constant(np.int64(layer.in_shape[0] - 1), "last")
    return graph.add("Gather", states, last, axis=0)


def _reversed(graph: Graph, states: str, lengths: str | None) -> str:
    """Reverse the order of the steps, but leave padding at the end."""
    if lengths is not None:
        return reverse_steps(graph, states, lengths)
    largest = np.iinfo(np.int64).max
    start, stop, axis, step = (
        graph.constant(np.array([number], np.int64), name)
        for name, number in (
            ("start", -1),
            ("stop", -largest),
            ("axis", 0),
            ("step", -1),
        )
    )
    return graph.add("Slice", states, start, stop, axis, step)
