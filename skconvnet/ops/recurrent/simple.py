"""The cell of simple recurrent layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights, stacked
from skconvnet.ops.recurrent.small_products import in_row_blocks, n_row_blocks
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace


class SimpleCell(Cell):
    """The cell of a simple recurrent network.

    With f for the activation::

        h' = f(x @ kernel + h @ recurrent_kernel + bias)

    The trace has what is activated.
    """

    n_gates: ClassVar[int] = 1
    n_blocks = 1
    n_factors: ClassVar[int] = 1
    gradients: ClassVar[tuple[int, int]] = (0, 1)
    order: ClassVar[tuple[int, ...]] = (0,)

    def __init__(self, units: int, activation: ActivationFunction) -> None:
        super().__init__(units, activation, activation)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> list[np.ndarray]:
        return [stacked(weights, weights.bias, workspace)]

    @override
    def run(
        self, trace: Trace, prepared: list[np.ndarray], workspace: Workspace
    ) -> None:
        mask, batch = trace.mask, trace.values.shape[-1]
        n = n_row_blocks(prepared[0], batch)
        kernel, z_all = in_row_blocks(prepared[0], n), trace.blocks(0)
        for inputs, product, z, h, h_masked in zip(
            trace.all_inputs,
            in_row_blocks(z_all, n),
            z_all,
            trace.h_after,
            trace.masked_h_after,
            strict=True,
        ):
            np.matmul(kernel, inputs, out=product)
            self.activation.apply(z, h, workspace)
            if mask is not None:
                np.multiply(h, mask, out=h_masked)

    @override
    def write_factors(
        self, trace: Trace, factors: np.ndarray, workspace: Workspace
    ) -> None:
        f = self.activation
        f.slope(trace.blocks(0) if f.needs_input else trace.h_after, factors, workspace)

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
        for slope, dz, dy in zip(factors[::-1], differentials[::-1], dys, strict=False):
            if dy is not None:
                np.add(dh, dy, out=dh)
            np.multiply(dh, slope, out=dz)
            np.matmul(kernel, dz, out=product)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
