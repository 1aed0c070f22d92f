"""Hyperparameters with one value for a whole network, or one per block or layer."""

from __future__ import annotations

from typing import Any

from skconvnet._checks import (
    check_length,
    check_positive_int,
    is_int,
    is_sequence,
    shown,
)

# Hyperparameters whose value for a block may be a (height, width) pair.
_OF_AXES = ("kernel_size", "strides", "dilation", "pool_size")


def check_hidden_layer_sizes(sizes: object) -> list[int]:
    """Return the sizes as a list of positive ints.

    >>> check_hidden_layer_sizes(100), check_hidden_layer_sizes((30, 10))
    ([100], [30, 10])
    """
    if is_sequence(sizes):
        check_length("hidden_layer_sizes", sizes)
    values: list[Any] = list(sizes) if is_sequence(sizes) else [sizes]
    if not all(is_int(size) for size in values):
        raise ValueError(
            "hidden_layer_sizes must be an int or a tuple of ints, the units of each "
            f"hidden layer; got {shown(sizes)}."
        )
    if any(size <= 0 for size in values):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {values}.")
    return [check_positive_int("each of hidden_layer_sizes", size) for size in values]


def per_block(
    name: str, value: object, n_blocks: int, block: str = "block of filters"
) -> list[Any]:
    """Return one value per block, from a scalar or a tuple with one value per block.

    >>> per_block("kernel_size", 3, 2), per_block("kernel_size", (5, 3), 2)
    ([3, 3], [5, 3])
    """
    if not is_sequence(value):
        return [value] * n_blocks
    if len(value) != n_blocks:
        raise ValueError(
            f"{name} must be a single value or a tuple of {n_blocks}, one per "
            f"{block}; got {shown(value)}, of length {len(value)}."
            f"{_hint_of_pair(name, value, n_blocks)}"
        )
    return list(value)


def _hint_of_pair(name: str, value: Any, n_blocks: int) -> str:  # noqa: ANN401  any
    """Return how to pass a (height, width) pair for every block."""
    if name not in _OF_AXES or len(value) != 2 or not all(map(is_int, value)):
        return ""
    pair = tuple(int(number) for number in value)
    return (
        f" For height {pair[0]} and width {pair[1]} in every block, pass "
        f"{name}={[pair] * n_blocks}."
    )


def check_counts(name: str, value: object) -> list[int]:
    """Return one or several ints of at least 1 as a list.

    >>> check_counts("filters", 8), check_counts("filters", [8, 16])
    ([8], [8, 16])
    """
    if is_sequence(value):
        check_length(name, value)
    values: list[Any] = list(value) if is_sequence(value) else [value]
    if not all(is_int(size) and size >= 1 for size in values):
        raise ValueError(
            f"{name} must be a positive int or a tuple of them, one per block; got "
            f"{shown(value)}."
        )
    return [check_positive_int(f"each of {name}", size) for size in values]


def through_hidden(
    name: str, value: object, n_blocks: int, n_hidden: int, *, fill: object = None
) -> list[Any]:
    """Return one value per block, followed by one per hidden layer.

    If a tuple has only one value per block, the hidden layers use `fill`, or the last
    value of the tuple if `fill` is None.

    >>> through_hidden("dropout", (0.1, 0.2), 2, 1, fill=0.0)
    [0.1, 0.2, 0.0]
    """
    n_all = n_blocks + n_hidden
    if not is_sequence(value):
        return [value] * n_all
    if len(value) == n_blocks:
        return [*value, *[value[-1] if fill is None else fill] * n_hidden]
    if len(value) != n_all:
        raise ValueError(
            f"{name} must be a single value, a tuple of {n_blocks}, one per block "
            f"of filters, or a tuple of {n_all}, the hidden layers included; got "
            f"{shown(value)}, of length {len(value)}."
        )
    return list(value)
