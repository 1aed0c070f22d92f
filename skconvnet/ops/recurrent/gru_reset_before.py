"""The cell of GRU layers whose reset gate comes before the recurrent kernel."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import CellWeights, masked, steps_or_none
from skconvnet.ops.recurrent.gru import GRUCell
from skconvnet.ops.workspace import Workspace


class ResetBeforeCell(GRUCell):
    """The reset gate multiplies h before the recurrent kernel does, as published.

    So a step has two products, the second of which depends on the first::

        q = r * h
        g = f(x @ kernel + q @ recurrent_kernel + bias)

    In the trace, q is between g and h. In the backward pass, everything is a product of
    a factor and of the gradient of either h' or q::

        factors[t]      z    (1 - z) f'(g)   (h - g) s'(z)      h s'(r)   r
        differentials   dh   dg              dz                 dr        part of dh
                        |_____________________________|         |________|
                        times dh'                               times dq
    """

    n_collected: ClassVar[int] = 3

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        super().__init__(units, activation, recurrent_activation)
        self.recurrent_inputs = (self.state, self._OWN)

    @override
    def run(
        self,
        trace: np.ndarray,
        prepared: CellWeights,
        weights: CellWeights,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        block, now = self.block, trace[:-1]
        batch, dtype = trace.shape[-1], trace.dtype
        kernel = prepared.recurrent_kernel.T
        kernel_of_gates, kernel_of_g = kernel[block(0, 2)], kernel[block(2)]
        sums = workspace.scratch("sums", (2 * self.units, batch), dtype)
        term = workspace.scratch("term", (self.units, batch), dtype)
        dropped = workspace.scratch("dropped", (self.units, batch), dtype)
        for gates, z, r, g, q, h, h_after, kept in zip(
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
            h_in = masked(h, mask, dropped)
            np.matmul(kernel_of_gates, h_in, out=sums)
            np.add(gates, sums, out=gates)
            if kept is not None:
                np.copyto(kept[block(0, 2)], gates)
            self.gates.apply(gates, workspace)
            np.multiply(r, h_in, out=q)
            np.matmul(kernel_of_g, q, out=term)
            np.add(g, term, out=g)
            if kept is not None:
                np.copyto(kept[block(2)], g)
            self.activation.apply(g, g, workspace)
            self._mix(z, g, h, h_after, term)

    @override
    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        return weights.recurrent_kernel

    @override
    def write_factors(
        self,
        trace: np.ndarray,
        mask: np.ndarray | None,
        factors: np.ndarray,
        workspace: Workspace,
    ) -> None:
        block, now = self.block, trace[:-1]
        z, r, g, _, h = (now[:, block(number)] for number in range(5))
        of_h, of_g, of_z, of_r, of_q = (factors[:, block(k)] for k in range(5))
        self._write_slopes(now, factors[:, block(2, 2)], of_g, workspace)
        np.copyto(of_h, z)
        np.copyto(of_q, r)
        term = workspace.scratch("difference", h.shape, h.dtype)
        of_g *= np.subtract(1, z, out=term)
        of_z *= np.subtract(h, g, out=term)
        of_r *= h
        if mask is not None:
            of_r *= mask
            of_q *= mask

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
        kernel_of_gates, kernel_of_g = (
            kernel[:, self.block(0, 2)],
            kernel[:, self.block(2)],
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
    def collect(self, differentials: np.ndarray, collected: np.ndarray) -> None:
        # From the order dg, dz, dr to the order dz, dr, dg.
        np.copyto(collected[:2], differentials[2:4])
        np.copyto(collected[2], differentials[1])

    @override
    def write_gradients(
        self,
        recurrent_inputs: np.ndarray,
        collected: np.ndarray,
        gradients: CellWeights,
    ) -> None:
        for inputs, columns in zip(
            recurrent_inputs, (self.block(0, 2), self.block(2)), strict=True
        ):
            np.matmul(
                inputs,
                collected[columns].T,
                out=gradients.recurrent_kernel[:, columns],
            )
        if gradients.bias is not None:
            np.sum(collected, axis=1, out=gradients.bias)
