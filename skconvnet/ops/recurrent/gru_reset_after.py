"""The cell of GRU layers whose reset gate comes after the recurrent kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.recurrent.cell import CellWeights, masked, steps_or_none
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.workspace import Workspace


class ResetAfterCell(GRUCell):
    """The reset gate multiplies the product of h and the recurrent kernel.

    So there is one product per step. Beside the bias of the inputs, there is one of
    that product::

        p = h @ recurrent_kernel + bias[1]
        g = f(x @ kernel + bias[0] + r * p)

    In the trace, p is between g and h. In the backward pass, everything is a product of
    a factor and of the gradient of h'::

        factors[t]      z    q r         (h - g) s'(z)   q p s'(r)   q = (1 - z) f'(g)
        differentials   dh   dp          dz              dr          dg
                             |_____________________________|
                             of the recurrent kernel
    """

    n_collected: ClassVar[int] = 4

    @override
    def _bias_of_inputs(self, bias: np.ndarray | None) -> np.ndarray | None:
        if bias is None:
            return None
        # In z and r, the two biases are one.
        total: np.ndarray = bias[0].copy()
        total[self.block(0, 2)] += bias[1, self.block(0, 2)]
        return total

    @override
    def run(
        self,
        trace: np.ndarray,
        prepared: CellWeights,
        weights: CellWeights,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        kernel, block, now = prepared.recurrent_kernel.T, self.block, trace[:-1]
        batch, dtype = trace.shape[-1], trace.dtype
        sums = workspace.scratch("sums", (3 * self.units, batch), dtype)
        of_gates, of_g = sums[block(0, 2)], sums[block(2)]
        term = workspace.scratch("term", (self.units, batch), dtype)
        dropped = workspace.scratch("dropped", (self.units, batch), dtype)
        bias = None if weights.bias is None else weights.bias[1, block(2), np.newaxis]
        for gates, z, r, g, p, h, h_after, kept in zip(
            now[:, block(0, 2)],
            now[:, block(0)],
            now[:, block(1)],
            now[:, block(2)],
            now[:, block(self._OWN)],
            now[:, block(self.state)],
            trace[1:, block(self.state)],
            steps_or_none(self._kept_inputs(now)),
            strict=False,
        ):
            np.matmul(kernel, masked(h, mask, dropped), out=sums)
            np.add(gates, of_gates, out=gates)
            if kept is not None:
                np.copyto(kept[block(0, 2)], gates)
            self.gates.apply(gates, workspace)
            if bias is None:
                np.copyto(p, of_g)
            else:
                np.add(of_g, bias, out=p)
            np.multiply(r, p, out=term)
            np.add(g, term, out=g)
            if kept is not None:
                np.copyto(kept[block(2)], g)
            self.activation.apply(g, g, workspace)
            self._mix(z, g, h, h_after, term)

    @override
    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        # From the order z, r, g to the order g, z, r.
        kernel = weights.recurrent_kernel
        copy = workspace.scratch("recurrent_kernel", kernel.shape, kernel.dtype)
        copy[:, self.block(0)] = kernel[:, self.block(2)]
        copy[:, self.block(1, 2)] = kernel[:, self.block(0, 2)]
        return copy

    @override
    def write_factors(
        self,
        trace: np.ndarray,
        mask: np.ndarray | None,
        factors: np.ndarray,
        workspace: Workspace,
    ) -> None:
        block, now = self.block, trace[:-1]
        z, r, g, p, h = (now[:, block(number)] for number in range(5))
        of_h, of_p, of_z, of_r, of_g = (factors[:, block(k)] for k in range(5))
        self._write_slopes(now, factors[:, block(2, 2)], of_g, workspace)
        np.copyto(of_h, z)
        np.subtract(1, z, out=of_p)
        of_g *= of_p
        np.multiply(of_g, r, out=of_p)
        of_r *= p
        of_r *= of_g
        term = workspace.scratch("difference", h.shape, h.dtype)
        of_z *= np.subtract(h, g, out=term)

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
            np.matmul(kernel, d_sums, out=dh)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
            np.add(dh, d_before, out=dh)

    @override
    def collect(self, differentials: np.ndarray, collected: np.ndarray) -> None:
        # From the order dp, dz, dr, dg to the order dz, dr, dg, dp.
        np.copyto(collected[:3], differentials[2:])
        np.copyto(collected[3], differentials[1])

    @override
    def write_gradients(
        self,
        recurrent_inputs: np.ndarray,
        collected: np.ndarray,
        gradients: CellWeights,
    ) -> None:
        block = self.block
        for columns, rows in ((block(0, 2), block(0, 2)), (block(2), block(3))):
            np.matmul(
                recurrent_inputs[0],
                collected[rows].T,
                out=gradients.recurrent_kernel[:, columns],
            )
        if gradients.bias is not None:
            of_inputs, of_sums = gradients.bias
            np.sum(collected[block(0, 3)], axis=1, out=of_inputs)
            np.copyto(of_sums, of_inputs)
            np.sum(collected[block(3)], axis=1, out=of_sums[block(2)])
