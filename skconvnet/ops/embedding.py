"""Read rows of a table by token, and add up gradients by token.

Tokens are processed in blocks of samples, so that little memory is needed besides the
results. Sums over tokens are products with a sparse matrix of ones, since SciPy
computes these in compiled code and in a fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csc_array, csr_array

from skconvnet._typing import Lengths
from skconvnet.ops.workspace import Workspace

# Numbers in a block: 512 kB in float32. Blocks of a quarter of this size take up to
# twice as long, and blocks four times as large up to a third less time.
BLOCK_SIZE = 2**17


def lengths_of(tokens: np.ndarray, padding: int) -> Lengths:
    """Return the length of each text without the padding at its end.

    Parameters
    ----------
    tokens : ndarray of shape (length, n)
    padding : int

    Examples
    --------
    >>> lengths_of(np.array([[0, 5, 0], [3, 0, 0], [4, 0, 0]]), 0)
    array([3, 1, 0])
    """
    is_token = tokens[::-1] != padding
    from_end = np.argmax(is_token, axis=0)
    return np.where(is_token.any(axis=0), len(tokens) - from_end, 0)


def order_with_padding_last(tokens: np.ndarray, padding: int) -> np.ndarray | None:
    """Return in which order padding comes last and other tokens keep their order.

    Parameters
    ----------
    tokens : ndarray of shape (length, n)
    padding : int

    Returns
    -------
    order : ndarray of int of shape (length, n), or None
        Position in `tokens` of each token. None if padding comes last already.

    Examples
    --------
    >>> tokens = np.array([[0, 5], [3, 0], [4, 6]])
    >>> np.take_along_axis(tokens, order_with_padding_last(tokens, 0), axis=0)
    array([[3, 5],
           [4, 6],
           [0, 0]])
    """
    is_padding = tokens == padding
    if not (is_padding[:-1] & ~is_padding[1:]).any():
        return None
    return np.argsort(is_padding, axis=0, kind="stable")


def gather(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    y: np.ndarray,
    workspace: Workspace,
    *,
    block_size: int = BLOCK_SIZE,
) -> None:
    """Write ``y[:, i] = table[tokens[i]]``, or zeros where the token is padding.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n,)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten.
    workspace : Workspace
    block_size : int
        How many numbers a block of samples has.
    """
    for block in _blocks(len(tokens), len(y), block_size):
        rows = _rows(table, tokens[block], padding, 0, workspace)
        y[:, block] = rows.T


def sums(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    y: np.ndarray,
    *,
    block_size: int = BLOCK_SIZE,
) -> None:
    """Write the sum of the rows of each text, leaving out padding.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n, length)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten.
    block_size : int
        How many numbers a block of samples has.
    """
    for block in _blocks(len(tokens), tokens.shape[1] * len(y), block_size):
        columns, starts = _compressed(tokens[block], padding)
        ones = np.ones(len(columns), dtype=table.dtype)
        shape = (len(starts) - 1, len(table))
        y[:, block] = (csr_array((ones, columns, starts), shape=shape) @ table).T


def add_by_token(
    dy: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    gradient: np.ndarray,
    workspace: Workspace,
    *,
    block_size: int = BLOCK_SIZE,
) -> None:
    """Overwrite ``gradient[t]`` with the sum of the columns of `dy` that have token t.

    Parameters
    ----------
    dy : ndarray of shape (n_dims, n)
    tokens : ndarray of intp of shape (n, length)
        The tokens of each column. A token that occurs several times counts each time.
    padding : int or None
        The token whose gradient is zero.
    gradient : ndarray of shape (n_tokens, n_dims)
    workspace : Workspace
    block_size : int
        How many numbers a block of samples has.
    """
    gradient.fill(0)
    n_dims = len(dy)
    seen = workspace.scratch("seen", (len(gradient),), np.bool_)
    seen.fill(False)
    rank = workspace.scratch("rank", (len(gradient),), np.int32)
    for block in _blocks(len(tokens), tokens.shape[1] * n_dims, block_size):
        rows, starts = _compressed(tokens[block], padding)
        # The product has a row for each token that occurs, numbered by `rank`, rather
        # than one for each row of the table.
        seen[rows] = True
        used = np.flatnonzero(seen)
        seen[used] = False
        rank[used] = np.arange(len(used), dtype=np.int32)
        n = len(starts) - 1
        columns = workspace.scratch("columns", (n, n_dims), dy.dtype)
        np.copyto(columns, dy[:, block].T)
        ones = np.ones(len(rows), dtype=dy.dtype)
        matrix = csc_array((ones, rank[rows], starts), shape=(len(used), n))
        gradient[used] += matrix @ columns


def maxima(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    y: np.ndarray,
    winners: np.ndarray,
    workspace: Workspace,
    *,
    block_size: int = BLOCK_SIZE,
) -> None:
    """Write the maximum of each dimension over each text, leaving out padding.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n, length)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten, with zeros for a text that is all padding.
    winners : ndarray of intp of shape (n, n_dims)
        Overwritten with the tokens that have these values, the first of equals.
    workspace : Workspace
    block_size : int
        How many numbers a block of samples has.
    """
    n_dims, length = len(y), tokens.shape[1]
    for block in _blocks(len(tokens), tokens.shape[1] * n_dims, block_size):
        texts = tokens[block]
        rows = _rows(table, texts.reshape(-1), padding, -np.inf, workspace)
        by_dim = workspace.scratch("by_dim", (len(texts), n_dims, length), table.dtype)
        np.copyto(by_dim, rows.reshape(len(texts), length, n_dims).transpose(0, 2, 1))
        np.argmax(by_dim, axis=2, out=winners[block])
        winners[block] = np.take_along_axis(texts, winners[block], axis=1)
        y[:, block] = table[winners[block], np.arange(n_dims)].T
        if padding is not None:
            y[:, block][:, (texts == padding).all(axis=1)] = 0


def add_by_winner(
    dy: np.ndarray, winners: np.ndarray, padding: int | None, gradient: np.ndarray
) -> None:
    """Overwrite the gradient of the table, given the `winners` that `maxima` wrote."""
    gradient.fill(0)
    np.add.at(gradient, (winners, np.arange(len(dy))), dy.T)
    if padding is not None:
        gradient[padding] = 0


def _blocks(n: int, sample_size: int, block_size: int) -> Iterator[slice]:
    """Cut n samples into blocks of about `block_size` numbers, or of one sample."""
    step = max(block_size // sample_size, 1)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def _rows(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    padding_value: float,
    workspace: Workspace,
) -> np.ndarray:
    """Return the row of each token, filled with `padding_value` for padding."""
    rows = workspace.scratch("token_rows", (len(tokens), table.shape[1]), table.dtype)
    # The tokens have been checked; with "clip", `take` needs no copy of its output.
    np.take(table, tokens, axis=0, out=rows, mode="clip")
    if padding is not None and (padding_value or table[padding].any()):
        rows[tokens == padding] = padding_value
    return rows


def _compressed(
    texts: np.ndarray, padding: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return all tokens except padding in one array, and where each text starts in it.

    These are the `indices` and the `indptr` of a compressed sparse matrix.
    """
    starts = np.zeros(len(texts) + 1, dtype=np.int32)
    if padding is None:
        starts[1:] = texts.shape[1]
        tokens = texts.reshape(-1)
    else:
        is_token = texts != padding
        np.sum(is_token, axis=1, out=starts[1:])
        tokens = texts[is_token]
    np.cumsum(starts, out=starts)
    return tokens, starts
