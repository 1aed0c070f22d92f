"""Training sets larger than memory, which are read shard by shard."""

from typing import TYPE_CHECKING

from skconvnet._lazy import lazily

if TYPE_CHECKING:
    from skconvnet.shards.sharded_array import ShardedArray as ShardedArray

__getattr__, __dir__, __all__ = lazily(
    __name__,
    {
        "sharded_array": ["ShardedArray"],
    },
)
