"""The abstract class of the cells of recurrent layers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import ClassVar, NamedTuple

import numpy as np

from skconvnet.ops.activations import ActivationFunction
from skconvnet.ops.recurrent.trace import Trace
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

    A step reads its inputs from a `Trace`, and writes there what it computes.

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
    n_blocks : int
        Blocks of a step in the trace.
    states : tuple of int
        Blocks of the trace that are remembered from step to step, besides h.
    n_factors : int
        Blocks of ``factors[t]`` and of ``differentials[t]``.
    gradients : (int, int)
        The first, and the number, of the blocks of differentials that are gradients of
        products.
    order : tuple of int
        For each of these gradients that belongs to a product with x, its position in
        the order of the kernels.
    """

    n_gates: ClassVar[int]
    n_blocks: int
    states: ClassVar[tuple[int, ...]] = ()
    n_factors: ClassVar[int]
    gradients: ClassVar[tuple[int, int]]
    order: ClassVar[tuple[int, ...]]

    def __init__(
        self,
        units: int,
        activation: ActivationFunction,
        recurrent_activation: ActivationFunction,
    ) -> None:
        self.units = units
        self.activation = activation
        self.recurrent_activation = recurrent_activation

    def block(self, number: int, n: int = 1) -> slice:
        """Return the indices of n blocks, from block `number` on."""
        return slice(number * self.units, (number + n) * self.units)

    @abstractmethod
    def prepare(self, weights: CellWeights, workspace: Workspace) -> list[np.ndarray]:
        """Return the weights as `run` needs them, in scratch."""

    @abstractmethod
    def run(
        self, trace: Trace, prepared: list[np.ndarray], workspace: Workspace
    ) -> None:
        """Compute the steps of a trace, which has the inputs and the first state.

        `prepared` is what `prepare` returned.
        """

    def prepare_backward(
        self, weights: CellWeights, workspace: Workspace
    ) -> np.ndarray:
        """Return the recurrent kernel as `run_backward` needs it, in scratch."""
        kernel = weights.recurrent_kernel
        return self.in_order(kernel, self.order, "recurrent_kernel", workspace)

    def in_order(
        self,
        kernel: np.ndarray,
        order: Sequence[int],
        name: str,
        workspace: Workspace,
    ) -> np.ndarray:
        """Return the blocks of columns of a kernel in another order, in scratch."""
        copy = workspace.scratch(name, kernel.shape, kernel.dtype)
        for number, own in enumerate(order):
            copy[:, self.block(number)] = kernel[:, self.block(own)]
        return copy

    @abstractmethod
    def write_factors(
        self, trace: Trace, factors: np.ndarray, workspace: Workspace
    ) -> None:
        """Write the factors of steps, of shape (steps, n_factors * units, batch)."""

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
            Gradients of the outputs of the steps, from the last to the first.
        carry : ndarray of shape (2, units, batch)
            Gradients of h after the last step, and of what else the cell remembers.
            Replaced by those before the first step.
        kernel : ndarray
            What `prepare_backward` returned.
        mask : ndarray of shape (units, batch) or None
            That of the trace.
        workspace : Workspace
        """

    def sum_shapes(self, n_in: int) -> list[tuple[int, int]]:
        """Return the shapes of the sums of `add_products`."""
        return [(n_in + 1 + self.units, len(self.order) * self.units)]

    def add_products(
        self,
        inputs: np.ndarray,
        collected: np.ndarray,
        trace: Trace,  # noqa: ARG002  for cells that need more of it
        sums: list[np.ndarray],
        workspace: Workspace,
    ) -> None:
        """Add what consecutive steps contribute to the gradients of the weights.

        Parameters
        ----------
        inputs : ndarray of shape (n_in + 1 + units, columns)
            ``Trace.all_inputs`` of all these steps of all samples.
        collected : ndarray of shape (n * units, columns)
            The gradients among the differentials. The last ones are those of the
            products with x.
        trace : Trace
        sums : list of ndarray
            Added to. They are contiguous, unlike the gradients of the blocks of the
            kernels, to which `write_gradients` copies them in the end.
        workspace : Workspace
        """
        add_product(sums[0], inputs, collected, workspace)

    def write_gradients(self, sums: list[np.ndarray], gradients: CellWeights) -> None:
        """Write the gradients of the weights, from the sums over all steps."""
        n_in = len(gradients.kernel)
        for number, own in enumerate(self.order):
            columns, target = sums[0][:, self.block(number)], self.block(own)
            gradients.kernel[:, target] = columns[:n_in]
            gradients.recurrent_kernel[:, target] = columns[n_in + 1 :]
            if gradients.bias is not None:
                gradients.bias[target] = columns[n_in]


def stacked(
    weights: CellWeights, bias: np.ndarray | None, workspace: Workspace
) -> np.ndarray:
    """Return kernel, bias and recurrent kernel as one matrix, in scratch.

    Its product with ``Trace.all_inputs[t]`` has a row for each column of the kernels.
    """
    kernel, recurrent_kernel, _ = weights
    n_in, n_rows = kernel.shape
    shape = (n_rows, n_in + 1 + len(recurrent_kernel))
    rows = workspace.scratch("stacked", shape, kernel.dtype)
    rows[:, :n_in] = kernel.T
    rows[:, n_in] = 0 if bias is None else bias
    rows[:, n_in + 1 :] = recurrent_kernel.T
    return rows


def add_product(
    total: np.ndarray, inputs: np.ndarray, collected: np.ndarray, workspace: Workspace
) -> None:
    """Add ``inputs @ collected.T``, which is summed over steps and samples."""
    product = workspace.scratch("own_sums", total.shape, total.dtype)
    np.matmul(inputs, collected.T, out=product)
    np.add(total, product, out=total)


def steps_or_none(values: np.ndarray | None) -> Iterable[np.ndarray | None]:
    """Return the values of each step, or None for each."""
    return repeat(None) if values is None else values
