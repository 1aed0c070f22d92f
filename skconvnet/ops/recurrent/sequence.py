"""The passes of a cell over sequences, in blocks of steps.

Within a block, inputs and factors are written for all steps at once, and gradients of
weights and inputs are one product each. A block is so short that all of them stay in
the cache. The arrays of a step are (rows, batch), contiguous. Maps, with the channels
first, are read and written once for each block.

Samples of different lengths are all computed to the end, since each sample is a column
of its own: its output is taken from its last step, and the gradients of later steps are
zero. Only states are cleared after the end of a sample, so that they cannot overflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from skconvnet._typing import FeatureMap
from skconvnet.ops.recurrent.cell import Cell, CellWeights, steps_or_none
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace

# Bytes of the gates of all steps in a block.
_BLOCK_BYTES = 2**20
# With fewer columns, adding the products of each block to the sums of all blocks would
# take too large a share of the time.
_MIN_COLUMNS = 256
# After the end of a sample, a state may grow until the end of the block.
_MAX_BLOCK_STEPS = 16


class Masks(NamedTuple):
    """What dropout multiplies values by, the same at all steps, or None.

    Attributes
    ----------
    x : ndarray of shape (n_in, batch) or None
    h : ndarray of shape (units, batch) or None
        Only where h is multiplied by the recurrent kernel.
    """

    x: np.ndarray | None
    h: np.ndarray | None


def forward(
    cell: Cell,
    x: FeatureMap,
    weights: CellWeights,
    masks: Masks,
    ys: FeatureMap | None,
    workspace: Workspace,
) -> Trace:
    """Compute all steps.

    Parameters
    ----------
    cell : Cell
    x : ndarray of shape (n_in, length, batch)
    weights : CellWeights
    masks : Masks
    ys : ndarray of shape (units, length, batch) or None
        Overwritten with h after each step.
    workspace : Workspace
        Its lengths tell where samples end.
    """
    trace = Trace.start(x, cell.units, cell.n_blocks, masks.h, workspace)
    prepared = cell.prepare(weights, workspace)
    for steps in _blocks(cell, trace):
        own = trace.steps(steps)
        np.copyto(own.x, x[:, steps].transpose(1, 0, 2))
        if masks.x is not None:
            np.multiply(own.x, masks.x, out=own.x)
        cell.run(own, prepared, workspace)
        if workspace.lengths is not None:
            own.clear_after(workspace.lengths - steps.start, cell.states)
        if ys is not None:
            np.copyto(ys[:, steps], own.h_after.transpose(1, 0, 2))
    return trace


def _blocks(cell: Cell, trace: Trace) -> Iterator[slice]:
    """Yield slices of steps, from the first to the last."""
    n_steps, _, batch = trace.values.shape
    length = n_steps - 1
    step_bytes = cell.n_gates * cell.units * batch * trace.values.itemsize
    size = max(_BLOCK_BYTES // step_bytes, -(-_MIN_COLUMNS // batch))
    size = min(size, _MAX_BLOCK_STEPS)
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def backward(
    cell: Cell,
    trace: Trace,
    weights: CellWeights,
    dys: FeatureMap | None,
    dlast: np.ndarray | None,
    gradients: CellWeights | None,
    dx: FeatureMap | None,
    workspace: Workspace,
) -> None:
    """Compute all steps backward.

    Parameters
    ----------
    cell : Cell
    trace : Trace
    weights : CellWeights
    dys : ndarray of shape (units, length, batch) or None
        Gradients of h after each step.
    dlast : ndarray of shape (units, batch) or None
        Gradient of h after the last step.
    gradients : CellWeights or None
        Overwritten with the gradients of the weights.
    dx : ndarray of shape (n_in, length, batch) or None
        Overwritten with the gradient of the inputs.
    workspace : Workspace
    """
    batch = trace.values.shape[-1]
    dtype, units, n = trace.values.dtype, cell.units, cell.n_factors
    first, n_gradients = cell.gradients
    carry = workspace.scratch("carry", (2, units, batch), dtype)
    carry.fill(0)
    if dlast is not None:
        np.copyto(carry[0], dlast)
    sums = [] if gradients is None else _zeros(cell, trace, workspace)
    recurrent_kernel = cell.prepare_backward(weights, workspace)
    kernel = cell.in_order(weights.kernel, cell.order, "kernel", workspace)
    for steps in reversed(list(_blocks(cell, trace))):
        own, n_steps = trace.steps(steps), steps.stop - steps.start
        shape = (n_steps, n * units, batch)
        factors = workspace.scratch("factors", shape, dtype)
        differentials = workspace.scratch("differentials", shape, dtype)
        cell.write_factors(own, factors, workspace)
        own_dys = None if dys is None else dys[:, steps].transpose(1, 0, 2)[::-1]
        cell.run_backward(
            factors,
            differentials,
            steps_or_none(own_dys),
            carry,
            recurrent_kernel,
            trace.mask,
            workspace,
        )
        collected = _as_rows(
            differentials[:, cell.block(first, n_gradients)], "collected", workspace
        )
        if gradients is not None:
            inputs = _as_rows(own.all_inputs, "inputs", workspace)
            cell.add_products(inputs, collected, own, sums, workspace)
        if dx is not None:
            own_dx = dx[:, steps].reshape(len(dx), n_steps * batch)
            np.matmul(kernel, collected[-kernel.shape[1] :], out=own_dx)
    if gradients is not None:
        cell.write_gradients(sums, gradients)


def _zeros(cell: Cell, trace: Trace, workspace: Workspace) -> list[np.ndarray]:
    """Return zeros, in scratch, for the sums that the gradients are written from."""
    shapes, dtype = cell.sum_shapes(trace.x.shape[1]), trace.values.dtype
    sums = [workspace.scratch(f"sums{k}", own, dtype) for k, own in enumerate(shapes)]
    for total in sums:
        total.fill(0)
    return sums


def _as_rows(by_step: np.ndarray, name: str, workspace: Workspace) -> np.ndarray:
    """Copy an array (steps, rows, batch) to one of shape (rows, steps * batch)."""
    n_steps, n_rows, batch = by_step.shape
    rows = workspace.scratch(name, (n_rows, n_steps, batch), by_step.dtype)
    np.copyto(rows, by_step.transpose(1, 0, 2))
    return rows.reshape(n_rows, -1)
