"""The cell of GRU layers whose reset gate comes before the recurrent kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.recurrent.cell import CellWeights, add_product, steps_or_none
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace


class ResetBeforeCell(GRUCell):
    """The reset gate multiplies h before the recurrent kernel does, as published.

    So a step has two products, the second of which depends on the first::

        q = r * h
        g = f(x @ kernel + q @ recurrent_kernel + bias)

    In the trace, q comes after g. In the backward pass, everything is a product of
    a factor and of the gradient of either h' or q::

        factors         z    (1 - z) f'(g)   (h - g) s'(z)      h s'(r)   r
        differentials   dh   dg              dz                 dr        part of dh
                        |_____________________________|         |________|
                        times dh'                               times dq
    """

    gradients: ClassVar[tuple[int, int]] = (1, 3)
    order: ClassVar[tuple[int, ...]] = (2, 0, 1)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> list[np.ndarray]:
        return [self._stacked(weights, weights.bias, workspace)]

    @override
    def run(
        self, trace: Trace, prepared: list[np.ndarray], workspace: Workspace
    ) -> None:
        (kernel,), block, g_all = prepared, self.block, trace.blocks(2)
        n_in, batch, mask = trace.x.shape[1], trace.values.shape[-1], trace.mask
        np.matmul(kernel[block(2), : n_in + 1], trace.x_and_one, out=g_all)
        kernel, kernel_of_q = kernel[block(0, 2)], kernel[block(2), n_in + 1 :]
        term = workspace.scratch("term", (self.units, batch), kernel.dtype)
        for inputs, gates, z, r, g, q, kept, h, h_in, h_after, h_masked in zip(
            trace.all_inputs,
            trace.blocks(0, 2),
            trace.blocks(0),
            trace.blocks(1),
            g_all,
            trace.blocks(self._OWN),
            steps_or_none(self._kept_inputs(trace)),
            trace.h,
            trace.masked_h,
            trace.h_after,
            trace.masked_h_after,
            strict=False,
        ):
            np.matmul(kernel, inputs, out=gates)
            if kept is not None:
                np.copyto(kept[block(0, 2)], gates)
            self.gates.apply(gates, workspace)
            np.multiply(r, h_in, out=q)
            np.matmul(kernel_of_q, q, out=term)
            np.add(g, term, out=g)
            if kept is not None:
                np.copyto(kept[block(2)], g)
            self.activation.apply(g, g, workspace)
            self._mix(z, g, h, h_after, term)
            if mask is not None:
                np.multiply(h_after, mask, out=h_masked)

    @override
    def write_factors(
        self, trace: Trace, factors: np.ndarray, workspace: Workspace
    ) -> None:
        z, r, g = (trace.blocks(number) for number in range(3))
        of_h, of_g, of_z, of_r, of_q = (factors[:, self.block(k)] for k in range(5))
        self._write_slopes(trace, factors[:, self.block(2, 2)], of_g, workspace)
        np.copyto(of_h, z)
        np.copyto(of_q, r)
        if trace.mask is not None:
            of_q *= trace.mask
        difference = workspace.scratch("difference", g.shape, g.dtype)
        of_g *= np.subtract(1, z, out=difference)
        of_z *= np.subtract(trace.h, g, out=difference)
        of_r *= trace.masked_h

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
        kernel_of_g, kernel_of_gates = (
            kernel[:, rows] for rows in (self.block(0), self.block(1, 2))
        )
        dh, block = carry[0], self.block
        dq = workspace.scratch("term", dh.shape, dh.dtype)
        by_block = factors.reshape(len(factors), 5, self.units, -1)[::-1]
        own = differentials.reshape(by_block.shape)[::-1]
        for of_h, of_q, d_h, d_q, d_before, d_part, d_g, d_gates, dy in zip(
            by_block[:, :3],
            by_block[:, 3:],
            own[:, :3],
            own[:, 3:],
            own[:, 0],
            own[:, 4],
            own[:, 1],
            differentials[::-1, block(2, 2)],
            dys,
            strict=False,
        ):
            if dy is not None:
                np.add(dh, dy, out=dh)
            np.multiply(dh, of_h, out=d_h)
            np.matmul(kernel_of_g, d_g, out=dq)
            np.multiply(dq, of_q, out=d_q)
            np.matmul(kernel_of_gates, d_gates, out=dh)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
            np.add(dh, d_part, out=dh)
            np.add(dh, d_before, out=dh)

    @override
    def sum_shapes(self, n_in: int) -> list[tuple[int, int]]:
        return [*super().sum_shapes(n_in), (self.units, self.units)]

    @override
    def add_products(
        self,
        inputs: np.ndarray,
        collected: np.ndarray,
        trace: Trace,
        sums: list[np.ndarray],
        workspace: Workspace,
    ) -> None:
        dg, gates = collected[self.block(0)], collected[self.block(1, 2)]
        by_step = trace.blocks(self._OWN)
        q = workspace.scratch("q", (self.units, inputs.shape[1]), inputs.dtype)
        maps = q.reshape(self.units, len(by_step), -1)
        np.copyto(maps, by_step.transpose(1, 0, 2))
        add_product(sums[0], inputs, gates, workspace)
        add_product(sums[1], inputs[: -self.units], dg, workspace)
        add_product(sums[2], q, dg, workspace)

    @override
    def write_gradients(self, sums: list[np.ndarray], gradients: CellWeights) -> None:
        super().write_gradients(sums, gradients)
        gradients.recurrent_kernel[:, self.block(2)] = sums[2]
