"""Rows of a table gathered by token, and gradients added up by token.

A block of tokens is worked through at a time, so that what is needed besides the
results stays small. Sums over tokens are products with a sparse matrix of ones: that
is the one addition by index that SciPy runs in compiled code, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csc_array, csr_array

from skconvnet.ops.workspace import Workspace

# Numbers of a block, 512 kB in float32. Blocks of a quarter take up to twice as long,
# those of four times the size up to a third less.
_BLOCK = 2**17


def gather(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    y: np.ndarray,
    workspace: Workspace,
) -> None:
    """Write ``y[:, i] = table[tokens[i]]``, zeros where the token is padding.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n,)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten.
    workspace : Workspace
    """
    for block in _blocks(len(tokens), 1, len(y)):
        rows = _rows(table, tokens[block], padding, 0, workspace)
        y[:, block] = rows.T


def sums(
    table: np.ndarray, tokens: np.ndarray, padding: int | None, y: np.ndarray
) -> None:
    """Write the sum of the rows of each text, its padding left out.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n, length)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten.
    """
    for block in _blocks(len(tokens), tokens.shape[1], len(y)):
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
) -> None:
    """Overwrite ``gradient[t]`` by the sum of the columns of dy that token t is in.

    Parameters
    ----------
    dy : ndarray of shape (n_dims, n)
    tokens : ndarray of intp of shape (n, length)
        A column counts as often as the token occurs in its text.
    padding : int or None
        A token whose gradient is zero.
    gradient : ndarray of shape (n_tokens, n_dims)
    workspace : Workspace
    """
    gradient.fill(0)
    n_dims = len(dy)
    seen = workspace.scratch("seen", (len(gradient),), np.bool_)
    seen.fill(False)
    rank = workspace.scratch("rank", (len(gradient),), np.int32)
    for block in _blocks(len(tokens), tokens.shape[1], n_dims):
        rows, starts = _compressed(tokens[block], padding)
        # Only the tokens that occur: a product has as many rows as they are, and not
        # as many as the table.
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
) -> None:
    """Write the largest value of each text along each dimension, padding left out.

    Parameters
    ----------
    table : ndarray of shape (n_tokens, n_dims)
    tokens : ndarray of intp of shape (n, length)
    padding : int or None
    y : ndarray of shape (n_dims, n)
        Overwritten; zeros for a text of padding alone.
    winners : ndarray of intp of shape (n, n_dims)
        Overwritten by the tokens that the values are of, the first of equals.
    workspace : Workspace
    """
    n_dims, length = len(y), tokens.shape[1]
    for block in _blocks(len(tokens), tokens.shape[1], n_dims):
        texts = tokens[block]
        rows = _rows(table, texts.reshape(-1), padding, -np.inf, workspace)
        turned = workspace.scratch("turned", (len(texts), n_dims, length), table.dtype)
        np.copyto(turned, rows.reshape(len(texts), length, n_dims).transpose(0, 2, 1))
        np.argmax(turned, axis=2, out=winners[block])
        winners[block] = np.take_along_axis(texts, winners[block], axis=1)
        y[:, block] = table[winners[block], np.arange(n_dims)].T
        if padding is not None:
            y[:, block][:, (texts == padding).all(axis=1)] = 0


def add_by_winner(
    dy: np.ndarray, winners: np.ndarray, padding: int | None, gradient: np.ndarray
) -> None:
    """Overwrite the gradient of the table, given the `winners` of `maxima`."""
    gradient.fill(0)
    np.add.at(gradient, (winners, np.arange(len(dy))), dy.T)
    if padding is not None:
        gradient[padding] = 0


def _blocks(n: int, length: int, n_dims: int) -> Iterator[slice]:
    """Cut n texts into blocks with a bounded number of tokens, at least one text."""
    size = max(_BLOCK // (length * n_dims), 1)
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _rows(
    table: np.ndarray,
    tokens: np.ndarray,
    padding: int | None,
    of_padding: float,
    workspace: Workspace,
) -> np.ndarray:
    """Return the rows of `tokens`, with the value `of_padding` where that is."""
    rows = workspace.scratch("token_rows", (len(tokens), table.shape[1]), table.dtype)
    # The tokens are known to be good; "clip" spares take a copy of its output.
    np.take(table, tokens, axis=0, out=rows, mode="clip")
    if padding is not None and (of_padding or table[padding].any()):
        rows[tokens == padding] = of_padding
    return rows


def _compressed(
    texts: np.ndarray, padding: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens in a row without padding, and where each text starts."""
    starts = np.zeros(len(texts) + 1, dtype=np.int32)
    if padding is None:
        starts[1:] = texts.shape[1]
        kept = texts.reshape(-1)
    else:
        is_kept = texts != padding
        np.sum(is_kept, axis=1, out=starts[1:])
        kept = texts[is_kept]
    np.cumsum(starts, out=starts)
    return kept, starts
