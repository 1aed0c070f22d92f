"""A batch-last array as rows of a matrix."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.workspace import Workspace


def as_rows(x: np.ndarray, n_rows: int, workspace: Workspace, name: str) -> np.ndarray:
    """View `x` as (n_rows, columns), or a copy of it where it is not contiguous.

    Parameters
    ----------
    x : ndarray
        Its first axis, or its first axes, are the rows.
    n_rows : int
    workspace : Workspace
        Holds the copy.
    name : str
        What the copy is called there.

    Examples
    --------
    >>> x = np.zeros((3, 4, 5, 16))
    >>> as_rows(x, 3, Workspace(), "x").shape
    (3, 320)
    """
    if not x.flags.c_contiguous:
        copy = workspace.array(name, x.shape, x.dtype)
        np.copyto(copy, x)
        x = copy
    return x.reshape(n_rows, x.size // n_rows)
