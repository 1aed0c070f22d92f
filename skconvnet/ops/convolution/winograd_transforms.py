"""The transforms of Winograd's minimal filtering F(m, r), after Cook and Toom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod

import numpy as np
from numpy.polynomial import polynomial

from skconvnet.ops.workspace import Workspace

# Where polynomials are evaluated, besides infinity. Of the sets tried these lose the
# fewest digits: in float32 3e-6 of the largest output with 3x3 kernels, 7e-6 with 5x5.
_POINTS = (0.0, 1.0, -1.0, 0.5, -2.0, 2.0, -0.5)


@lru_cache(maxsize=32)
def filtering_matrices(m: int, r: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return A', G and B' for m outputs of a kernel of r cells, m + r <= 9.

    With a tile d of m + r - 1 inputs and a kernel g, the outputs are
    ``A' [(G g) * (B' d)]`` [1]_.

    References
    ----------
    .. [1] A. Lavin and S. Gray, "Fast algorithms for convolutional neural networks",
       CVPR 2016.

    Examples
    --------
    >>> A, G, B = filtering_matrices(2, 3)
    >>> tile, kernel = np.array([1.0, 2.0, 3.0, 4.0]), np.array([1.0, 0.0, -1.0])
    >>> A @ ((G @ kernel) * (B @ tile))
    array([-2., -2.])
    """
    n = m + r - 1
    if r == 1:
        return np.eye(m), np.ones((m, 1)), np.eye(m)
    points = np.array(_POINTS[: n - 1])
    # Evaluation of polynomials of m and of r coefficients; infinity takes the last.
    A = np.vstack([np.vander(points, m, increasing=True), np.eye(m)[-1]]).T
    G = np.vstack([np.vander(points, r, increasing=True), np.eye(r)[-1]])
    # Interpolation, transposed: Lagrange's polynomials and their common multiple.
    B = np.zeros((n, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        B[i, :-1] = polynomial.polyfromroots(others)
        G[i] /= np.prod(point - others)
    B[-1] = polynomial.polyfromroots(points)
    return A, G, B


def transposed(matrices: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [matrix.T for matrix in matrices]


def transform(
    matrices: Sequence[np.ndarray],
    cells: np.ndarray,
    name: str,
    workspace: Workspace,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Apply a matrix along each axis of the tiles, which are the first axis of `cells`.

    The result is `out`, or scratch of that name.
    """
    shape = cells.shape[1:]
    sizes = [matrix.shape[1] for matrix in matrices]
    for axis, matrix in enumerate(matrices):
        before, rest = prod(sizes[:axis]), prod(sizes[axis + 1 :]) * prod(shape)
        sizes[axis] = len(matrix)
        target = out
        if target is None or axis + 1 < len(matrices):
            own = name if axis + 1 == len(matrices) else f"{name} half{axis}"
            target = workspace.scratch(own, (prod(sizes), *shape), cells.dtype)
        np.matmul(
            matrix.astype(cells.dtype),
            cells.reshape(before, matrix.shape[1], rest),
            out=target.reshape(before, len(matrix), rest),
        )
        cells = target
    return cells
