"""The cell of simple recurrent layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights, masked
from skconvnet.ops.workspace import Workspace


class SimpleCell(Cell):
    """The cell of a simple recurrent network.

    With f for the activation::

        h' = f(x @ kernel + h @ recurrent_kernel + bias)

    ``trace[t]`` is what is activated, and h.
    """

    n_gates: ClassVar[int] = 1
    n_traced = 2
    state: ClassVar[int] = 1
    n_factors: ClassVar[int] = 1
    n_collected: ClassVar[int] = 1

    def __init__(self, units: int, activation: ActivationFunction) -> None:
        super().__init__(units, activation, activation)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> CellWeights:
        return weights

    @override
    def run(
        self,
        trace: np.ndarray,
        prepared: CellWeights,
        weights: CellWeights,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        kernel = prepared.recurrent_kernel.T
        shape = (self.units, trace.shape[-1])
        sums = workspace.scratch("sums", shape, trace.dtype)
        dropped = workspace.scratch("dropped", shape, trace.dtype)
        z, h = self.block(0), self.block(1)
        for own, before, after in zip(
            trace[:-1, z], trace[:-1, h], trace[1:, h], strict=True
        ):
            np.matmul(kernel, masked(before, mask, dropped), out=sums)
            np.add(own, sums, out=own)
            self.activation.apply(own, after, workspace)

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
        z, h = trace[:-1, self.block(0)], trace[1:, self.block(1)]
        self.activation.slope(
            z if self.activation.needs_input else h, factors, workspace
        )

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
        for slope, dz, dy in zip(factors[::-1], differentials[::-1], dys, strict=False):
            if dy is not None:
                np.add(dh, dy, out=dh)
            np.multiply(dh, slope, out=dz)
            np.matmul(kernel, dz, out=dh)
            if mask is not None:
                np.multiply(dh, mask, out=dh)

    @override
    def collect(self, differentials: np.ndarray, collected: np.ndarray) -> None:
        np.copyto(collected, differentials)
