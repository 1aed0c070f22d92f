"""What the steps of a recurrent layer start from and compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from skconvnet._typing import FeatureMap, Lengths
from skconvnet.ops.lengths import is_padding
from skconvnet.ops.workspace import Workspace


@dataclass(frozen=True)
class Trace:
    """All that consecutive steps start from and compute, step by step.

    The rows of ``values[t]``, of shape (rows, batch), are those of step t::

        blocks of units rows, as the cell arranges them
        h before the step                                   if there is a mask
        x, the input
        1, which the bias is multiplied by
        h before the step, multiplied by the mask if there is one

    The last three are the factors of one matrix product, whose other factor is all
    weights. What a step leaves to the next one, such as h, it writes into the rows of
    the next step. So there is one more step than inputs.

    Attributes
    ----------
    values : ndarray of shape (steps + 1, rows, batch)
    units : int
    n_blocks : int
        Blocks that the cell arranges.
    mask : ndarray of shape (units, batch) or None
        What h is multiplied by in recurrent dropout.
    """

    values: np.ndarray
    units: int
    n_blocks: int
    mask: np.ndarray | None

    @classmethod
    def start(
        cls,
        x: FeatureMap,
        units: int,
        n_blocks: int,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> Self:
        """Return a trace for the inputs x, whose first step starts from zeros."""
        n_in, length, batch = x.shape
        n_rows = (n_blocks + 1 + (mask is not None)) * units + n_in + 1
        values = workspace.array("trace", (length + 1, n_rows, batch), x.dtype)
        values[0] = 0
        values[:, -1 - units] = 1
        return cls(values, units, n_blocks, mask)

    def steps(self, steps: slice) -> Trace:
        """Return the trace of consecutive steps."""
        values = self.values[steps.start : steps.stop + 1]
        return Trace(values, self.units, self.n_blocks, self.mask)

    def blocks(self, first: int, n: int = 1) -> np.ndarray:
        """View n blocks of all steps."""
        return self.values[:-1, first * self.units : (first + n) * self.units]

    def blocks_after(self, first: int, n: int = 1) -> np.ndarray:
        """View n blocks of the step after each step."""
        return self.values[1:, first * self.units : (first + n) * self.units]

    @property
    def x(self) -> np.ndarray:
        """The inputs."""
        return self.values[:-1, self._first_input : -1 - self.units]

    @property
    def x_and_one(self) -> np.ndarray:
        """The inputs and 1."""
        return self.values[:-1, self._first_input : -self.units]

    @property
    def one_and_h(self) -> np.ndarray:
        """1 and the masked h before each step."""
        return self.values[:-1, -1 - self.units :]

    @property
    def all_inputs(self) -> np.ndarray:
        """The inputs, 1, and the masked h before each step."""
        return self.values[:-1, self._first_input :]

    @property
    def h(self) -> np.ndarray:
        """State before each step."""
        return self.values[:-1, self._h]

    @property
    def h_after(self) -> np.ndarray:
        """State after each step."""
        return self.values[1:, self._h]

    @property
    def masked_h(self) -> np.ndarray:
        """What the recurrent kernel is multiplied by at each step."""
        return self.values[:-1, -self.units :]

    @property
    def masked_h_after(self) -> np.ndarray:
        """What the recurrent kernel is multiplied by at the step after each step."""
        return self.values[1:, -self.units :]

    @property
    def _first_input(self) -> int:
        return (self.n_blocks + (self.mask is not None)) * self.units

    @property
    def _h(self) -> slice:
        if self.mask is None:
            return slice(-self.units, None)
        return slice(self.n_blocks * self.units, (self.n_blocks + 1) * self.units)

    def last_h(self, lengths: Lengths | None, workspace: Workspace) -> np.ndarray:
        """Return h of shape (units, batch) after the last step of each sample."""
        hs = self.values[:, self._h]
        last = workspace.array("last", hs.shape[1:], hs.dtype)
        if lengths is None:
            np.copyto(last, hs[-1])
        else:
            np.copyto(last.T, hs[lengths, :, np.arange(len(lengths))])
        return last

    def clear_after(self, lengths: Lengths, states: tuple[int, ...]) -> None:
        """Clear h, and the blocks of other states, after the end of each sample."""
        padding = is_padding(lengths, len(self.values) - 1)[:, np.newaxis]
        zero = self.values.dtype.type(0)
        for own in (
            self.h_after,
            self.masked_h_after,
            *(self.blocks_after(number) for number in states),
        ):
            np.copyto(own, zero, where=padding)
