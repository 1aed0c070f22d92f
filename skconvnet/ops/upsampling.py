"""Enlarge maps by integer factors, and compute the gradients."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from skconvnet.ops.workspace import Workspace

# Rows of a banded matrix that are multiplied at once. Columns that are zero in all of
# these rows are left out.
BLOCK_ROWS = 16


def repeat(x: np.ndarray, sizes: Sequence[int], out: np.ndarray) -> None:
    """Write the map `x` into `out`, every value repeated `sizes` times along the axes.

    Parameters
    ----------
    x : ndarray of shape (channels, *spatial, batch)
    sizes : sequence of int
        One factor for each spatial axis.
    out : ndarray of shape (channels, *spatial * sizes, batch), contiguous
    """
    axes = tuple(range(2, 2 * len(sizes) + 1, 2))
    out.reshape(_split(x.shape, sizes))[...] = np.expand_dims(x, axes)


def sum_repeats(dy: np.ndarray, sizes: Sequence[int], out: np.ndarray) -> None:
    """Write, for each value, the sum over the copies that `repeat` made of it."""
    first, *others = np.ndindex(*sizes)
    np.copyto(out, dy[_copies(first, sizes)])
    for offset in others:
        out += dy[_copies(offset, sizes)]


def _copies(offset: Sequence[int], sizes: Sequence[int]) -> tuple[slice, ...]:
    """Return the index of one copy of every value, at `offset` from the first copy."""
    pairs = zip(offset, sizes, strict=True)
    return (slice(None), *(slice(o, None, size) for o, size in pairs))


def _split(shape: Sequence[int], sizes: Sequence[int]) -> tuple[int, ...]:
    """Return (channels, n, size, n, size, ..., batch), given the shape of a map."""
    pairs = zip(shape[1:-1], sizes, strict=True)
    return (shape[0], *(number for pair in pairs for number in pair), shape[-1])


def linear_matrix(n: int, size: int) -> np.ndarray:
    """Return the matrix of shape (n * size, n) that interpolates linearly.

    Output i lies at position (i + 1/2) / size - 1/2 of the input. Before the first and
    after the last position of the input, outputs have the nearest value.

    >>> linear_matrix(2, 2)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.25, 0.75],
           [0.  , 1.  ]])
    """
    positions = np.clip((np.arange(n * size) + 0.5) / size - 0.5, 0, n - 1)
    matrix: np.ndarray = np.maximum(1 - np.abs(positions[:, None] - np.arange(n)), 0)
    return matrix


def resizing_matrix(n: int, n_out: int) -> np.ndarray:
    """Return the matrix of shape (n_out, n) that interpolates linearly to any length.

    Output i lies at position (i + 1/2) * n / n_out - 1/2 of the input, as in
    `linear_matrix`.

    >>> resizing_matrix(2, 3)
    array([[1. , 0. ],
           [0.5, 0.5],
           [0. , 1. ]])
    """
    positions = np.clip((np.arange(n_out) + 0.5) * (n / n_out) - 0.5, 0, n - 1)
    matrix: np.ndarray = np.maximum(1 - np.abs(positions[:, None] - np.arange(n)), 0)
    return matrix


def multiply_axes(
    matrices: Sequence[np.ndarray | None],
    x: np.ndarray,
    out: np.ndarray,
    workspace: Workspace,
    *,
    block_rows: int = BLOCK_ROWS,
) -> None:
    """Multiply the map `x` by a matrix along each axis, and write the result to `out`.

    Parameters
    ----------
    matrices : sequence of ndarray of shape (n_out, n) or None
        One banded matrix for each spatial axis. None means the identity; at least one
        entry is not None.
    x : ndarray of shape (channels, *spatial, batch)
    out : ndarray, contiguous
    workspace : Workspace
    block_rows : int
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
    # If axes grow, start with the last one, otherwise with the first one: the products
    # with the most numbers then have long rows.
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
            block_rows,
        )
        x = product


def _multiply_banded(
    matrix: np.ndarray, x: np.ndarray, out: np.ndarray, block_rows: int
) -> None:
    """Write ``matrix @ x`` into `out`, leaving out most of the zeros."""
    for start in range(0, len(matrix), block_rows):
        rows = matrix[start : start + block_rows]
        used = np.flatnonzero(rows.any(axis=0))
        columns = slice(used[0], used[-1] + 1)
        np.matmul(
            rows[:, columns], x[:, columns], out=out[:, start : start + block_rows]
        )
