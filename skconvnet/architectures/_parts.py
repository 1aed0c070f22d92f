"""Functions that the networks share: scaled numbers of channels, layers with a ReLU."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, TypeAlias

from skconvnet._checks import check_float, check_positive_int, is_sequence
from skconvnet.layers import Conv2D, Dense

if TYPE_CHECKING:
    from skconvnet.params.base import LayerSpec

    Layers = list[tuple[str, LayerSpec]]

# One int for all spatial axes, or one per axis; and the types of `Conv2D.padding`.
PerAxis: TypeAlias = int | tuple[int, ...]
Padding: TypeAlias = str | int | tuple[int | tuple[int, int], ...]


def scaled(name: str, n: object, width: float, groups: int = 1) -> int:
    """Return `n` channels times `width`, at least 1 and the same number per group.

    >>> scaled("filters", 6, 0.25), scaled("filters", 96, 0.001)
    (2, 1)
    >>> scaled("filters", 96, 1 / 32, groups=2)
    4
    """
    width = check_float("width", width, "a finite float above 0", lambda w: w > 0)
    per_group = check_positive_int(name, n) / groups
    return groups * max(1, floor(per_group * width + 0.5))


def each_scaled(name: str, values: object, width: float) -> list[int]:
    """Return each number in a sequence of channels times `width`."""
    if not is_sequence(values):
        raise TypeError(
            f"{name} must be a sequence of ints, one per convolution; got {values!r}."
        )
    numbers = list(values)
    if not numbers:
        raise ValueError(f"{name} must have at least one entry; got {numbers!r}.")
    return [scaled(f"each of {name}", number, width) for number in numbers]


def conv(
    filters: int,
    kernel_size: PerAxis,
    strides: PerAxis = 1,
    padding: Padding = "same",
    groups: int = 1,
    activation: str | None = "relu",
) -> Conv2D:
    """Return a convolution with a ReLU and a suitable initializer."""
    return Conv2D(
        filters,
        kernel_size,
        strides,
        padding,
        groups=groups,
        activation=activation,
        kernel_initializer="he_normal",
    )


def dense(units: int) -> Dense:
    """Return a dense layer with a ReLU and a suitable initializer."""
    return Dense(units, "relu", kernel_initializer="he_normal")


def check_name(name: object) -> str:
    """Return the name of a block, with which the names of its layers begin."""
    if not isinstance(name, str) or not name or "__" in name or "/" in name:
        raise ValueError(
            f"name must be a non-empty str without '__' and '/'; got {name!r}."
        )
    return name
