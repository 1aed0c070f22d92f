"""The cell of LSTM layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from skconvnet._typing import override
from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.cell import Cell, CellWeights, masked, steps_or_none
from skconvnet.ops.recurrent.gates import Gates
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

        trace[t]        i   f   o   g   c   h   f(c')
                        |___|       |___|
                        factor      factor

    In the backward pass, everything is a product of a factor and of the gradient of
    either h' or c'::

        factors[t]      f    i f'(g)   g s'(i)   c s'(f)    f(c') s'(o)   o f'(c')
                        |____________________________|      |___________________|
                        times dc'                           times dh'
        differentials   dc   dg        di        df         do            part of dc'
    """

    n_gates: ClassVar[int] = 4
    state: ClassVar[int] = 5
    n_states: ClassVar[int] = 2
    n_factors: ClassVar[int] = 6
    n_collected: ClassVar[int] = 4
    _C, _TANH, _INPUTS = 4, 6, 7

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        super().__init__(units, activation, recurrent_activation)
        self.gates = Gates(recurrent_activation, activation)
        self.keeps_inputs = activation.needs_input or recurrent_activation.needs_input
        self.n_traced = self._INPUTS + (4 if self.keeps_inputs else 0)

    @override
    def prepare(self, weights: CellWeights, workspace: Workspace) -> CellWeights:
        return CellWeights(
            self._prepared("kernel", weights.kernel, workspace),
            self._prepared("recurrent_kernel", weights.recurrent_kernel, workspace),
            None
            if weights.bias is None
            else self._prepared("bias", weights.bias, workspace),
        )

    def _prepared(
        self, name: str, array: np.ndarray, workspace: Workspace
    ) -> np.ndarray:
        """Copy columns in the order i, f, g, o to the order i, f, o, g, and scale."""
        copy = workspace.scratch(name, array.shape, array.dtype)
        scale = array.dtype.type(self.gates.scale)
        np.multiply(array[..., self.block(0, 2)], scale, copy[..., self.block(0, 2)])
        np.multiply(array[..., self.block(3)], scale, copy[..., self.block(2)])
        copy[..., self.block(3)] = array[..., self.block(2)]
        return copy

    @override
    def run(
        self,
        trace: np.ndarray,
        prepared: CellWeights,
        weights: CellWeights,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        kernel, block, units = prepared.recurrent_kernel.T, self.block, self.units
        shape, dtype = trace.shape[1:], trace.dtype
        sums = workspace.scratch("sums", (4 * units, shape[1]), dtype)
        terms = workspace.scratch("terms", (2 * units, shape[1]), dtype)
        first, second = terms[:units], terms[units:]
        dropped = workspace.scratch("dropped", (units, shape[1]), dtype)
        now, after = trace[:-1], trace[1:]
        inputs = now[:, block(self._INPUTS, 4)] if self.keeps_inputs else None
        for z, i_f_o, g, i_f, g_c, o, h, c_after, h_after, tanh, kept in zip(
            now[:, block(0, 4)],
            now[:, block(0, 3)],
            now[:, block(3)],
            now[:, block(0, 2)],
            now[:, block(3, 2)],
            now[:, block(2)],
            now[:, block(self.state)],
            after[:, block(self._C)],
            after[:, block(self.state)],
            now[:, block(self._TANH)],
            steps_or_none(inputs),
            strict=False,
        ):
            np.matmul(kernel, masked(h, mask, dropped), out=sums)
            np.add(z, sums, out=z)
            if kept is not None:
                np.copyto(kept, z)
            self.gates.apply_to_all(z, i_f_o, g, workspace)
            np.multiply(i_f, g_c, out=terms)
            np.add(first, second, out=c_after)
            self.activation.apply(c_after, tanh, workspace)
            np.multiply(o, tanh, out=h_after)

    @override
    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        # From the order i, f, g, o to the order g, i, f, o.
        kernel = weights.recurrent_kernel
        copy = workspace.scratch("recurrent_kernel", kernel.shape, kernel.dtype)
        copy[:, self.block(0)] = kernel[:, self.block(2)]
        copy[:, self.block(1, 2)] = kernel[:, self.block(0, 2)]
        copy[:, self.block(3)] = kernel[:, self.block(3)]
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
        gates, g, c_after = now[:, block(0, 3)], now[:, block(3)], trace[1:, block(4)]
        o, tanh = now[:, block(2)], now[:, block(self._TANH)]
        inputs = now[:, block(self._INPUTS, 4)]
        f, activation = self.recurrent_activation, self.activation
        of_g, of_gates = factors[:, block(1)], factors[:, block(2, 3)]
        of_c = factors[:, block(5)]
        np.copyto(factors[:, block(0)], now[:, block(1)])
        activation.slope(
            inputs[:, block(3)] if activation.needs_input else g, of_g, workspace
        )
        of_g *= now[:, block(0)]
        f.slope(inputs[:, block(0, 3)] if f.needs_input else gates, of_gates, workspace)
        factors[:, block(2, 2)] *= now[:, block(3, 2)]
        factors[:, block(4)] *= tanh
        activation.slope(c_after if activation.needs_input else tanh, of_c, workspace)
        of_c *= o

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
            np.matmul(kernel, gates, out=dh)
            if mask is not None:
                np.multiply(dh, mask, out=dh)
            dc_after = dc_before
        np.copyto(carry[1], dc_after)

    @override
    def collect(self, differentials: np.ndarray, collected: np.ndarray) -> None:
        # From the order g, i, f, o to the order i, f, g, o.
        np.copyto(collected[:2], differentials[2:4])
        np.copyto(collected[2], differentials[1])
        np.copyto(collected[3], differentials[4])
