"""Recurrent layers step by step, in any dtype and with any activation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from skconvnet.layers.recurrent_base import RecurrentLayer
from skconvnet.onnx.activations import activate
from skconvnet.onnx.graph import Graph
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.recurrent.gru_reset_after import ResetAfterCell
from skconvnet.ops.recurrent.lstm import LSTMCell

# Adds a step to the body, given the input and the states; returns the next states, of
# which the first is the output.
_Step = Callable[["_Body", str, list[str]], list[str]]


class _Body:
    """The graph of one step.

    Parameters
    ----------
    graph : Graph
        Its own.
    layer : RecurrentLayer
    """

    def __init__(self, graph: Graph, layer: RecurrentLayer) -> None:
        self.graph = graph
        self.layer = layer
        self.add = graph.add

    def product(self, x: str, array: str, gate: int, bias: int | None = None) -> str:
        """Add the product of x and the columns of a gate, and a row of the bias."""
        columns = self.layer.cell.block(gate)
        kernel = self.layer.weights[array][:, columns]
        y = self.add("MatMul", x, self.graph.numbers(kernel, array))
        if bias is None or "bias" not in self.layer.weights:
            return y
        values = np.atleast_2d(self.layer.weights["bias"])[bias, columns]
        return self.add("Add", y, self.graph.numbers(values, "bias"))

    def sums(self, x: str, h: str, gate: int, bias_of_h: int | None = None) -> str:
        """Add both products of a gate."""
        own = self.product(x, "kernel", gate, 0)
        return self.add(
            "Add", own, self.product(h, "recurrent_kernel", gate, bias_of_h)
        )

    def gate(self, z: str) -> str:
        """Add the activation of a gate."""
        return activate(self.graph, z, self.layer.cell.recurrent_activation)

    def activate(self, z: str) -> str:
        """Add the activation of the state."""
        return activate(self.graph, z, self.layer.cell.activation)


def all_steps(
    graph: Graph, layer: RecurrentLayer, steps: str, *, backwards: bool
) -> str:
    """Return the states (length, batch, units), in the order of their computation.

    `steps` are the inputs, of shape (length, batch, channels). If `backwards`, the last
    one comes first.
    """
    add_step, n_states = _step(layer)
    units, n_in = layer.cell.units, layer.in_shape[-1]
    own = graph.body("step")
    prefix = "/".join(own.path)
    states = [
        own.input(f"{prefix}/state_{i}", graph.dtype, (units,)) for i in range(n_states)
    ]
    x = own.input(f"{prefix}/x", graph.dtype, (n_in,))
    after = add_step(_Body(own, layer), x, states)
    for i, value in enumerate(after):
        own.output(value, f"{prefix}/state_{i}_after", graph.dtype, (units,))
    own.output(after[0], f"{prefix}/y", graph.dtype, (units,))
    zeros = _zeros(graph, steps, units)
    return graph.scan(own, [zeros] * n_states, steps, reverse=backwards)


def _zeros(graph: Graph, steps: str, units: int) -> str:
    """Return zeros of shape (batch, units)."""
    batch_axis = graph.constant(np.array([1], np.int64), "axis")
    batch = graph.add("Gather", graph.add("Shape", steps), batch_axis)
    own = graph.constant(np.array([units], np.int64), "units")
    shape = graph.add("Concat", batch, own, axis=0)
    return graph.add("Expand", graph.numbers([[0.0]], "zero"), shape)


def _step(layer: RecurrentLayer) -> tuple[_Step, int]:
    """Return what adds a step, and the number of its states."""
    if isinstance(layer.cell, LSTMCell):
        return _lstm, 2
    if isinstance(layer.cell, ResetAfterCell):
        return _reset_after, 1
    if isinstance(layer.cell, GRUCell):
        return _reset_before, 1
    return _simple, 1


def _simple(body: _Body, x: str, states: list[str]) -> list[str]:
    return [body.activate(body.sums(x, states[0], 0))]


def _lstm(body: _Body, x: str, states: list[str]) -> list[str]:
    h, c = states
    i, f, g, o = (body.sums(x, h, gate) for gate in range(4))
    kept = body.add("Mul", body.gate(f), c)
    c = body.add("Add", kept, body.add("Mul", body.gate(i), body.activate(g)))
    return [body.add("Mul", body.gate(o), body.activate(c)), c]


def _reset_after(body: _Body, x: str, states: list[str]) -> list[str]:
    (h,) = states
    z, r = (body.gate(body.sums(x, h, gate, 1)) for gate in range(2))
    p = body.product(h, "recurrent_kernel", 2, 1)
    own = body.product(x, "kernel", 2, 0)
    g = body.activate(body.add("Add", own, body.add("Mul", r, p)))
    return [_mixed(body, z, h, g)]


def _reset_before(body: _Body, x: str, states: list[str]) -> list[str]:
    (h,) = states
    z, r = (body.gate(body.sums(x, h, gate)) for gate in range(2))
    g = body.activate(body.sums(x, body.add("Mul", r, h), 2))
    return [_mixed(body, z, h, g)]


def _mixed(body: _Body, z: str, h: str, g: str) -> str:
    """Add ``z * h + (1 - z) * g``."""
    return body.add("Add", g, body.add("Mul", z, body.add("Sub", h, g)))
