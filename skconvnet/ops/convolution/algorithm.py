"""Maps as a method of convolution lays them out, with a surplus behind the outputs."""

from __future__ import annotations

import numpy as np

from skconvnet.ops.convolution.selection import Method
from skconvnet.ops.layout import fill_around
from skconvnet.ops.workspace import Workspace


def without_surplus(z: np.ndarray, method: Method) -> np.ndarray:
    """View of the outputs of `method` without the surplus of its layout."""
    out_shape = method.out_shape
    if z.shape[1:-1] == out_shape:
        return z
    return z[(slice(None), *(slice(n) for n in out_shape))]


def with_surplus(dy: np.ndarray, method: Method, workspace: Workspace) -> np.ndarray:
    """`dy` if it has the layout of `method`, else an array that has.

    In the latter the surplus is zero, and the rest is left for the caller to write.
    """
    if method.shape == method.out_shape and dy.flags.c_contiguous:
        return dy
    shape = (len(dy), *method.shape, dy.shape[-1])
    dz = workspace.scratch("dz", shape, dy.dtype)
    fill_around(dz, [slice(0, n) for n in method.out_shape])
    return dz
