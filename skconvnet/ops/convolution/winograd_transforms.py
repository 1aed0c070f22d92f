"""The transforms of Winograd's minimal filtering F(m, r), after Cook and Toom."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from numpy.polynomial import polynomial

from skconvnet._typing import Shape
from skconvnet.ops.program import Program
from skconvnet.ops.workspace import Workspace

Matrices = Sequence[npt.NDArray[np.float64]]
Item = TypeVar("Item")

# Points at which polynomials are evaluated, besides infinity. Of the sets that were
# tried, this one has the smallest rounding errors: in float32, 3e-6 of the largest
# output with 3x3 kernels, and 7e-6 with 5x5 kernels.
_POINTS = (0.0, 1.0, -1.0, 0.5, -2.0, 2.0, -0.5)


class FilteringMatrices(NamedTuple):
    """A', G and B' of Winograd's minimal filtering along one axis."""

    outputs: npt.NDArray[np.float64]
    kernels: npt.NDArray[np.float64]
    inputs: npt.NDArray[np.float64]


@lru_cache(maxsize=32)
def filtering_matrices(m: int, r: int) -> FilteringMatrices:
    """Return A', G and B' for m outputs of a kernel of r taps, m + r <= 9.

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
        return FilteringMatrices(np.eye(m), np.ones((m, 1)), np.eye(m))
    points = np.array(_POINTS[: n - 1])
    # Evaluation of polynomials of m and of r coefficients. At infinity, the value is
    # the last coefficient.
    A = np.vstack([np.vander(points, m, increasing=True), np.eye(m)[-1]]).T
    G = np.vstack([np.vander(points, r, increasing=True), np.eye(r)[-1]])
    # Transposed interpolation: the Lagrange polynomials and their common multiple.
    B = np.zeros((n, n))
    for i, point in enumerate(points):
        others = np.delete(points, i)
        B[i, :-1] = polynomial.polyfromroots(others)
        G[i] /= np.prod(point - others)
    B[-1] = polynomial.polyfromroots(points)
    return FilteringMatrices(A, G, B)


def last_first(values: Sequence[Item]) -> tuple[Item, ...]:
    """Return the values of the axes in the order of the positions of a tile.

    >>> last_first("dhw")
    ('w', 'd', 'h')
    """
    *others, last = values
    return (last, *others)


def transposed(matrices: Matrices) -> Matrices:
    """Return the transpose of each matrix."""
    return [matrix.T for matrix in matrices]


def transform(
    program: Program,
    matrices: Matrices,
    tiles: np.ndarray,
    name: str,
    name_between: str,
    workspace: Workspace,
    *,
    backwards: bool = False,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """Add calls that apply a matrix along each axis of many tiles at once.

    Parameters
    ----------
    program : Program
    matrices : sequence of ndarray
        One matrix for each axis of a tile.
    tiles : ndarray of shape (positions of a tile, ...)
    name, name_between : str
        Names of two scratch arrays that take turns. The result is in the first one,
        which the last step must not read from.
    workspace : Workspace
    backwards : bool
        Whether to start with the last axis. The result is the same.
    out : ndarray, optional
        Array for the result. The default is scratch.

    Returns
    -------
    out : ndarray of shape (transformed positions, ...)
    """
    shape = tiles.shape[1:]
    sizes = [matrix.shape[1] for matrix in matrices]
    axes = [axis for axis, matrix in enumerate(matrices) if matrix.size > 1]
    for number, axis in enumerate(reversed(axes) if backwards else axes, start=1):
        matrix = np.ascontiguousarray(matrices[axis].astype(tiles.dtype))
        before, rest = prod(sizes[:axis]), prod(sizes[axis + 1 :]) * prod(shape)
        sizes[axis] = len(matrix)
        target = out if number == len(axes) else None
        if target is None:
            own = name if (len(axes) - number) % 2 == 0 else name_between
            target = workspace.scratch(own, (prod(sizes), *shape), tiles.dtype)
        program.add(
            np.matmul,
            matrix,
            tiles.reshape(before, matrix.shape[1], rest),
            out=target.reshape(before, len(matrix), rest),
        )
        tiles = target
    if out is not None and not axes:
        program.add(np.copyto, out, tiles)
        return out
    return tiles


class KernelTransform:
    """Computes G g for all pairs of channels, and the gradient of g.

    Kernels for large tiles are transformed in double precision, whatever the dtype of
    the network: their rounding errors are the largest, and kernels are small.

    Parameters
    ----------
    matrices : sequence of ndarray
        The matrix G of each axis.

    Attributes
    ----------
    in_double : bool
        Whether kernels are transformed in double precision.
    """

    def __init__(self, matrices: Matrices) -> None:
        self._matrices = last_first(matrices)
        self._n_taps = prod(matrix.shape[1] for matrix in matrices)
        self._tile_size = prod(len(matrix) for matrix in matrices)
        self.in_double = max(len(matrix) for matrix in matrices) > 6

    def forward(
        self, kernel: np.ndarray, shape: Shape, workspace: Workspace
    ) -> np.ndarray:
        """Return the transformed kernels, as (positions of a tile, *shape)."""
        n = kernel.size // self._n_taps
        weights = workspace.array("weights", (self._tile_size, n), kernel.dtype)

        dtype = self._working_dtype(kernel.dtype)

        def write(program: Program) -> None:
            by_tap = self._by_tap(kernel)
            taps = workspace.scratch("taps", by_tap.shape, dtype)
            program.add(np.copyto, taps, by_tap)
            transformed = transform(
                program,
                self._matrices,
                taps.reshape(self._n_taps, n),
                "kernels",
                "kernels, between",
                workspace,
                out=weights if dtype == weights.dtype else None,
            )
            if transformed is not weights:
                program.add(np.copyto, weights, transformed, casting="same_kind")

        workspace.program((self, "kernels", n), (kernel,), write).run()
        return weights.reshape(-1, *shape)

    def backward(
        self, dweights: np.ndarray, dkernel: np.ndarray, workspace: Workspace
    ) -> None:
        """Write the gradient of the kernels, given that of the transformed kernels."""
        n = dkernel.size // self._n_taps
        dtype = self._working_dtype(dkernel.dtype)
        dtaps = workspace.scratch("gradient of taps", (self._n_taps, n), dtype)

        def write(program: Program) -> None:
            dtransformed = dweights.reshape(self._tile_size, n)
            if dtype != dtransformed.dtype:
                exact = workspace.scratch("taps", dtransformed.shape, dtype)
                program.add(np.copyto, exact, dtransformed)
                dtransformed = exact
            transform(
                program,
                transposed(self._matrices),
                dtransformed,
                "kernels",
                "kernels, between",
                workspace,
                out=dtaps,
            )

        workspace.program((self, "dkernels", n), (dweights, dtaps), write).run()
        target = self._by_tap(dkernel)
        np.copyto(target, dtaps.reshape(target.shape), casting="same_kind")

    def _by_tap(self, kernel: np.ndarray) -> np.ndarray:
        """View a kernel as (*taps, filters, channels), the last axis of taps first."""
        taps = last_first(range(2, kernel.ndim))
        return kernel.transpose(*taps, 0, 1)

    def _working_dtype(self, dtype: np.dtype) -> np.dtype:
        return np.dtype(np.float64) if self.in_double else dtype
