"""Making maps larger by whole factors, and the gradients of that."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from skconvnet.ops.workspace import Workspace

# Rows of a matrix are taken so many at a time, with the columns that are not zero.
BLOCK_ROWS = 16


def repeat(x: np.ndarray, sizes: Sequence[int], out: np.ndarray) -> None:
    """Write the map `x`, each cell repeated `sizes` times along the axes, into `out`.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    sizes : sequence of int
        One for each spatial axis.
    out : ndarray of shape (channels, *spatial * sizes, batch), contiguous
    """
    axes = tuple(range(2, 2 * len(sizes) + 1, 2))
    out.reshape(_split(x.shape, sizes))[...] = np.expand_dims(x, axes)


def sum_repeats(dy: np.ndarray, sizes: Sequence[int], out: np.ndarray) -> None:
    """Write the sums over the cells of `dy` that `repeat` made of one into `out`."""
    first, *others = np.ndindex(*sizes)
    np.copyto(out, dy[_every(first, sizes)])
    for offset in others:
        out += dy[_every(offset, sizes)]


def _every(offset: Sequence[int], sizes: Sequence[int]) -> tuple[slice, ...]:
    pairs = zip(offset, sizes, strict=True)
    return (slice(None), *(slice(o, None, size) for o, size in pairs))


def _split(shape: Sequence[int], sizes: Sequence[int]) -> tuple[int, ...]:
    """(channels, n, size, n, size, ..., batch)."""
    pairs = zip(shape[1:-1], sizes, strict=True)
    return (shape[0], *(number for pair in pairs for number in pair), shape[-1])


def linear_matrix(n: int, size: int) -> np.ndarray:
    """Return the matrix that interpolates `size` outputs a cell between n cells.

    Output i lies at (i + 1/2) / size - 1/2, where whole numbers are the middles of
    cells; beyond the first and the last it is equal to them.

    >>> linear_matrix(2, 2)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    places = np.clip((np.arange(n * size) + 0.5) / size - 0.5, 0, n - 1)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(n)), 0)


def multiply_axes(
    matrices: Sequence[np.ndarray | None],
    x: np.ndarray,
    out: np.ndarray,
    workspace: Workspace,
) -> None:
    """Multiply the map `x` by a matrix along each axis, and write that into `out`.

    Parameters
    ----------
    matrices : sequence of ndarray of shape (n_out, n) or None
        One for each spatial axis, with few values beside a diagonal that are not zero;
        None stands for the identity. At least one is a matrix.
    x : ndarray of shape (channels, *spatial, batch)
    out : ndarray, contiguous
    workspace : Workspace
    """
    if not x.flags.c_contiguous:
        copied = workspace.scratch("copied", x.shape, x.dtype)
        np.copyto(copied, x)
        x = copied
    steps = [
        (axis, matrix)
        for axis, matrix in enumerate(matrices, start=1)
        if matrix is not None
    ]
    # Axes that grow come last axis first, and others first axis first: most numbers
    # then lie in long rows.
    if steps[0][1].shape[0] > steps[0][1].shape[1]:
        steps.reverse()
    for axis, matrix in steps:
        shape = (*x.shape[:axis], len(matrix), *x.shape[axis + 1 :])
        product = out
        if axis != steps[-1][0]:
            product = workspace.scratch(f"product{axis}", shape, x.dtype)
        _multiply_banded(
            matrix,
            x.reshape(prod(shape[:axis]), matrix.shape[1], -1),
            product.reshape(prod(shape[:axis]), len(matrix), -1),
        )
        x = product


def _multiply_banded(matrix: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
    """Write ``matrix @ x`` into `out`, leaving out most of the zeros."""
    for start in range(0, len(matrix), BLOCK_ROWS):
        rows = matrix[start : start + BLOCK_ROWS]
        used = np.flatnonzero(rows.any(axis=0))
        columns = slice(used[0], used[-1] + 1)
        np.matmul(
            rows[:, columns], x[:, columns], out=out[:, start : start + BLOCK_ROWS]
        )
