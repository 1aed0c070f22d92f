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

from collections.abc import Iterator
from typing import NamedTuple

# Two arrays of this size stay in the second level of the cache.
BLOCK_BYTES = 800_000
# Products of matrices with fewer columns are slow.
_MIN_QUERIES = 16


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
) -> Iterator[Block]:
    """Cut all pairs of queries and keys into blocks of scores.

    Of the blocks of a head, the one with the last queries comes first. It has all keys,
    so that sums over blocks can begin with it.

    Parameters
    ----------
    extent : Extent
    itemsize : int
        Bytes of a score.
    causal : bool
        Whether a query looks at no later key.
    block_bytes : int
        Bytes of the scores of a block; of a few queries if these take more.

    Examples
    --------
    >>> all_pairs = Extent(samples=1, heads=1, queries=40, keys=40)
    >>> for block in blocks_of(all_pairs, 4, causal=True, block_bytes=3200):
    ...     print(block.queries.start, block.queries.stop, block.keys.stop)
    20 40 40
    0 20 20
    """
    room = max(block_bytes // (itemsize * extent.keys), _MIN_QUERIES)
    n_queries = min(extent.queries, room)
    n_heads = min(extent.heads, room // n_queries)
    n_samples = min(extent.samples, room // (n_queries * n_heads))
    for samples in _cut(extent.samples, n_samples):
        for heads in _cut(extent.heads, n_heads):
            for queries in reversed(_cut(extent.queries, n_queries)):
                keys = slice(0, queries.stop if causal else extent.keys)
                yield Block(samples, heads, queries, keys)


def _cut(n: int, largest: int) -> list[slice]:
    """Cut `n` indices into slices of nearly equal lengths.

    >>> _cut(10, 4)
    [slice(0, 4, None), slice(4, 8, None), slice(8, 10, None)]
    """
    size = -(-n // -(-n // largest))
    return [slice(start, min(start + size, n)) for start in range(0, n, size)]
