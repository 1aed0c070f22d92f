"""What both cells of GRU layers have in common."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights
from skconvnet.ops.recurrent.gates import Gates
from skconvnet.ops.workspace import Workspace


class GRUCell(Cell):
    """A gated recurrent unit.

    With s for the activation of the gates and f for the other one::

        z, r = s(...)           each of  x @ kernel + h @ recurrent_kernel + bias
        g = f(...)              where r resets h, see the subclasses
        h' = z * h + (1 - z) * g

    ``trace[t]`` is z, r, g, a block of the subclass, and h.
    """

    n_gates: ClassVar[int] = 3
    state: ClassVar[int] = 4
    n_factors: ClassVar[int] = 5
    _OWN, _INPUTS = 3, 5

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        super().__init__(units, activation, recurrent_activation)
        self.gates = Gates(recurrent_activation, activation)
        self.keeps_inputs = activation.needs_input or recurrent_activation.needs_input
        self.n_traced = self._INPUTS + (3 if self.keeps_inputs else 0)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> CellWeights:
        bias = self._bias_of_inputs(weights.bias)
        return CellWeights(
            self._prepared("kernel", weights.kernel, workspace),
            self._prepared("recurrent_kernel", weights.recurrent_kernel, workspace),
            None if bias is None else self._prepared("bias", bias, workspace),
        )

    def _bias_of_inputs(self, bias: np.ndarray | None) -> np.ndarray | None:
        """Return what is added to the product of inputs and kernel."""
        return bias

    def _prepared(
        self, name: str, array: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Scale the columns of the gates z and r."""
        copy = workspace.scratch(name, array.shape, array.dtype)
        np.copyto(copy, array)
        copy[..., self.block(0, 2)] *= array.dtype.type(self.gates.scale)
        return copy

    def _kept_inputs(self, trace: np.ndarray) -> np.ndarray | None:
        """Return where what is activated is kept, if a slope needs it."""
        return trace[:, self.block(self._INPUTS, 3)] if self.keeps_inputs else None

    def _write_slopes(
        self,
        trace: np.ndarray,
        of_gates: np.ndarray,
        of_g: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the slopes of the activations of z and r, and of g."""
        activated = trace[:, self.block(0, 3)]
        inputs = trace[:, self.block(self._INPUTS, 3)]
        for f, rows, out in (
            (self.recurrent_activation, self.block(0, 2), of_gates),
            (self.activation, self.block(2), of_g),
        ):
            f.slope((inputs if f.needs_input else activated)[:, rows], out, workspace)

    def _mix(
        self,
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
