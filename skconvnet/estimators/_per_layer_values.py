"""Hyperparameters that hold for all blocks of a network, or for one each."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_hidden_layer_sizes(sizes: Any) -> list[int]:
    """Return the sizes as a list of positive ints.

    >>> check_hidden_layer_sizes(100), check_hidden_layer_sizes((30, 10))
    ([100], [30, 10])
    """
    sizes = list(sizes) if hasattr(sizes, "__iter__") else [sizes]
    if np.any(np.array(sizes) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")
    return [int(size) for size in sizes]


def per_block(
    name: str, value: Any, n_blocks: int, block: str = "block of filters"
) -> list[Any]:
    """Return one value a block: a scalar holds for all, a tuple gives one each.

    >>> per_block("kernel_size", 3, 2), per_block("kernel_size", (5, 3), 2)
    ([3, 3], [5, 3])
    """
    if not isinstance(value, (tuple, list)):
        return [value] * n_blocks
    if len(value) != n_blocks:
        raise ValueError(
            f"{name} must be a single value or a tuple of {n_blocks}, one for each "
            f"{block}; got {value!r}, of length {len(value)}."
        )
    return list(value)
