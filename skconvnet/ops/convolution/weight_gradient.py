"""The gradient of the weights, summed over the blocks of a map."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace


def add_product(
    program: Program,
    doutputs: np.ndarray,
    inputs: np.ndarray,
    dweights: np.ndarray,
    workspace: Workspace,
    *,
    overwrite: bool,
) -> None:
    """Add a call that adds ``doutputs @ inputs'`` to `dweights`, or overwrites it.

    Parameters
    ----------
    program : Program
    doutputs : ndarray of shape (..., filters, columns)
    inputs : ndarray of shape (..., rows, columns)
    dweights : ndarray of shape (..., filters, rows)
    workspace : Workspace
    overwrite : bool

    Examples
    --------
    >>> program, dweights = Program(), np.zeros((1, 1))
    >>> columns = np.array([[1.0, 2.0]])
    >>> for first in (True, False):
    ...     add_product(
    ...         program, columns, columns, dweights, Workspace(), overwrite=first
    ...     )
    >>> program.run()
    >>> dweights
    array([[10.]])
    """
    transposed = inputs.swapaxes(-1, -2)
    if overwrite:
        program.add(np.matmul, doutputs, transposed, out=dweights)
        return
    term = workspace.scratch("term", dweights.shape, dweights.dtype)
    program.add(np.matmul, doutputs, transposed, out=term)
    program.add(np.add, dweights, term, out=dweights)
