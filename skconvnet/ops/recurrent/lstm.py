"""The cell of LSTM layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights, stacked, steps_or_none
from skconvnet.ops.recurrent.gates import Gates
from skconvnet.ops.recurrent.small_products import in_row_blocks, n_row_blocks
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace


class LSTMCell(Cell):
    """Long short-term memory, with a state c beside h.

    With s for the activation of the gates and f for the other one::

        i, f, o = s(...)        each of  x @ kernel + h @ recurrent_kernel + bias
        g = f(...)
        c' = f * c + i * g
        h' = o * f(c')

    The blocks of a step are arranged so that one multiplication gives both terms of the
    next c, and one call of tanh all gates::

        trace           i   f   o   g   c   f(c')
                        |___|       |___|
                        factor      factor

    In the backward pass, everything is a product of a factor and of the gradient of
    either h' or c'::

        factors         f    i f'(g)   g s'(i)   c s'(f)    f(c') s'(o)   o f'(c')
                        |____________________________|      |___________________|
                        times dc'                           times dh'
        differentials   dc   dg        di        df         do            part of dc'
    """

    n_gates: ClassVar[int] = 4
    states: ClassVar[tuple[int, ...]] = (4,)
    n_factors: ClassVar[int] = 6
    gradients: ClassVar[tuple[int, int]] = (1, 4)
    order: ClassVar[tuple[int, ...]] = (2, 0, 1, 3)
    _C, _TANH, _INPUTS = 4, 5, 6

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        super().__init__(units, activation, recurrent_activation)
        self.gates = Gates(recurrent_activation, activation)
        self.keeps_inputs = activation.needs_input or recurrent_activation.needs_input
        self.n_blocks = self._INPUTS + (4 if self.keeps_inputs else 0)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> list[np.ndarray]:
        # From the order i, f, g, o to the order i, f, o, g.
        kernel = stacked(weights, weights.bias, workspace)
        g, o = kernel[self.block(2)], kernel[self.block(3)]
        copy = workspace.scratch("rows", g.shape, g.dtype)
        np.copyto(copy, g)
        np.copyto(g, o)
        np.copyto(o, copy)
        kernel[self.block(0, 3)] *= kernel.dtype.type(self.gates.scale)
        return [kernel]

    @override
    def run(
        self, trace: Trace, prepared: list[np.ndarray], workspace: Workspace
    ) -> None:
        mask, batch = trace.mask, trace.values.shape[-1]
        n = n_row_blocks(prepared[0], batch)
        kernel, z_all = in_row_blocks(prepared[0], n), trace.blocks(0, 4)
        terms = workspace.scratch("terms", (2 * self.units, batch), kernel.dtype)
        first, second = terms[: self.units], terms[self.units :]
        kept = trace.blocks(self._INPUTS, 4) if self.keeps_inputs else None
        for (
            inputs,
            product,
            z,
            z_kept,
            i_f_o,
            i_f,
            o,
            g,
            g_c,
            c_after,
            tanh,
            h,
            h_masked,
        ) in zip(
            trace.all_inputs,
            in_row_blocks(z_all, n),
            z_all,
            steps_or_none(kept),
            trace.blocks(0, 3),
            trace.blocks(0, 2),
            trace.blocks(2),
            trace.blocks(3),
            trace.blocks(3, 2),
            trace.blocks_after(self._C),
            trace.blocks(self._TANH),
            trace.h_after,
            trace.masked_h_after,
            strict=False,
        ):
            np.matmul(kernel, inputs, out=product)
            if z_kept is not None:
                np.copyto(z_kept, z)
            self.gates.apply_to_all(z, i_f_o, g, workspace)
            np.multiply(i_f, g_c, out=terms)
            np.add(first, second, out=c_after)
            self.activation.apply(c_after, tanh, workspace)
            np.multiply(o, tanh, out=h)
            if mask is not None:
                np.multiply(h, mask, out=h_masked)

    @override
    def write_factors(
        self, trace: Trace, factors: np.ndarray, workspace: Workspace
    ) -> None:
        s, f, block = self.recurrent_activation, self.activation, self.block
        of_g, of_gates, of_c = (
            factors[:, rows] for rows in (block(1), block(2, 3), block(5))
        )
        gates, g, tanh = trace.blocks(0, 3), trace.blocks(3), trace.blocks(self._TANH)
        np.copyto(factors[:, block(0)], trace.blocks(1))
        kept = trace.blocks(self._INPUTS, 4)
        f.slope(kept[:, block(3)] if f.needs_input else g, of_g, workspace)
        of_g *= trace.blocks(0)
        s.slope(kept[:, block(0, 3)] if s.needs_input else gates, of_gates, workspace)
        factors[:, block(2, 2)] *= trace.blocks(3, 2)
        factors[:, block(4)] *= tanh
        c_after = trace.blocks_after(self._C)
        f.slope(c_after if f.needs_input else tanh, of_c, workspace)
        of_c *= trace.blocks(2)

    @override
    def run_backward(
        self,
        factors: np.ndarray,
        differentials: np.ndarray,
        dys: Iterable[np.ndarray | None],
        carry: np.ndarray,
        kernel: np.ndarray,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        shape = (len(factors), 6, self.units, factors.shape[-1])
        by_block = factors.reshape(shape)[::-1]
        own = differentials.reshape(shape)[::-1]
        (dh, dc_after), block = carry, self.block
        n = n_row_blocks(kernel, dh.shape[-1])
        kernel, product = in_row_blocks(kernel, n), in_row_blocks(dh, n)
        for of_c, of_h, d_c, d_h, dc, dc_before, gates, dy in zip(
            by_block[:, :4],
            by_block[:, 4:],
            own[:, :4],
            own[:, 4:],
            own[:, 5],
            own[:, 0],
            differentials[::-1, block(1, 4)],
            dys,
            strict=False,
        ):
            if dy is not None:
                np.add(dh, dy, out=dh)
            np.multiply(dh, of_h, out=d_h)
            np.add(dc, dc_after, out=dc)
            np.multiply(dc, of_c, out=d_c)
            np.matmul(kernel, gates, out=product)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
            dc_after = dc_before
        np.copyto(carry[1], dc_after)
