"""What both cells of GRU layers have in common."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights, stacked
from skconvnet.ops.recurrent.gates import Gates
from skconvnet.ops.recurrent.trace import Trace
from skconvnet.ops.workspace import Workspace


class GRUCell(Cell):
    """A gated recurrent unit.

    With s for the activation of the gates and f for the other one::

        z, r = s(...)           each of  x @ kernel + h @ recurrent_kernel + bias
        g = f(...)              where r resets h, see the subclasses
        h' = z * h + (1 - z) * g

    The trace has z, r, g, and a block of the subclass.
    """

    n_gates: ClassVar[int] = 3
    n_factors: ClassVar[int] = 5
    _OWN, _INPUTS = 3, 4

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        super().__init__(units, activation, recurrent_activation)
        self.gates = Gates(recurrent_activation, activation)
        self.keeps_inputs = activation.needs_input or recurrent_activation.needs_input
        self.n_blocks = self._INPUTS + (3 if self.keeps_inputs else 0)

    def _stacked(
        self, weights: CellWeights, bias: np.ndarray | None, workspace: Workspace
    ) -> np.ndarray:
        """Return all weights as one matrix, with the rows of the gates scaled."""
        kernel = stacked(weights, bias, workspace)
        kernel[self.block(0, 2)] *= kernel.dtype.type(self.gates.scale)
        return kernel

    def _kept_inputs(self, trace: Trace) -> np.ndarray | None:
        """Return where what is activated is kept, if a slope needs it."""
        return trace.blocks(self._INPUTS, 3) if self.keeps_inputs else None

    def _write_slopes(
        self,
        trace: Trace,
        of_gates: np.ndarray,
        of_g: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the slopes of the activations of z and r, and of g."""
        activated, kept = trace.blocks(0, 3), trace.blocks(self._INPUTS, 3)
        for f, rows, out in (
            (self.recurrent_activation, self.block(0, 2), of_gates),
            (self.activation, self.block(2), of_g),
        ):
            f.slope((kept if f.needs_input else activated)[:, rows], out, workspace)

    @override
    def sum_shapes(self, n_in: int) -> list[tuple[int, int]]:
        # Of z and r, and of g.
        return [(n_in + 1 + self.units, 2 * self.units), (n_in + 1, self.units)]

    @override
    def write_gradients(self, sums: list[np.ndarray], gradients: CellWeights) -> None:
        """Write the gradients of all weights of z and r, and of what x meets in g.

        Of two biases, those of z and r have the same gradient.
        """
        kernel, recurrent_kernel, bias = gradients
        n_in, gates, g = len(kernel), self.block(0, 2), self.block(2)
        of_gates, of_g = sums[:2]
        kernel[:, gates], kernel[:, g] = of_gates[:n_in], of_g[:n_in]
        recurrent_kernel[:, gates] = of_gates[n_in + 1 :]
        if bias is not None:
            bias[..., gates] = of_gates[n_in]
            np.atleast_2d(bias)[0, g] = of_g[n_in]

    @staticmethod
    def _mix(
        z: np.ndarray,
        g: np.ndarray,
        h: np.ndarray,
        h_after: np.ndarray,
        term: np.ndarray,
    ) -> None:
        """Write ``z * h + (1 - z) * g`` into `h_after`."""
        np.subtract(h, g, out=term)
        np.multiply(term, z, out=term)
        np.add(term, g, out=h_after)
