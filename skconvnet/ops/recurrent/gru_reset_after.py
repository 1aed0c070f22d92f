"""The cell of GRU layers whose reset gate comes after the recurrent kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.recurrent.cell import CellWeights, add_product, steps_or_none
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.recurrent.small_products import in_row_blocks, n_row_blocks
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace


class ResetAfterCell(GRUCell):
    """The reset gate multiplies the product of h and the recurrent kernel.

    Beside the bias of the inputs, there is one of that product::

        p = h @ recurrent_kernel + bias[1]
        g = f(x @ kernel + bias[0] + r * p)

    In the trace, p comes after g. In the backward pass, everything is a product of
    a factor and of the gradient of h'::

        factors         z    q r         (h - g) s'(z)   q p s'(r)   q = (1 - z) f'(g)
        differentials   dh   dp          dz              dr          dg
                             |_____________________________|
                             of the recurrent kernel
    """

    gradients: ClassVar[tuple[int, int]] = (1, 4)
    order: ClassVar[tuple[int, ...]] = (0, 1, 2)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> list[np.ndarray]:
        bias, of_g, gates = weights.bias, self.block(2), self.block(0, 2)
        total = None
        if bias is not None:
            # In z and r, the two biases are one.
            total = bias[0].copy()
            total[gates] += bias[1, gates]
        kernel = self._stacked(weights, total, workspace)
        shape = (self.units, 1 + self.units)
        of_p = workspace.scratch("of_p", shape, kernel.dtype)
        of_p[:, 0] = 0 if bias is None else bias[1, of_g]
        of_p[:, 1:] = weights.recurrent_kernel[:, of_g].T
        return [kernel, of_p]

    @override
    def run(
        self, trace: Trace, prepared: list[np.ndarray], workspace: Workspace
    ) -> None:
        kernel, kernel_of_p = prepared
        n_in, batch, mask = trace.x.shape[1], trace.values.shape[-1], trace.mask
        block, g_all = self.block, trace.blocks(2)
        np.matmul(kernel[block(2), : n_in + 1], trace.x_and_one, out=g_all)
        n = n_row_blocks(kernel[block(0, 2)], batch)
        kernel, gates_all = in_row_blocks(kernel[block(0, 2)], n), trace.blocks(0, 2)
        term = workspace.scratch("term", (self.units, batch), kernel.dtype)
        for (
            inputs,
            one_and_h,
            product,
            gates,
            z,
            r,
            g,
            p,
            kept,
            h,
            h_after,
            h_masked,
        ) in zip(
            trace.all_inputs,
            trace.one_and_h,
            in_row_blocks(gates_all, n),
            gates_all,
            trace.blocks(0),
            trace.blocks(1),
            g_all,
            trace.blocks(self._OWN),
            steps_or_none(self._kept_inputs(trace)),
            trace.h,
            trace.h_after,
            trace.masked_h_after,
            strict=False,
        ):
            np.matmul(kernel, inputs, out=product)
            if kept is not None:
                np.copyto(kept[block(0, 2)], gates)
            self.gates.apply(gates, workspace)
            np.matmul(kernel_of_p, one_and_h, out=p)
            np.multiply(r, p, out=term)
            np.add(g, term, out=g)
            if kept is not None:
                np.copyto(kept[block(2)], g)
            self.activation.apply(g, g, workspace)
            self._mix(z, g, h, h_after, term)
            if mask is not None:
                np.multiply(h_after, mask, out=h_masked)

    @override
    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        # From the order z, r, g to that of dp, dz, dr.
        kernel = weights.recurrent_kernel
        return self.in_order(kernel, (2, 0, 1), "recurrent_kernel", workspace)

    @override
    def write_factors(
        self, trace: Trace, factors: np.ndarray, workspace: Workspace
    ) -> None:
        z, r, g, p = (trace.blocks(number) for number in range(4))
        of_h, of_p, of_z, of_r, of_g = (factors[:, self.block(k)] for k in range(5))
        self._write_slopes(trace, factors[:, self.block(2, 2)], of_g, workspace)
        np.copyto(of_h, z)
        np.subtract(1, z, out=of_p)
        of_g *= of_p
        np.multiply(of_g, r, out=of_p)
        of_r *= p
        of_r *= of_g
        difference = workspace.scratch("difference", g.shape, g.dtype)
        of_z *= np.subtract(trace.h, g, out=difference)

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
        dh = carry[0]
        n = n_row_blocks(kernel, dh.shape[-1])
        kernel, product = in_row_blocks(kernel, n), in_row_blocks(dh, n)
        by_block = factors.reshape(len(factors), 5, self.units, -1)[::-1]
        own = differentials.reshape(by_block.shape)[::-1]
        for factor, d_all, d_before, d_sums, dy in zip(
            by_block,
            own,
            own[:, 0],
            differentials[::-1, self.block(1, 3)],
            dys,
            strict=False,
        ):
            if dy is not None:
                np.add(dh, dy, out=dh)
            np.multiply(dh, factor, out=d_all)
            np.matmul(kernel, d_sums, out=product)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
            np.add(dh, d_before, out=dh)

    @override
    def sum_shapes(self, n_in: int) -> list[tuple[int, int]]:
        return [*super().sum_shapes(n_in), (1 + self.units, self.units)]

    @override
    def add_products(
        self,
        inputs: np.ndarray,
        collected: np.ndarray,
        trace: Trace,
        sums: list[np.ndarray],
        workspace: Workspace,
    ) -> None:
        x_and_one, one_and_h = inputs[: -self.units], inputs[-1 - self.units :]
        block = self.block
        dp, gates, dg = (collected[own] for own in (block(0), block(1, 2), block(3)))
        add_product(sums[0], inputs, gates, workspace)
        add_product(sums[1], x_and_one, dg, workspace)
        add_product(sums[2], one_and_h, dp, workspace)

    @override
    def write_gradients(self, sums: list[np.ndarray], gradients: CellWeights) -> None:
        super().write_gradients(sums, gradients)
        gradients.recurrent_kernel[:, self.block(2)] = sums[2][1:]
        if gradients.bias is not None:
            gradients.bias[1, self.block(2)] = sums[2][0]
