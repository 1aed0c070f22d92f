"""The passes of a cell over sequences, in blocks of steps.

All steps of a block share what does not depend on the state: the product of inputs and
kernel in the forward pass, the factors in the backward pass. These are computed for the
whole block in few calls. A block is so short that they are still in the cache when its
steps use them. The steps themselves are (rows, batch), contiguous, in arrays of shape
(steps, rows, batch). Maps, with the channels first, are written once for each block.

Samples of different lengths are all computed to the end, since each sample is a column
of its own: its output is taken from its last step, and the gradients of later steps are
zero. Only states are cleared after the end of a sample, so that they cannot overflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from skconvnet._typing import FeatureMap, Lengths
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.recurrent.cell import Cell, CellWeights, steps_or_none
from skconvnet.ops.workspace import Workspace

# Bytes of the gates of all steps in a block.
_BLOCK_BYTES = 2**18
# After the end of a sample, a state may grow until the end of the block.
_MAX_BLOCK_STEPS = 16


@dataclass(frozen=True)
class Steps:
    """What a forward pass keeps for the backward pass.

    Attributes
    ----------
    x : ndarray of shape (n_in, length, batch)
        The inputs, in the order of the steps.
    trace : ndarray of shape (length + 1, n_traced * units, batch)
        See `Cell`.
    mask : ndarray of shape (units, batch) or None
        Of the state, in recurrent dropout.
    """

    x: FeatureMap
    trace: np.ndarray
    mask: np.ndarray | None

    def last_states(
        self, cell: Cell, lengths: Lengths | None, workspace: Workspace
    ) -> np.ndarray:
        """Return h of shape (units, batch) after the last step of each sample."""
        states = self.trace[:, cell.block(cell.state)]
        last = workspace.array("last", states.shape[1:], states.dtype)
        if lengths is None:
            np.copyto(last, states[-1])
        else:  # after no step, h is zero
            np.copyto(last.T, states[lengths, :, np.arange(len(lengths))])
        return last


def forward(
    cell: Cell,
    x: FeatureMap,
    weights: CellWeights,
    mask: np.ndarray | None,
    ys: FeatureMap | None,
    workspace: Workspace,
) -> Steps:
    """Compute all steps.

    Parameters
    ----------
    cell : Cell
    x : ndarray of shape (n_in, length, batch)
    weights : CellWeights
    mask : ndarray of shape (units, batch) or None
        What the state is multiplied by before the recurrent kernel is.
    ys : ndarray of shape (units, length, batch) or None
        Overwritten with h after each step.
    workspace : Workspace
        Its lengths tell where samples end.
    """
    _, length, batch = x.shape
    rows = cell.n_traced * cell.units
    trace = workspace.array("trace", (length + 1, rows, batch), x.dtype)
    trace[0, cell.n_gates * cell.units :] = 0
    prepared = cell.prepare(weights, workspace)
    for steps in _blocks(cell, x):
        own = trace[steps.start : steps.stop + 1]
        _project(cell, x[:, steps], prepared, own[:-1], workspace)
        cell.run(own, prepared, weights, mask, workspace)
        if workspace.lengths is not None:
            first = cell.state + 1 - cell.n_states
            states = own[1:, cell.block(first, cell.n_states)]
            _clear(states, workspace.lengths - steps.start)
        if ys is not None:
            np.copyto(ys[:, steps], own[1:, cell.block(cell.state)].transpose(1, 0, 2))
    return Steps(x, trace, mask)


def _blocks(cell: Cell, x: FeatureMap) -> Iterator[slice]:
    """Yield slices of steps, from the first to the last."""
    _, length, batch = x.shape
    step_bytes = cell.n_gates * cell.units * batch * x.itemsize
    size = min(max(_BLOCK_BYTES // step_bytes, 1), _MAX_BLOCK_STEPS)
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _project(
    cell: Cell,
    x: FeatureMap,
    prepared: CellWeights,
    trace: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write the products of inputs and kernel, and the bias, into the trace."""
    n_in, steps, batch = x.shape
    n_rows = cell.n_gates * cell.units
    products = workspace.scratch("products", (n_rows, steps * batch), x.dtype)
    np.matmul(prepared.kernel.T, x.reshape(n_in, -1), out=products)
    by_step = products.reshape(n_rows, steps, batch).transpose(1, 0, 2)
    if prepared.bias is None:
        np.copyto(trace[:, :n_rows], by_step)
    else:
        np.add(by_step, prepared.bias[:, np.newaxis], out=trace[:, :n_rows])


def _clear(states: np.ndarray, lengths: Lengths) -> None:
    """Clear states, of shape (steps, rows, batch), after the end of each sample."""
    padding = is_padding(lengths, len(states))
    np.copyto(states, states.dtype.type(0), where=padding[:, np.newaxis])


def backward(
    cell: Cell,
    cache: Steps,
    weights: CellWeights,
    dys: FeatureMap | None,
    dlast: np.ndarray | None,
    workspace: Workspace,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the gradients of the gates, and what the recurrent kernel multiplied.

    Parameters
    ----------
    cell : Cell
    cache : Steps
    weights : CellWeights
    dys : ndarray of shape (units, length, batch) or None
        Gradients of h after each step.
    dlast : ndarray of shape (units, batch) or None
        Gradient of h after the last step.
    workspace : Workspace

    Returns
    -------
    collected : ndarray of shape (n_collected * units, length * batch)
        See `Cell`.
    inputs : ndarray of shape (n, units, length * batch)
        The inputs of the recurrent kernel.
    """
    trace, mask = cache.trace, cache.mask
    length, batch, dtype = len(trace) - 1, trace.shape[-1], trace.dtype
    units, n = cell.units, cell.n_factors
    carry = workspace.scratch("carry", (2, units, batch), dtype)
    carry.fill(0)
    if dlast is not None:
        np.copyto(carry[0], dlast)
    maps = (units, length, batch)
    collected = workspace.array("collected", (cell.n_collected, *maps), dtype)
    inputs = workspace.array(
        "recurrent_inputs", (len(cell.recurrent_inputs), *maps), dtype
    )
    kernel = cell.prepare_backward(weights, workspace)
    for steps in reversed(list(_blocks(cell, cache.x))):
        own, n_steps = trace[steps.start : steps.stop + 1], steps.stop - steps.start
        factors, differentials = (
            workspace.scratch(name, (n_steps, n * units, batch), dtype)
            for name in ("factors", "differentials")
        )
        cell.write_factors(own, mask, factors, workspace)
        own_dys = None if dys is None else dys[:, steps].transpose(1, 0, 2)[::-1]
        cell.run_backward(
            factors,
            differentials,
            steps_or_none(own_dys),
            carry,
            kernel,
            mask,
            workspace,
        )
        by_block = differentials.reshape(n_steps, n, units, batch)
        cell.collect(by_block.transpose(1, 2, 0, 3), collected[:, :, steps])
        for block, target in zip(cell.recurrent_inputs, inputs, strict=True):
            values = own[:-1, cell.block(block)].transpose(1, 0, 2)
            np.copyto(target[:, steps], values)
    if mask is not None:
        inputs[0] *= mask[:, np.newaxis]
    columns = length * batch
    return (
        collected.reshape(-1, columns),
        inputs.reshape(len(inputs), units, columns),
    )
