"""The abstract class of the cells of recurrent layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from itertools import repeat
from typing import ClassVar, NamedTuple

import numpy as np

from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.workspace import Workspace


class CellWeights(NamedTuple):
    """The weights of a recurrent layer, or their gradients.

    Attributes
    ----------
    kernel : ndarray of shape (n_in, n_gates * units)
    recurrent_kernel : ndarray of shape (units, n_gates * units)
    bias : ndarray of shape (n_gates * units,) or (2, n_gates * units), or None
        With two rows, the second one belongs to the product with the recurrent kernel.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray | None


class Cell(ABC):
    """One step of a recurrent layer, from a state and an input to the next state.

    ``trace[t]`` has what step t starts from and what it computes. It is an array of
    shape (n_traced * units, batch), which consists of blocks of `units` rows. The first
    blocks belong to the gates, and hold the product of input and kernel until the step
    is computed. The state after step t is in ``trace[t + 1]``::

        trace[0]         gates of step 0    h = 0
        trace[1]         gates of step 1    h after step 0
        ...
        trace[length]    -                  h after the last step

    In the backward pass, step t multiplies the gradient of the state by
    ``factors[t]``, which gives ``differentials[t]``: gradients of the gates, and what
    goes to the step before. Factors do not depend on gradients. They are computed for
    many steps at once, so that a step is few calls of NumPy.

    Parameters
    ----------
    units : int
    activation, recurrent_activation : ActivationFunction
        Of the state, and of the gates.

    Attributes
    ----------
    n_gates : int
        Blocks of columns of the kernels.
    n_traced : int
        Blocks of ``trace[t]``.
    state : int
        The block of ``trace[t]`` that is h, the state and output.
    n_states : int
        How many blocks are remembered from step to step; h is the last of them.
    n_factors : int
        Blocks of ``factors[t]`` and of ``differentials[t]``.
    n_collected : int
        How many blocks of differentials are kept of all steps, for products with whole
        sequences. Those of the gates come first, in the order of the kernels.
    recurrent_inputs : tuple of int
        Blocks of ``trace[t]`` that are multiplied by the recurrent kernel. The first is
        the state.
    """

    n_gates: ClassVar[int]
    n_traced: int
    state: ClassVar[int]
    n_states: ClassVar[int] = 1
    n_factors: ClassVar[int]
    n_collected: ClassVar[int]
    recurrent_inputs: tuple[int, ...]

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        self.units = units
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        self.recurrent_inputs = (self.state,)

    def block(self, number: int, n: int = 1) -> slice:
        """Return the rows of n blocks, from block `number` on."""
        return slice(number * self.units, (number + n) * self.units)

    @abstractmethod
    def prepare(self, weights: CellWeights, workspace: Workspace) -> CellWeights:
        """Return the weights as `run` needs them, in scratch.

        The bias is what is added to the product of inputs and kernel.
        """

    @abstractmethod
    def run(
        self,
        trace: np.ndarray,
        prepared: CellWeights,
        weights: CellWeights,
        mask: np.ndarray | None,
        workspace: Workspace,
    ) -> None:
        """Compute consecutive steps.

        Parameters
        ----------
        trace : ndarray of shape (steps + 1, n_traced * units, batch)
            Has the products of inputs and kernel, and the state before the first step.
        prepared : CellWeights
            What `prepare` returned.
        weights : CellWeights
        mask : ndarray of shape (units, batch) or None
            What the state is multiplied by before the recurrent kernel is.
        workspace : Workspace
        """

    @abstractmethod
    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        """Return the recurrent kernel as `run_backward` needs it."""

    @abstractmethod
    def write_factors(
        self,
        trace: np.ndarray,
        mask: np.ndarray | None,
        factors: np.ndarray,
        workspace: Workspace,
    ) -> None:
        """Write the factors of consecutive steps.

        Parameters
        ----------
        trace : ndarray of shape (steps + 1, n_traced * units, batch)
        mask : ndarray of shape (units, batch) or None
        factors : ndarray of shape (steps, n_factors * units, batch)
        workspace : Workspace
        """

    @abstractmethod
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
        """Write the differentials of consecutive steps, from the last to the first.

        Parameters
        ----------
        factors, differentials : ndarray of shape (steps, n_factors * units, batch)
        dys : iterable of (ndarray of shape (units, batch) or None)
            Gradients of the outputs of the steps, in the order of `factors` reversed.
        carry : ndarray of shape (2, units, batch)
            Gradients of h after the last step, and of what else the cell remembers.
            Replaced by those before the first step.
        kernel : ndarray
            What `prepare_backward` returned.
        mask : ndarray of shape (units, batch) or None
        workspace : Workspace
        """

    @abstractmethod
    def collect(self, differentials: np.ndarray, collected: np.ndarray) -> None:
        """Copy the differentials that are kept.

        Parameters
        ----------
        differentials : ndarray of shape (n_factors, units, steps, batch)
        collected : ndarray of shape (n_collected, units, steps, batch)
        """

    def write_gradients(
        self,
        recurrent_inputs: np.ndarray,
        collected: np.ndarray,
        gradients: CellWeights,
    ) -> None:
        """Write the gradients of the recurrent kernel and of the bias.

        Parameters
        ----------
        recurrent_inputs : ndarray of shape (n, units, columns)
            Those of all steps of all samples.
        collected : ndarray of shape (n_collected * units, columns)
        gradients : CellWeights
        """
        np.matmul(recurrent_inputs[0], collected.T, out=gradients.recurrent_kernel)
        if gradients.bias is not None:
            np.sum(collected, axis=1, out=gradients.bias)


def masked(h: np.ndarray, mask: np.ndarray | None, out: np.ndarray) -> np.ndarray:
    """Return h multiplied by a mask, in `out`, or h itself if there is no mask."""
    return h if mask is None else np.multiply(h, mask, out=out)


def steps_or_none(values: np.ndarray | None) -> Iterable[np.ndarray | None]:
    """Return the values of each step, or None for each."""
    return repeat(None) if values is None else values
