"""Cutting all pairs of queries and keys into blocks.

Every query has a score for every key, which makes ``steps ** 2`` scores for each head
of each sample. They are computed block by block and never kept, so that memory grows
in proportion to the number of steps. The backward pass computes them again (T. Dao et
al., "FlashAttention: fast and memory-efficient exact attention with IO-awareness",
NeurIPS 2022).

The invariant: a block has all keys that its queries look at. So the softmax of a query
never goes over several blocks::

                 queries                     queries, causal
             0   1 | 2   3 | 4   5         0   1 | 2   3 | 4   5
          0  x   x | x   x | x   x      0  x   x | x   x | x   x
          1  x   x | x   x | x   x      1      x | x   x | x   x
    keys  2  x   x | x   x | x   x      2        | x   x | x   x
          3  x   x | x   x | x   x      3        |     x | x   x
          4  x   x | x   x | x   x      4        |       | x   x
          5  x   x | x   x | x   x      5        |       |     x

Short sequences make blocks of several heads and samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from skconvnet.ops.workspace import Workspace

# Of the scores of a block. They fit into the second level of the cache; with fewer,
# products are of narrow matrices, and slow.
BLOCK_BYTES = 1_600_000
# Products of matrices with fewer columns are slow, and so are those with a number of
# columns that is no multiple of the second one.
_MIN_QUERIES = 64
_MULTIPLE = 16


class Block(NamedTuple):
    """Some samples, heads and queries, and the keys that these queries look at."""

    samples: slice
    heads: slice
    queries: slice
    keys: slice


class Extent(NamedTuple):
    """Of what there are pairs of queries and keys, and how many."""

    samples: int
    heads: int
    queries: int
    keys: int


def blocks_of(
    extent: Extent, itemsize: int, *, causal: bool, block_bytes: int = BLOCK_BYTES
) -> list[list[Block]]:
    """Cut all pairs of queries and keys into blocks of scores.

    Parameters
    ----------
    extent : Extent
    itemsize : int
        Bytes of a score.
    causal : bool
        Whether a query looks at no later key.
    block_bytes : int
        Bytes of the scores of a block; of a few queries if these take more.

    Returns
    -------
    groups : list of list of Block
        The blocks of the same samples and heads are a group. Groups have nothing in
        common, so that threads can share them out. In a group, the block with the last
        queries comes first. It has all keys, so that sums can begin with it.

    Examples
    --------
    >>> all_pairs = Extent(samples=1, heads=1, queries=100, keys=100)
    >>> (group,) = blocks_of(all_pairs, 4, causal=True, block_bytes=30_000)
    >>> for block in group:
    ...     print(block.queries.start, block.queries.stop, block.keys.stop)
    64 100 100
    0 64 64
    """
    n_keys = extent.keys
    room = max(block_bytes // (itemsize * n_keys), _MIN_QUERIES)
    n_queries = min(extent.queries, room // _MULTIPLE * _MULTIPLE)
    if causal and extent.queries >= 4 * _MIN_QUERIES:
        # Four blocks leave out six of their sixteen squares of later keys.
        quarter = -(-extent.queries // (4 * _MULTIPLE)) * _MULTIPLE
        n_queries = min(n_queries, quarter)
    n_heads = min(extent.heads, room // n_queries)
    n_samples = min(extent.samples, room // (n_queries * n_heads))
    queries_of_all = _cut(extent.queries, n_queries, _MULTIPLE)
    return [
        [
            Block(samples, heads, queries, slice(0, queries.stop if causal else n_keys))
            for queries in reversed(queries_of_all)
        ]
        for samples in _cut(extent.samples, n_samples)
        for heads in _cut(extent.heads, n_heads)
    ]


def run_groups(
    groups: Sequence[Sequence[Block]],
    task: Callable[[Sequence[Block], Workspace], None],
    workspace: Workspace,
    *,
    n_scores: int,
) -> None:
    """Call ``task(group, workspace)`` for all groups, on threads if it pays off."""
    workspace.share_out(len(groups), lambda i, own: task(groups[i], own), n_scores)


def _cut(n: int, largest: int, multiple: int = 1) -> list[slice]:
    """Cut `n` indices into slices of nearly equal lengths.

    All lengths but the last are multiples of `multiple`, as `largest` must be.

    >>> _cut(10, 6), _cut(10, 8, multiple=4)
    ([slice(0, 5, None), slice(5, 10, None)], [slice(0, 8, None), slice(8, 10, None)])
    """
    if n <= largest:
        return [slice(0, n)] if n else []
    n_slices = -(-n // largest)
    size = -(-n // (n_slices * multiple)) * multiple
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
